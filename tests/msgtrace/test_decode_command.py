"""``msgtrace decode`` as it is typed."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from msgtrace.cli import main
from msgtrace.recorder import recording_schema
from msgtrace.schema import decoded_schema
from tests.bench.msgtrace import exchange, written
from tests.msgtrace import samples
from tests.msgtrace.samples import FORMS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A client's log in JSON lines, which have times."""
    path = tmp_path / "calls.log"
    path.write_text(samples.winston(), "utf-8")
    return path


def test_each_line_has_what_it_answers_and_after_how_long(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", str(log)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "   1 --> 07:26:06.658 authenticate",
        "   2 <-- 07:26:06.668 OK v0.9.5 udp/127.0.0.1:5060,tcp/127.0.0.1:5060   answers 1: authenticate, 10.0 ms",
        "   3 <-- 07:26:06.678 sip INVITE sip:bob@127.0.0.1",
        "   4 <-- 07:26:06.688 sip INVITE sip:bob@127.0.0.1   (no answer)",
        "   5 --> 07:26:06.698 sip 486 Busy Here   answers 3: sip INVITE sip:bob@127.0.0.1, 20.0 ms",
        "   6 <-- 07:26:06.708 OK 486 Busy Here (INVITE)   answers 5: sip 486 Busy Here, 10.0 ms",
    ]


