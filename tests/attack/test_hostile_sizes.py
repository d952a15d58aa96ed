"""Time that input costs: what is linear takes moments at these sizes, what is quadratic takes minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import SipSyntaxError, parse_message
from reference_server.sip.messages.stream import StreamFramer
from reference_server.wire.framing import FrameDecoder
from tests.core.world import World

MIB = 1024 * 1024
HEAD = (
    "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1\r\n"
    "From: <sip:alice@127.0.0.1>;tag=f\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: large\r\nCSeq: 1 OPTIONS\r\n"
)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Processor time of this process, so that busy neighbours do not matter."""
    start = time.process_time()
    yield
    assert time.process_time() - start < seconds


def test_16_mib_in_small_pieces() -> None:
    decoder = FrameDecoder(16 * MIB)
    piece = b"x" * 64
    with within(5):
        decoder.feed(b"16777216#")
        for _ in range(16 * MIB // len(piece) - 1):
            decoder.feed(piece)
            assert decoder.next_frame() is None
            assert decoder.incomplete
        decoder.feed(piece + b"8#id1|ping4")
        payload = decoder.next_frame()
    assert payload is not None
    assert len(payload) == 16 * MIB
    assert decoder.next_frame() == "id1|ping"
    assert decoder.next_frame() is None
    decoder.feed(b"#abcd")
    assert decoder.next_frame() == "abcd"


def test_a_stream_of_one_octet_pieces() -> None:
    framer = StreamFramer()
    with within(5):
        for octet in (HEAD + "X: " + "y" * 60_000).encode():
            framer.feed(bytes([octet]))
            assert framer.next_message() is None


@pytest.mark.parametrize(
    "line", ["Allow: a\r\n", "Contact: <sip:a@b>\r\n", "X: 1\r\n", "Subject: a\r\n", "a\n"]
)
def test_many_header_lines_of_an_application(line: str) -> None:
    with within(2):
        parse_draft("SIP/2.0 200 OK\r\n" + line * (MIB // len(line)) + "\r\n", "127.0.0.1:5060").lines()


def test_merged_headers_keep_their_order() -> None:
    draft = parse_draft("SIP/2.0 200 OK\r\nAllow: a\r\nSupported: x\r\nAllow: b\r\nAllow: c\r\n\r\n", "")
    assert draft.lines() == "Allow: a, b, c\r\nSupported: x\r\nContent-Length: 0\r\n"
    assert draft.get("allow") == "a, b, c"


UNITS = [
    *(
        "\r",
        "\n",
        "\r\n",
        "\n\r",
        "\r\r\n ",
        " ",
        "\t",
        ";",
        ",",
        "<",
        ">",
        '"',
        "\\",
        '\\"',
        ";a",
        ";a=",
        ';a="',
        "%41",
    ),
    *(";tag", ";tag = ", ";rport ", ";received=", ";branch=", "a:\n", "v:x\n", "Via: SIP/2.0/UDP h\r\n"),
    *(
        "Record-Route: <sip:a;lr>, <sip:b;lr>\r\n",
        "Contact: <sip:a@b>\r\n",
        "To: <sip:bob@127.0.0.1>\r\n",
        "l:0\n",
        "1",
    ),
]
NAMES = [
    "From: <sip:a@b>",
    "To: ",
    "Contact: ",
    "Via: SIP/2.0/UDP h",
    "CSeq: 1",
    "Record-Route: ",
    "X: ",
    "Expires: 1",
]


@pytest.mark.parametrize("unit", UNITS)
def test_no_message_takes_long(unit: str) -> None:
    world = World()
    application = world.application("options")
    with within(4):
        for name in NAMES:
            value = unit * (64_000 // len(unit))
            line = name.partition(":")[0]
            kept = [kept for kept in HEAD.split("\r\n") if kept and not kept.startswith(f"{line}:")]
            for text in (f"{name}{value}", f"{name}{value}!", f'{name}"{value}'):
                world.receive("\r\n".join([*kept, text]) + "\r\n\r\n")
    application.leave()
    world.check_empty()


@pytest.mark.parametrize("unit", UNITS)
def test_no_datagram_takes_long(unit: str) -> None:
    with within(1):
        for text in (
            unit * (64_000 // len(unit)),
            f"SIP/2.0 200 {unit * 30_000}",
            f"A {unit * 30_000} SIP/2.0\r\n\r\n",
        ):
            try:
                parse_message(text)
            except SipSyntaxError:
                continue
