"""One exchange, read from every form of recording, whole, wrapped, cut in pieces and damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.frames import LengthUnit
from msgtrace.recordings import read_blocks
from tests.msgtrace import samples
from tests.msgtrace.samples import EXCHANGE, FORMS

PAYLOADS = [payload.encode().decode("latin-1") for _, payload in EXCHANGE]


def account_of(data: bytes, size: int = 1 << 20) -> tuple[list[Entry], Account]:
    """Entries of a recording that comes in blocks of ``size``, and its account."""
    account = Account()

    def blocks() -> Iterator[bytes]:
        for start in range(0, len(data), size):
            account.total += len(data[start : start + size])
            yield data[start : start + size]

    return list(read_blocks(blocks(), account)), account


def payloads(data: bytes) -> list[str]:
    """Of all frames."""
    return [entry.data for entry in account_of(data)[0] if entry.kind is EntryKind.FRAME]


def damages(data: bytes) -> list[str]:
    """Place and explanation of each."""
    found = account_of(data)[0]
    return [f"{entry.where}: {entry.data}" for entry in found if entry.kind is EntryKind.DAMAGE]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_frames(form: str) -> None:
    entries, account = account_of(FORMS[form]().encode())
    frames = [entry for entry in entries if entry.kind is EntryKind.FRAME]
    assert [entry.data for entry in frames] == PAYLOADS
    if form != "bare":
        assert [entry.from_server for entry in frames] == [down for down, _ in EXCHANGE]
        assert all(entry.line for entry in frames)
    assert account.damage == 0
    assert account.wrapping >= 0
    assert account.decoded == account.total


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_may_be_cut_anywhere(form: str, size: int) -> None:
    data = FORMS[form]().encode()
    whole, account = account_of(data)
    cut, account_of_cut = account_of(data, size)
    assert cut == whole
    assert (account_of_cut.frames, account_of_cut.other) == (account.frames, account.other)


def docker(text: str) -> str:
    """Times of a container before each line."""
    return "".join(f"2020-02-07T02:32:54.346767593Z {line}" for line in text.splitlines(keepends=True))


def compose(text: str) -> str:
    """The name of a service before each line."""
    return "".join(f"scripts-drachtio-1  | {line}" for line in text.splitlines(keepends=True))


def quoted(text: str) -> str:
    """In a mail or an issue."""
    return "".join(f"> {line}" for line in text.splitlines(keepends=True))


def docker_json(text: str) -> str:
    """As docker keeps it."""
    return "".join(
        json.dumps({"log": line, "stream": "stderr", "time": "2020-02-07T02:32:54Z"}) + "\n"
        for line in text.splitlines(keepends=True)
    )


def coloured(text: str) -> str:
    """As a terminal recorder keeps it."""
    return "".join(f"\x1b[36m{line}\x1b[0m" for line in text.splitlines(keepends=True))


@pytest.mark.parametrize("form", ["client", "debug", "debug on a terminal", "server"])
@pytest.mark.parametrize(
    "wrap", [docker, compose, quoted, docker_json, coloured, lambda text: compose(docker(text))]
)
def test_what_others_put_around_a_log_comes_off(form: str, wrap: Callable[[str], str]) -> None:
    text = FORMS[form]()
    # splitlines() cuts at CR, too; a line of a log ends in LF
    lines = re.sub(r"[^\n]*\n", lambda line: wrap(line[0].replace("\r", "\x00")), text).replace("\x00", "\r")
    if wrap is docker_json:
        lines = lines.replace("\\u0000", "\\r")
    assert payloads(lines.encode()) == PAYLOADS


@pytest.mark.parametrize("form", ["client", "debug", "debug on a terminal", "server"])
@pytest.mark.parametrize("line_end", ["\n", "\n\n"])
def test_line_ends_may_have_been_converted(form: str, line_end: str) -> None:
    text = FORMS[form]().replace("\r\n", "\n").replace("\n", line_end)
    assert payloads(text.encode()) == PAYLOADS
    lines = text.split("\n")
    for entry in account_of(text.encode())[0]:
        assert entry.data[:40] in "".join(lines[entry.line - 1 : entry.line + 2]), entry.where


def test_a_byte_order_mark_is_no_octet_of_ours() -> None:
    assert payloads(b"\xef\xbb\xbf" + samples.client().encode()) == PAYLOADS


def test_lines_that_stand_before_the_recording_are_other_lines() -> None:
    entries, account = account_of(b"> app@1.0.0 start\n> node app.js\n\n" + samples.client().encode())
    assert [entry.data for entry in entries] == PAYLOADS
    assert entries[0].line == 4
    assert account.other > 20


def test_an_old_server_counts_code_points_and_is_found_out() -> None:
    text = "".join(f"<===\r\n{samples.frame(payload, len)}\r\n" for down, payload in EXCHANGE if down)
    entries, _ = account_of(text.encode())
    told = [entry.units for entry in entries]
    assert LengthUnit.CODE_POINTS in told[1]
    assert LengthUnit.BYTES not in told[1]
    assert [entry.data for entry in entries] == [PAYLOADS[index] for index in (1, 2, 3, 5)]


def test_an_excess_as_long_as_the_line_ends_before_the_next_frame_is_not_taken_for_white_space() -> None:
    """Four octets more than code points, and four octets of CR LF CR LF at the end."""
    payload = 'x1|sip||\r\nOPTIONS sip:a@b SIP/2.0\r\nFrom: "José 😀" <sip:a@b>\r\n\r\n'
    entries, _ = account_of((samples.frame(payload, len) * 2).encode())
    assert [entry.data.encode("latin-1").decode() for entry in entries] == [payload, payload]


def test_trimmed_line_ends_are_told() -> None:
    text = samples.client().replace("\r\n\r\n\r\n", "\r\n")
    entries, account = account_of(text.encode())
    assert [entry.missing for entry in entries] == [0, 0, 4, 4, 4, 4]
    assert [entry.data for entry in entries] == [payload.removesuffix("\r\n\r\n") for payload in PAYLOADS]
    assert account.damage == 0


def test_a_code_point_that_was_cut_in_two_makes_the_text_longer() -> None:
    payload = samples.received("call01")
    cut = samples.frame(payload).replace("é", "�\r\n<===\r\n�")
    text = f"<===\r\n{cut}\r\n<===\r\n{samples.frame(samples.SENT)}\r\n"
    first, second = account_of(text.encode())[0]
    assert first.units == (LengthUnit.INFLATED,)
    assert first.data.encode("latin-1").decode() == payload.replace("é", "��")
    assert second.data == PAYLOADS[5]


def test_debug_output_changes_what_it_prints_and_loses_no_frame() -> None:
    payload = samples.ANSWER.replace("486 Busy Here", "486 100%% busy")
    text = "".join(
        f"2026-11-23T07:26:06.658Z drachtio:agent {way}{samples.frame(payload).replace('%%', '%')}\n"
        for way in ("wp#send 127.0.0.1:9022 - ", "<===", "<===")
    )
    entries, account = account_of(text.encode())
    assert [entry.units for entry in entries] == [(), (), ()]
    assert all(entry.lossy and "100% busy" in entry.data for entry in entries)
    assert account.damage == 0


def test_several_servers_in_one_log_are_flagged() -> None:
    text = "".join(
        f"2026-11-23T07:26:06.658Z drachtio:agent wp#send {host}:9022 - {samples.frame(samples.AUTHENTICATE)}\n"
        for host in ("a", "b")
    )
    notes = [entry.data for entry in account_of(text.encode())[0] if entry.kind is EntryKind.NOTE]
    assert notes == [
        "connections to a:9022 and b:9022: what is received does not say from which, and may be interleaved"
    ]


def test_interleaved_chunks_are_flagged_and_the_whole_frame_among_them_is_read() -> None:
    one, two = samples.frame(samples.received("call01")), samples.frame(samples.SENT)
    text = f"<===\r\n{one[:200]}\r\n<===\r\n{two}\r\n<===\r\n{one[200:]}\r\n===>\r\n6#p|ping\r\n"
    entries, account = account_of(text.encode())
    assert [entry.data for entry in entries if entry.kind is EntryKind.FRAME] == [PAYLOADS[5], "p|ping"]
    assert any("interleaved" in entry.data for entry in entries if entry.kind is EntryKind.NOTE)
    assert account.damage == len(one.encode()), "every octet of it is named"


def test_the_genuine_servers_sip_trace_loses_its_last_octet() -> None:
    request = samples.invite("call01")
    message = request.replace("Content-Length: 0", "Content-Type: text/plain\r\nContent-Length: 5") + "hello"
    size = len(request.encode())
    log = (
        f"2026-11-23 02:45:25.737411 recv {size} bytes from udp/[127.0.0.1]:21100 at 02:45:25.737326:\n"
        f"{request.removesuffix(chr(10)).removesuffix(chr(13))} \n"
        f"2026-11-23 02:45:25.737509 send {len(message.encode())} bytes to tcp/[::1]:21100 at 02:45:25.737466:\n"
        f"{message[:-1]} \n"
        "2026-11-23 02:45:25.738014 nta.c:6985 incoming_reply() nta: sent 486 Busy Here for INVITE (1)\n"
    )
    first, second = account_of(log.encode())[0]
    assert first.data == request.encode().decode("latin-1")
    assert (first.from_server, first.peer, first.missing) == (False, "udp/127.0.0.1:21100", 0)
    assert second.data.endswith("\r\n\r\nhell")
    assert (second.from_server, second.peer, second.missing) == (True, "tcp/[::1]:21100", 1)


def test_sofias_own_form_of_the_trace_is_read() -> None:
    request = samples.invite("call01")
    rule = "   " + "-" * 72 + "\n"
    indented = "".join(f"   {line}" for line in re.findall(r"[^\n]*\n", request))
    head = "2026-11-23 02:45:25.737411 recv 400 bytes from udp/[127.0.0.1]:5080 at 02:45:25.737326:\n"
    log = f"{head}{rule}{indented}{rule}"
    (entry,) = account_of(log.encode())[0]
    assert entry.data == request.encode().decode("latin-1")


def test_the_reference_servers_sip_trace_is_exact() -> None:
    message = samples.invite("call01") + "a\nb\x00"
    size = len(message.encode())
    log = f"2026-11-23 02:45:25.737411 recv {size} bytes from udp/[127.0.0.1]:5080 at 02:45:25.737326:\n{message} \n"
    (entry,) = account_of(log.encode())[0]
    assert (entry.data, entry.missing) == (message.encode().decode("latin-1"), 0)


DAMAGED = [
    (samples.client()[:-80], "the stream ends within the frame"),
    (samples.client().replace("===>\r\n", "===>\r\n\x00\x01 garbage ", 1), "expected digits and '#'"),
    (
        samples.client().replace(
            samples.frame(samples.AUTHENTICATE), "9" + samples.frame(samples.AUTHENTICATE)
        ),
        "TOO",
    ),
    (samples.winston()[:-30], "line 6: Input data was truncated; the line is cut off"),
    (samples.trace().replace('"text"', '"base64"', 1), "not base64"),
    (samples.bare() + "9999999999#" + "x" * 100, "beyond that of any frame"),
]


@pytest.mark.parametrize(("text", "explanation"), DAMAGED)
def test_damage_is_named_and_the_rest_is_read(text: str, explanation: str) -> None:
    found = damages(text.encode())
    assert len(found) == 1
    if explanation != "TOO":
        assert explanation in found[0]
    assert re.match(r"(line|octet) \d+: ", found[0])
    assert len(payloads(text.encode())) >= 4


def test_invalid_utf8_is_read_as_it_is() -> None:
    payload = b"x|sip||\r\nOPTIONS sip:a@b SIP/2.0\r\nSubject: \xff\xfe\r\n\r\n"
    entries, _ = account_of(b"===>\r\n%d#%s\r\n===>\r\n6#p|ping\r\n" % (len(payload), payload))
    assert [entry.data.encode("latin-1") for entry in entries] == [payload, b"p|ping"]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_whatever_happens_to_a_log_it_is_read_to_its_end_and_accounted_for(
    form: str, data: st.DataObject
) -> None:
    text = bytearray(FORMS[form]().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.sampled_from(["cut", "drop", "noise"])):
            case "cut":
                del text[place : place + data.draw(st.integers(1, 200))]
            case "drop":
                del text[place:]
            case _:
                text[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        text = text or bytearray(b"6#p|ping")
    try:
        entries, account = account_of(bytes(text))
    except NotARecording:
        return
    assert 0 <= account.damage <= account.total
    assert bool(account.damage) <= any(entry.kind is EntryKind.DAMAGE for entry in entries)


SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not part of the repository")
def test_real_logs_are_read_without_damage_and_no_frame_is_missed() -> None:
    """Stands behind the samples above; what it needs is no part of a clone."""
    for path in [*SHARED.glob("wire-logs/*"), *SHARED.glob("evidence/*.log")]:
        data = path.read_bytes()
        entries, account = account_of(data, 4096)
        assert account.damage == 0, path.name
        assert account.decoded == account.total == len(data)
        assert account.wrapping >= 0, path.name
        frames = sum(entry.kind is EntryKind.FRAME for entry in entries)
        seen = len(re.findall(rb"[0-9]{2,3}#[0-9a-f]{8}-|<===3$|<===\\r\\n3\\r|(?m:<===3$)", data))
        split = data.count(b"<===3\n") + data.count(b'"<===\\r\\n3\\r\\n"') + data.count(b"<===3 \x1b")
        assert frames == seen - split or frames == seen, path.name
        traced = len(re.findall(rb"(?m)^[0-9-]{10} [0-9:.]{15} (?:recv|send) [0-9]+ bytes ", data))
        assert sum(entry.kind is EntryKind.SIP for entry in entries) == traced, path.name
