"""SIP in a WebSocket without a socket: our end against the library's other end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from reference_server.net.websocket import LARGEST, WebSocketFraming
from reference_server.sip.messages.stream import StreamError

MESSAGE = "OPTIONS sip:a@h SIP/2.0\r\nCall-ID: caf\xc3\xa9\r\n\r\n"


class Browser:
    """The library's client, and our end of the connection."""

    def __init__(self, *subprotocols: str, origin: str = "") -> None:
        self.ours = WebSocketFraming.accepted()
        offered = [Subprotocol(one) for one in subprotocols]
        self.theirs = ClientProtocol(parse_uri("ws://127.0.0.1/any/path"), subprotocols=offered or None)
        request = self.theirs.connect()
        if origin:
            request.headers["Origin"] = origin
        self.theirs.send_request(request)

    def exchange(self, step: int = 1 << 24) -> list[Frame]:
        """All that waits on either side crosses; the frames that came to the browser."""
        octets = b"".join(self.theirs.data_to_send())
        for at in range(0, len(octets), step):
            self.ours.feed(octets[at : at + step])
        if replies := self.ours.take_replies():
            self.theirs.receive_data(replies)
        return [event for event in self.theirs.events_received() if isinstance(event, Frame)]

    def messages(self) -> list[str]:
        found = []
        while (message := self.ours.next_message()) is not None:
            found.append(message)
        return found


@pytest.mark.parametrize("step", [1, 13, 1 << 24])
def test_messages_there_and_back(step: int) -> None:
    browser = Browser("sip", origin="https://shop.example.com")
    browser.exchange(step)
    assert browser.ours.ready
    assert browser.theirs.subprotocol == "sip"
    assert browser.ours.origin == "https://shop.example.com"
    browser.theirs.send_text(MESSAGE.encode("latin-1"))
    browser.theirs.send_binary(b"binary \xff")
    browser.exchange(step)
    assert browser.messages() == [MESSAGE, "binary \xff"]
    assert browser.ours.unfinished == 0
    browser.theirs.receive_data(browser.ours.encode(MESSAGE) + browser.ours.encode("no utf-8 \xff"))
    text, binary = browser.exchange()
    assert (text.opcode, bytes(text.data)) == (Opcode.TEXT, MESSAGE.encode("latin-1"))
    assert (binary.opcode, bytes(binary.data)) == (Opcode.BINARY, b"no utf-8 \xff")


def test_a_message_in_pieces_with_a_ping_between(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser("sip")
    browser.exchange()
    octets = MESSAGE.encode("latin-1")
    browser.theirs.send_text(octets[:10], fin=False)
    browser.theirs.send_ping(b"still there?")
    browser.theirs.send_continuation(octets[10:20], fin=False)
    (pong,) = browser.exchange()
    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"still there?")
    assert browser.messages() == []
    assert browser.ours.unfinished == 20
    browser.theirs.send_continuation(octets[20:], fin=True)
    browser.exchange()
    assert browser.messages() == [MESSAGE]
    assert browser.ours.unfinished == 0


def test_pings_of_sip_are_answered_and_are_no_messages() -> None:
    browser = Browser("sip")
    browser.exchange()
    for ping in (b"\r\n\r\n", b"\r\n", b""):
        browser.theirs.send_text(ping)
    (pong,) = browser.exchange()
    assert bytes(pong.data) == b"\r\n"
    assert browser.messages() == []


def test_who_offers_no_subprotocol_is_served() -> None:
    browser = Browser()
    browser.exchange()
    assert browser.ours.ready
    assert browser.theirs.subprotocol is None


def test_who_offers_only_others_is_refused() -> None:
    browser = Browser("xmpp", "mqtt")
    browser.exchange()
    assert not browser.ours.ready
    assert browser.ours.ended
    with pytest.raises(StreamError, match="expected the subprotocol 'sip', got xmpp, mqtt"):
        browser.ours.next_message()