def test_calls_say_which_failed_and_how_to_see_it(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--calls", str(log)]) == 0
    busy, silent, empty, heading, first, second, numbers = capsys.readouterr().out.splitlines()
    assert busy == "      1 × INVITE 486 Busy Here by the application (call 1)"
    assert silent == "      1 × INVITE no response: the application did not respond (call 2)"
    assert empty == ""
    assert heading.split() == [
        "call",
        "message",
        "time",
        "method",
        "from",
        "to",
        "what",
        "became",
        "of",
        "it",
    ]
    assert first.endswith("486 Busy Here by the application")
    assert second.split()[:3] == ["✗", "2", "4"]
    assert second.endswith("no response: the application did not respond to message 4")
    assert numbers.startswith("2 calls: 2 failed, 0 unfinished. Failed: 1, 2. See one: ")
    command = numbers.partition("See one: msgtrace ")[2].split()
    assert main(command) == 0
    assert "INVITE" in capsys.readouterr().out


def test_the_call_that_failed_is_found_among_two_hundred(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "200.log"
    steps = [list(exchange(number)) for number in range(200)]
    asked = steps[117][3][1].partition("|")[0]
    steps[117][4:] = [(True, f"x|response|{asked}|NOK|unknown transaction")]
    path.write_text(written("client log", [step for call in steps for step in call]), "utf-8", newline="")
    assert main(["decode", "--calls", "--failed", str(path)]) == 0
    _, failed, numbers = capsys.readouterr().out.splitlines()
    assert failed.split()[:2] == ["✗", "118"]
    assert "refused: unknown transaction" in failed
    assert numbers.startswith("200 calls: 1 failed, 0 unfinished. Failed: 118.")


def test_one_call_alone(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--call", "call01", str(log)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["3", "5", "6"]


@pytest.mark.parametrize("style", [[], ["--calls"], ["--stats"]])
def test_a_log_without_a_message_is_told(
    style: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "server.log"
    log.write_text("2026-11-23 07:26:06.000000 Starting drachtio version v0.9.5\n")
    assert main(["decode", *style, str(log)]) == 0
    told = f"msgtrace: {log}: taken for a server's log, but there is no message in it\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (["--call", "9"], "no call 9 among 2 calls; --calls lists them"),
        (["--status", "5xx"], "none of 6 messages fits"),
        (["--call", "1", "--method", "BYE"], "none of 6 messages fits"),
        (
            ["--verb", "prox"],
            "none of 6 messages fits; they are authenticate, network-request, ok, send-response",
        ),
    ],
)
def test_a_filter_that_nothing_passes_says_so(
    filters: list[str], told: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", *filters, str(log)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"msgtrace: {log}: {told}\n"


def test_stats_account_for_every_octet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, make in FORMS.items():
        path = tmp_path / "log"
        path.write_bytes(make().encode() + (b"===>\r\n99#cut|sip" if form == "client" else b""))
        main(["decode", "--stats", str(path)])
        rows = re.findall(r"^ +([\d,-]+)  +(.*)$", capsys.readouterr().out, re.MULTILINE)
        octets = {name.strip(): int(count.replace(",", "")) for count, name in rows}
        whole = octets["octets in the file, of which"]
        parts = [
            octets["frames"],
            octets["SIP messages outside of frames"],
            octets["what stands around them: arrows, times, escapes, line ends"],
            octets["other lines of the log"],
        ]
        damage = sum(count for name, count in octets.items() if name.startswith("damage"))
        assert whole == path.stat().st_size == sum(parts) + damage, form
        assert octets["octets decoded: all in the file less the damage"] == whole - damage
        assert all(part >= 0 for part in parts), form
        assert damage == (10 if form == "client" else 0), form


@pytest.mark.parametrize("form", FORMS)
def test_jsonl_is_as_published(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    path.write_bytes(FORMS[form]().encode() + b"99#cut")
    main(["decode", "--jsonl", str(path)])
    validator = jsonschema.Draft202012Validator(json.loads((DOCS / "msgtrace.schema.json").read_text()))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        validator.validate(line)


def test_the_published_schemas_are_current() -> None:
    assert (DOCS / "msgtrace.schema.json").read_text() == decoded_schema(), (
        "run: python -m msgtrace.schema decode > docs/msgtrace.schema.json"
    )
    assert (DOCS / "recording.schema.json").read_text() == recording_schema(), (
        "run: python -m msgtrace.schema record > docs/recording.schema.json"
    )


@pytest.mark.parametrize("style", [[], ["--full"], ["--jsonl"], ["--ladder"], ["--calls"], ["--stats"]])
@pytest.mark.parametrize("form", FORMS)
def test_secrets_stay_secret_in_every_form_and_style(
    form: str, style: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    for end in (None, -10, 130):
        path.write_bytes(FORMS[form]().encode()[:end])
        main(["decode", *style, str(path)])
        shown = capsys.readouterr()
        assert "s3cret" not in shown.out + shown.err
        assert "abcdef" not in shown.out + shown.err


def test_compressed_files_are_read_and_told_to_be_cut(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = log.with_suffix(".gz")
    data = gzip.compress(log.read_bytes()) + gzip.compress(log.read_bytes())
    packed.write_bytes(data)
    assert main(["decode", str(packed)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12
    packed.write_bytes(data[:-40])
    assert main(["decode", str(packed)]) == 1
    assert "the compressed data ends at octet" in capsys.readouterr().err
    packed.write_bytes(data[:200] + b"\xff" * 50)
    assert main(["decode", str(packed)]) == 1
    assert "the compressed data is damaged" in capsys.readouterr().err


def test_colours_only_where_wanted(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["decode", "--color", "always", str(log)])
    assert "\x1b[31m" in capsys.readouterr().out
    main(["decode", str(log)])
    assert "\x1b" not in capsys.readouterr().out


def test_what_a_peer_sent_reaches_no_terminal_as_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(samples.frame("x|sip||\r\nOPTIONS sip:\x1b]0;a\x07 SIP/2.0\r\n\r\n").encode())
    for style in ([], ["--full"], ["--ladder"]):
        main(["decode", *style, str(path)])
        assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--failed", "--ladder"],
        ["--status", "999"],
        ["--since", "7 o'clock"],
        ["--grep", "("],
        ["--follow", "--stats"],
        ["--follow", "y"],
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decode", *arguments, "x"])
    assert ended.value.code == 2
    assert "msgtrace decode: error: " in capsys.readouterr().err


def test_a_stream_is_shown_as_it_comes() -> None:
    """The first message is told before the second is there."""
    with subprocess.Popen(
        [sys.executable, "-m", "msgtrace.cli", "decode", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"8#id1|ping")
        process.stdin.flush()
        assert process.stdout.readline() == b"   1 --> ping\n"
        process.stdin.write(b"8#id2|ping")
        process.stdin.close()
        assert process.stdout.readline() == b"   2 --> ping\n"
        assert process.wait() == 0


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"8#id1|ping" * 100_000)
    with subprocess.Popen(
        [sys.executable, "-m", "msgtrace.cli", "decode", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


DOCUMENT = Path(__file__).parents[3] / "shared" / "facts" / "original-document.txt"


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the document is not part of the repository")
def test_the_listings_of_the_original_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(DOCUMENT)]) == 0
    lines = [line.split("   answers")[0] for line in capsys.readouterr().out.splitlines()]
    assert [line[:40].rstrip() for line in lines] == [
        "   1 --> authenticate",
        "   2 <-- OK tcp/[::1]:5060,udp/[::1]:506",
        "   3 --> route invite",
        "   4 <-- OK",
        "   5 <-- sip INVITE sip:15083084809@127.",
        "   6 --> sip 486 Busy Here (INVITE)",
        "   7 <-- OK 486 Busy Here (INVITE)",
    ]
