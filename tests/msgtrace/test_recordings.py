"""Recordings in every form that is read, whole and damaged."""

from __future__ import annotations

import bz2
import json
import lzma
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.frames import LengthUnit
from msgtrace.recordings import Entry, EntryKind, NotARecording, read

AUTHENTICATE = b"14#a|authenticate"
PING = b"6#p|ping"
CLIENT_LOG = b"===>\r\n6#p|ping\r\n<===\r\n20#u|response|p|OK|pong\r\n"


def entries(data: bytes) -> list[Entry]:
    """All entries of a recording."""
    return list(read(data))


def test_a_bare_stream_has_places_but_no_directions() -> None:
    found = entries(b"6#p|ping20#u|response|p|OK|pong")
    assert [(entry.data, entry.where, entry.from_server) for entry in found] == [
        ("p|ping", "octet 0", None),
        ("u|response|p|OK|pong", "octet 8", None),
    ]


def test_a_client_log_has_directions_and_lines() -> None:
    found = entries(CLIENT_LOG)
    assert [(entry.data, entry.where, entry.from_server) for entry in found] == [
        ("p|ping", "line 1", False),
        ("u|response|p|OK|pong", "line 3", True),
    ]


def test_records_of_a_client_log_may_hold_parts_of_frames_or_many() -> None:
    log = b"<===\r\n20#u|resp\r\n===>\r\n6#p|ping\r\n<===\r\nonse|p|OK|pong6#v|ping7\r\n<===\r\n#w|pings\r\n"
    found = entries(log)
    assert [(entry.data, entry.where) for entry in found] == [
        ("p|ping", "line 3"),
        ("u|response|p|OK|pong", "line 1"),
        ("v|ping", "line 5"),
        ("w|pings", "line 5"),
    ]


def test_connections_of_a_client_log_are_streams_of_their_own() -> None:
    log = b"<===[A]\r\n20#u|resp\r\n<===[B]\r\n6#b|ping\r\n<===[A]\r\nonse|p|OK|pong\r\n"
    assert [(entry.connection, entry.data) for entry in entries(log)] == [
        ("B", "b|ping"),
        ("A", "u|response|p|OK|pong"),
    ]


def test_a_log_whose_line_ends_were_converted_is_read() -> None:
    message = b"x|sip||\r\nOPTIONS sip:a@b SIP/2.0\r\nX: 1\r\n\r\n"
    log = b"===>\n%d#%s\n===>\n6#p|ping\n" % (len(message), message.replace(b"\r\n", b"\n"))
    found = entries(log)
    assert found[0].data.encode("latin-1") == message
    assert found[0].units[0] is LengthUnit.BYTES
    assert found[1].data == "p|ping"


def test_a_listing_in_a_document_stands_behind_the_arrow_and_ends_before_the_prose() -> None:
    document = (
        b"Prose\n\n===>6#p|ping\n\nNote: ===> is an arrow.\n<===20#u|response|p|OK|pong\n\n56# is prose\n"
    )
    assert [(entry.data, entry.where, entry.length) for entry in entries(document)] == [
        ("p|ping", "line 3", 6),
        ("u|response|p|OK|pong", "line 6", 20),
    ]


def test_a_listing_may_spell_out_its_line_ends() -> None:
    document = b"<===35#u|sip|\\r\\n\nOPTIONS x SIP/2.0\\r\\nA: 1\\r\\n\n\\r\\n\n\nWe see that\n"
    (entry,) = entries(document)
    assert entry.data == "u|sip|\r\nOPTIONS x SIP/2.0\r\nA: 1\r\n\r\n"
    assert entry.units == (LengthUnit.BYTES,)


def test_a_listing_whose_length_is_wrong_is_shown_all_the_same() -> None:
    (entry,) = entries(b"<===99#u|response|p|OK\n\n")
    assert (entry.kind, entry.length, entry.data, entry.units) == (EntryKind.FRAME, 99, "u|response|p|OK", ())


