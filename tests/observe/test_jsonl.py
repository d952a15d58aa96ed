"""The trace file: every line fits the published schema, octets survive."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.credentials import without_credentials
from reference_server.observe.jsonl import JsonlTrace, TraceFile, TraceFileError
from reference_server.sip.transport import TCP, UDP

SCHEMA = Path(__file__).parents[2] / "docs" / "trace.schema.json"
AT = 1795419925.737411

Line = dict[str, object]


def trace(path: Path) -> JsonlTrace:
    return JsonlTrace(str(path), "v0.9.9-ref.0", wall=lambda: AT)


def lines(path: Path) -> list[Line]:
    """The lines behind the first, each checked against the schema."""
    records: list[Line] = [json.loads(line) for line in path.read_text().splitlines()]
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for record in records:
        validator.validate(record)
    assert records[0]["kind"] == "start"
    return records[1:]


def flow(remote: str = "127.0.0.1", connection: int = 0) -> Flow:
    local = Endpoint(UDP, remote, 5060, remote, f"sip:{remote}:5060")
    return Flow(TCP if connection else UDP, remote, 21100, local, connection)


def test_frames_messages_and_events(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    writer = trace(path)
    writer.frame(7, False, "id|ping")
    writer.frame(7, True, "u|response|id|OK|pong")
    writer.sip(False, flow(), "OPTIONS sip:x SIP/2.0\r\n\r\n")
    writer.sip(True, flow("::1", 4), "SIP/2.0 200 OK\r\n\r\n")
    writer.event("admin-closed", connection=7, reason="1–8 digits", sent="caf\xc3\xa9")
    writer.close()
    at = "2026-11-23T07:45:25.737411Z"
    assert lines(path) == [
        {
            "kind": "frame",
            "time": at,
            "connection": 7,
            "direction": "received",
            "octets": 7,
            "text": "id|ping",
        },
        {
            "kind": "frame",
            "time": at,
            "connection": 7,
            "direction": "sent",
            "octets": 21,
            "text": "u|response|id|OK|pong",
        },
        {
            "kind": "sip",
            "time": at,
            "direction": "received",
            "transport": "udp",
            "remote": "127.0.0.1:21100",
            "local": "127.0.0.1:5060",
            "octets": 25,
            "text": "OPTIONS sip:x SIP/2.0\r\n\r\n",
        },
        {
            "kind": "sip",
            "time": at,
            "direction": "sent",
            "transport": "tcp",
            "remote": "[::1]:21100",
            "local": "[::1]:5060",
            "connection": 4,
            "octets": 18,
            "text": "SIP/2.0 200 OK\r\n\r\n",
        },
        {
            "kind": "event",
            "time": at,
            "name": "admin-closed",
            "details": {"connection": 7, "reason": "1–8 digits", "sent": "café"},
        },
    ]


@pytest.mark.parametrize(
    "octets", [b"caf\xc3\xa9 \xf0\x9f\x98\x80", b"\x00\x1b\r\n", b"\xff\xfe", b"caf\xe9", b""]
)
def test_octets_survive_as_text_or_as_base64(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "t.jsonl"
    writer = trace(path)
    writer.sip(False, flow(), octets.decode("latin-1"))
    writer.frame(1, True, octets.decode("latin-1"))
    writer.close()
    for record in lines(path):
        text, base64 = record.get("text"), record.get("base64")
        assert (text is None) != (base64 is None)
        back = str(text).encode() if base64 is None else b64decode(str(base64))
        assert back == octets
        assert record["octets"] == len(octets)


def test_a_second_run_appends(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for _ in range(2):
        trace(path).close()
    assert [line["kind"] for line in lines(path)] == ["start"]


def test_a_file_that_cannot_be_opened_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError) as raised:
        trace(tmp_path / "none" / "t.jsonl")
    assert (
        str(raised.value) == f"cannot open the trace file {tmp_path}/none/t.jsonl: No such file or directory"
    )


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    trace(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    trace(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_masked_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    writer = JsonlTrace(str(path), "v", mask=without_credentials, wall=lambda: AT)
    header = "Authorization: Digest a\r\n"
    writer.sip(False, flow(), f"REGISTER sip:x SIP/2.0\r\n{header}\r\n")
    writer.frame(1, True, f"u|sip|…\r\nREGISTER sip:x SIP/2.0\r\n{header}\r\n".encode().decode("latin-1"))
    writer.close()
    assert all("Authorization: Digest *\r\n\r\n" in str(line["text"]) for line in lines(path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    file = TraceFile("/dev/full")
    file.write(b"{}\n", AT)
    file.write(b"{}\n", AT)
    file.close()
    expected = "cannot write to the trace file /dev/full: No space left on device\n"
    assert capsys.readouterr().err == expected


@contextmanager
def largest_file(octets: int) -> Iterator[None]:
    """No file of this process may grow beyond that: writing more fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_when_there_is_room_again_it_goes_on_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.jsonl"
    file = TraceFile(str(path))
    file.write(b'{"n":1}\n', AT)
    with largest_file(12):
        file.write(b'{"n":2}\n{"n":3}\n', AT)  # some of it would fit
        file.write(b'{"n":4}\n', AT)
    assert path.read_bytes() == b'{"n":1}\n', "no half line is left"
    file.write(b'{"n":5}\n', AT)
    file.close()
    first, gap, last = [json.loads(line) for line in path.read_text().splitlines()]
    assert (first, last) == ({"n": 1}, {"n": 5})
    assert gap == {
        "kind": "event",
        "time": "2026-11-23T07:45:25.737411Z",
        "name": "trace-gap",
        "details": {"lines": 3, "reason": "the file could not be written to"},
    }
    assert capsys.readouterr().err.splitlines() == [
        f"cannot write to the trace file {path}: File too large",
        f"the trace file {path} is written to again, 3 lines are missing",
    ]


def test_a_pipe_that_nobody_reads_loses_lines_and_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = trace(path)
    for number in range(400):
        writer.frame(number, True, "x" * 50_000)
    os.set_blocking(reading, True)
    closing = threading.Thread(target=writer.close)
    closing.start()
    octets = b""
    while piece := os.read(reading, 1 << 20):
        octets += piece
    closing.join(10)
    os.close(reading)
    records = [json.loads(line) for line in octets.splitlines()]
    missed = sum(record["details"]["lines"] for record in records if record["kind"] == "event")
    assert missed > 0
    assert missed + sum(record["kind"] == "frame" for record in records) == 400
