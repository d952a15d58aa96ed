"""SIP on a stream: what pings are answered with, and what leaves."""

from __future__ import annotations

from reference_server.net.stream_framing import StreamFraming

MESSAGE = "OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 1\r\n\r\n\xff"


def test_each_ping_is_answered_once() -> None:
    framing = StreamFraming()
    framing.feed(b"\r\n\r\n\r\n\r\n" + MESSAGE.encode("latin-1"))
    assert framing.next_message() == MESSAGE
    assert framing.take_replies() == b"\r\n\r\n"
    assert framing.take_replies() == b""


def test_a_message_leaves_as_it_is() -> None:
    assert StreamFraming().encode(MESSAGE) == MESSAGE.encode("latin-1")
