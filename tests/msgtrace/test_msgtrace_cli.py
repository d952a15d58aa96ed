"""The command line of msgtrace."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from msgtrace.cli import main

REQUEST = "INVITE sip:bob@127.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nAuthorization: Digest response=abcdef\r\n\r\nv=0\r\n"


def frame(payload: str) -> str:
    """With its length in octets."""
    return f"{len(payload.encode())}#{payload}"


def record(arrow: str, payload: str) -> str:
    """As a client logs it."""
    return f"{arrow}\r\n{frame(payload)}\r\n"


LOG = "".join(
    [
        record("===>", "a1|authenticate|cymru|"),
        record("<===", "s1|response|a1|OK|udp/127.0.0.1:5060|v0.9.5|udp/127.0.0.1:5060"),
        record(
            "<===", f"s2|sip|network|99|udp|127.0.0.1|5080|16:06:41.114233|t1||127.0.0.1|5060|\r\n{REQUEST}"
        ),
        record("===>", "a2|sip|t1|\r\nSIP/2.0 486 Busy é\r\n\r\n"),
        record("<===", "s3|response|a2|NOK|Response not sent due to unknown transaction"),
    ]
)


@pytest.fixture
def log(tmp_path: Path) -> str:
    """A client's log in a file."""
    path = tmp_path / "calls.log"
    path.write_bytes(LOG.encode())
    return str(path)


def test_one_line_for_each_message(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", log]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "   1 --> authenticate",
        "   2 <-- OK v0.9.5 udp/127.0.0.1:5060   answers 1: authenticate",
        "   3 <-- sip INVITE sip:bob@127.0.0.1",
        "   4 --> sip 486 Busy é   answers 3: sip INVITE sip:bob@127.0.0.1",
        "   5 <-- NOK Response not sent due to unknown transaction   answers 4: sip 486 Busy é",
    ]


def test_full_names_every_token(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--full", log]) == 0
    text = capsys.readouterr().out
    assert re.search(r"^ +2 secret +\*\*\*$", text, re.MULTILINE)
    assert re.search(r"^ +8 transaction-id +t1$", text, re.MULTILINE)
    assert re.search(r"^ +9 dialog-id +\(empty\)$", text, re.MULTILINE)
    assert "         │ Authorization: Digest ***\n         │\n         │ v=0\n" in text


def test_secrets_are_shown_on_demand_only(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    for style in ([], ["--full"], ["--jsonl"], ["--ladder"]):
        main(["decode", *style, log])
        shown = capsys.readouterr()
        assert "cymru" not in shown.out + shown.err
        assert "abcdef" not in shown.out + shown.err
    main(["decode", "--full", "--show-secrets", log])
    shown = capsys.readouterr()
    assert "cymru" in shown.out
    assert "abcdef" in shown.out


def test_jsonl_is_one_object_for_each_message(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--jsonl", log]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[2]["tokens"]["transaction-id"] == "t1"
    assert lines[2]["start_line"] == "INVITE sip:bob@127.0.0.1 SIP/2.0"
    assert lines[2]["body"] == "v=0\r\n"
    assert lines[3]["start_line"] == "SIP/2.0 486 Busy é"
    assert lines[4]["answers"] == 4


def test_ladder_has_a_lifeline_for_each_side(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--ladder", log]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["127.0.0.1:5080", "server", "app"]
    assert len(rows) == 6, "the INVITE on the SIP side is told by its frame"
    assert "◀" in rows[0]
    assert "authenticate" in rows[0]
    assert rows[2].index("INVITE") < rows[3].index("INVITE")


def test_a_truncated_recording_names_the_place_and_never_the_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.log"
    path.write_text("8#id1|ping40#x|authenticate|cymru", "utf-8")
    assert main(["decode", str(path)]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"msgtrace: {path}: 1 place could not be read, the first at octet 10: ")
    assert "cym" not in shown.out + shown.err
    assert "   1 --> ping" in shown.out


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x7fELF")))
    assert main(["decode", "-"]) == 1
    assert capsys.readouterr().err.startswith(
        "msgtrace: standard input: not a recording of the admin protocol: "
    )


def test_files_that_cannot_be_read_do_not_stop_the_others(
    log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "/nowhere.log", log]) == 1
    shown = capsys.readouterr()
    assert shown.err == "msgtrace: /nowhere.log: No such file or directory\n"
    assert shown.out.splitlines()[0] == f"{log}:"
    assert len(shown.out.splitlines()) == 6


def test_an_empty_recording_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.log"
    path.touch()
    assert main(["decode", str(path)]) == 0
    assert capsys.readouterr().err == f"msgtrace: {path}: empty, nothing was recorded\n"


@pytest.mark.parametrize("arguments", [[], ["decode"], ["decode", "--full", "--ladder", "x"], ["show", "x"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: msgtrace" in capsys.readouterr().err


def test_a_file_in_the_place_of_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "calls of today.log"
    file.write_text("6#p|ping")
    with pytest.raises(SystemExit) as ended:
        main([str(file)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"'{file}' is a file, expected a command: msgtrace explain '{file}'" in said


def test_the_help_says_where_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "a call went wrong:\n  msgtrace explain calls.log" in capsys.readouterr().out