@pytest.mark.parametrize(
    "octets",
    [
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_no_handshake_is_refused(octets: bytes) -> None:
    framing = WebSocketFraming.accepted()
    framing.feed(octets)
    assert not framing.ready
    with pytest.raises(StreamError, match=r"^expected a WebSocket handshake, got "):
        framing.next_message()
    assert framing.ended


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x81\x05hello", "incorrect masking"),
        (b"\xc1\x80\0\0\0\0", "reserved bits must be 0"),
        (b"\x83\x80\0\0\0\0", "invalid opcode"),
        (b"\x81\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", "frame with .* exceeds limit|over size limit|too big"),
        (b"\x80\x80\0\0\0\0", "unexpected continuation frame"),
    ],
)
def test_frames_that_are_none_end_it(octets: bytes, reason: str) -> None:
    browser = Browser("sip")
    browser.exchange()
    browser.ours.feed(octets)
    with pytest.raises(StreamError, match=reason):
        browser.ours.next_message()
    browser.exchange()
    assert browser.theirs.state is not State.OPEN, "the browser was told"


def test_a_message_that_is_too_large_ends_it_before_it_has_come() -> None:
    browser = Browser("sip")
    browser.exchange()
    browser.theirs.send_binary(b"x" * LARGEST, fin=False)
    browser.exchange()
    assert browser.messages() == []
    browser.theirs.send_continuation(b"x", fin=True)
    browser.exchange()
    with pytest.raises(StreamError, match=r"limit|size"):
        browser.ours.next_message()


def test_the_end_is_told_either_way() -> None:
    browser = Browser("sip")
    browser.exchange()
    browser.theirs.send_close(1000)
    browser.exchange()
    assert browser.ours.ended
    other = Browser("sip")
    other.exchange()
    other.theirs.receive_data(other.ours.end())
    assert other.theirs.close_rcvd is not None
    assert other.theirs.close_rcvd.code == 1001


def test_what_came_before_the_goodbye_is_read_and_not_answered() -> None:
    browser = Browser("sip")
    browser.exchange()
    browser.theirs.send_text(MESSAGE.encode("latin-1"))
    browser.theirs.send_text(b"\r\n\r\n")
    browser.theirs.send_close(1000)
    browser.ours.feed(b"".join(browser.theirs.data_to_send()))
    assert browser.ours.next_message() == MESSAGE
    assert browser.ours.encode(MESSAGE) == b""
    assert browser.ours.next_message() is None
    assert browser.ours.ended


def test_two_of_our_ends() -> None:
    client, server = WebSocketFraming.connected("::1", 8080), WebSocketFraming.accepted()
    server.feed(client.take_replies())
    client.feed(server.take_replies())
    assert client.ready
    assert server.ready
    server.feed(client.encode(MESSAGE))
    assert server.next_message() == MESSAGE
    client.feed(server.encode(MESSAGE))
    assert client.next_message() == MESSAGE


_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\x81\x82\0\0\0\0hi", b"\x01\x81\0\0\0\0h", b"\x80\x81\0\0\0\0i", b"\x88\x80\0\0\0\0"]),
    st.sampled_from([b"\x89\x80\0\0\0\0", b"\x81\xfe\x00\x80\0\0\0\0", b"\r\n\r\n", _HANDSHAKE]),
)


@given(st.booleans(), st.lists(_PIECES, max_size=8))
def test_whatever_comes_nothing_is_raised_but_stream_errors(shaken: bool, pieces: list[bytes]) -> None:
    framing = WebSocketFraming.accepted()
    if shaken:
        framing.feed(_HANDSHAKE)
        assert framing.ready
    for piece in pieces:
        framing.feed(piece)
        framing.take_replies()
        assert framing.unfinished >= 0
        try:
            while framing.next_message() is not None:
                pass
        except StreamError:
            return  # the connection is closed then