@pytest.mark.parametrize(
    ("data", "where", "explanation"),
    [
        (b"6#p|ping12#x|ping", "octet 8", "ends within the frame at octet 8"),
        (b"6#p|ping\x00\x01\x02", "octet 8", "expected digits and '#' at octet 8"),
        (CLIENT_LOG + b"===>\r\n99#q|ping\r\n", "line 5", "ends within the frame"),
        (b"===>hello\n", "line 1", "expected digits and '#' behind the arrow, got 'hello'"),
    ],
)
def test_damage_names_its_place(data: bytes, where: str, explanation: str) -> None:
    damage = next(entry for entry in read(data) if entry.kind is EntryKind.DAMAGE)
    assert damage.where == where
    assert explanation in damage.data


@pytest.mark.parametrize("data", [b"\x7fELF\x02", b"hello", b"-5#x", b"#", b"<xml/>"])
def test_what_is_no_recording_is_refused_with_its_first_octets(data: bytes) -> None:
    with pytest.raises(NotARecording, match=r"got .* at octet 0"):
        entries(data)


@pytest.mark.parametrize(("compress", "command"), [(lzma.compress, "xz -dc"), (bz2.compress, "bzip2 -dc")])
def test_what_is_compressed_otherwise_is_told_with_the_command_that_helps(
    compress: Callable[[bytes], bytes], command: str
) -> None:
    with pytest.raises(NotARecording, match=f"not read as it is; try: {command} FILE"):
        entries(compress(CLIENT_LOG))


def test_an_empty_recording_has_no_entries() -> None:
    assert entries(b"") == entries(b"\r\n ") == []


TRACE = [
    {
        "kind": "start",
        "time": "2026-11-23T07:44:09.000000Z",
        "format": 1,
        "server": "v0.9.5-ref.0.2.0",
        "pid": 7,
    },
    {
        "kind": "event",
        "time": "2026-11-23T07:44:09.1Z",
        "name": "admin-connected",
        "details": {"connection": 1},
    },
    {
        "kind": "frame",
        "time": "2026-11-23T07:44:09.2Z",
        "connection": 1,
        "direction": "received",
        "octets": 7,
        "text": "é|ping",
    },
    {
        "kind": "sip",
        "time": "2026-11-23T07:44:09.3Z",
        "direction": "sent",
        "transport": "udp",
        "remote": "127.0.0.1:5080",
        "local": "127.0.0.1:5060",
        "octets": 3,
        "base64": "U/8K",
    },
]


def trace(*lines: object) -> bytes:
    """A server's trace file."""
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_the_servers_trace_is_read() -> None:
    start, event, frame, message = entries(trace(*TRACE))
    assert (start.kind, start.data) == (EntryKind.NOTE, "server v0.9.5-ref.0.2.0 started")
    assert event.data == "admin-connected connection=1"
    assert (frame.connection, frame.from_server, frame.data) == ("1", False, "\xc3\xa9|ping")
    assert (message.from_server, message.peer, message.data) == (True, "udp/127.0.0.1:5080", "S\xff\n")


def test_a_cut_off_line_of_the_servers_trace_is_named() -> None:
    found = entries(trace(*TRACE)[:-40])
    assert [entry.kind for entry in found].count(EntryKind.DAMAGE) == 1
    assert found[-1].where == "line 4"
    assert "cut off" in found[-1].data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (trace(TRACE[0] | {"format": 2}), "expected format 1 or older, got 2"),  # type: ignore[operator]
        (b'{"a": 1}\n', "line 1: JSON, but not a line of the server's trace"),
        (b"{\xff}", "line 1: JSON, but not a line"),
    ],
)
def test_other_json_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(NotARecording, match=message):
        entries(data)


@settings(deadline=None)  # reading a capture loads scapy
@given(st.binary(max_size=200))
def test_no_octets_make_the_reader_fail(noise: bytes) -> None:
    for data in (noise, b"6#p|ping" + noise, b"===>\r\n" + noise, b"<===9#" + noise, trace(*TRACE) + noise):
        with suppress(NotARecording):
            assert all(entry.where for entry in read(data))
