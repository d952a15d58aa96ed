"""The trace file: every line fits the published schema, octets survive."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.jsonl import FLUSH_AFTER, JsonlTrace, TraceFileError
from reference_server.sip.transport import TCP, UDP

SCHEMA = Path(__file__).parents[2] / "docs" / "trace.schema.json"
AT = 1795419925.737411

Line = dict[str, object]


class Later:
    """Stands for the loop's timer: the test decides when it is due."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.calls.append((seconds, callback))


def trace(path: Path, later: Later | None = None) -> JsonlTrace:
    return JsonlTrace(str(path), "v0.9.5-ref.0", later or Later(), wall=lambda: AT)


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


def test_lines_are_written_once_a_second(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    later = Later()
    writer = trace(path, later)
    for _ in range(3):
        writer.event("x")
    assert path.read_bytes() == b""
    ((seconds, flush),) = later.calls
    assert seconds == FLUSH_AFTER == 1.0
    flush()
    assert len(lines(path)) == 3
    writer.event("y")
    assert len(later.calls) == 2
    writer.close()
    assert len(lines(path)) == 4


def test_much_is_written_earlier(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    writer = trace(path)
    writer.frame(1, True, "x" * 300_000)
    assert len(lines(path)) == 1
    writer.close()


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_trace_and_not_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    writer = trace(Path("/dev/full"))
    writer.flush()
    writer.event("x")
    writer.close()
    assert capsys.readouterr().err == "the trace ends, cannot write to /dev/full: No space left on device\n"
