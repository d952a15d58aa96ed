"""SIP over WebSocket in captures; the octets are made by the library that servers use."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from msgtrace.entries import EntryKind
from msgtrace.readers.websocket_stream import LIMIT, WebSocketStream, begins
from msgtrace.recordings import read
from tests.msgtrace.call_set import ETHERNET
from tests.msgtrace.samples import busy, invite
from tests.msgtrace.test_capture import pcap

ASKED, ANSWERED = invite("ws1").encode(), busy("ws1").encode()


def conversation(*, compressed: bool = False, fragments: int = 1) -> list[tuple[bool, bytes]]:
    """What the client (False) and the server (True) write, handshake and end included."""
    client = ClientProtocol(
        parse_uri("ws://sip.example.com/"),
        subprotocols=["sip"],  # type: ignore[list-item]
        extensions=[ClientPerMessageDeflateFactory()] if compressed else None,
    )
    server = ServerProtocol(
        subprotocols=["sip"],  # type: ignore[list-item]
        extensions=[ServerPerMessageDeflateFactory()] if compressed else None,
    )
    written: list[tuple[bool, bytes]] = []

    def pass_on() -> None:
        for down, one, other in ((False, client, server), (True, server, client)):
            data = b"".join(one.data_to_send())
            if data:
                written.append((down, data))
                other.receive_data(data)

    client.send_request(client.connect())
    pass_on()
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    pass_on()
    client.send_text(b"\r\n\r\n")
    if fragments == 1:
        client.send_text(ASKED)
    else:
        size = -(-len(ASKED) // fragments)
        parts = [ASKED[start : start + size] for start in range(0, len(ASKED), size)]
        client.send_text(parts[0], fin=False)
        for number, part in enumerate(parts[1:], 2):
            client.send_ping(b"between")
            client.send_continuation(part, fin=number == len(parts))
    pass_on()
    server.send_binary(ANSWERED)
    pass_on()
    client.send_close(1000)
    pass_on()
    return written


def packets(written: list[tuple[bool, bytes]], size: int = 300) -> list[Packet]:
    """Segments of a connection to port 8080."""
    place: dict[bool, int] = {False: 1, True: 1}
    made: list[Packet] = []
    for down, data in written:
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            ends = (
                (("192.0.2.1", 8080), ("192.0.2.9", 40000))
                if down
                else (("192.0.2.9", 40000), ("192.0.2.1", 8080))
            )
            (source, sport), (target, dport) = ends
            segment = TCP(sport=sport, dport=dport, seq=place[down], ack=place[not down], flags="PA")
            made.append(ETHERNET / IP(src=source, dst=target) / segment / Raw(piece))
            place[down] += len(piece)
    return made


def sip(data: bytes) -> list[tuple[str, bytes]]:
    return [(one.source, one.data.encode("latin-1")) for one in read(data) if one.kind is EntryKind.SIP]


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("size", [300, 9000])
def test_messages_of_both_sides(fragments: int, size: int) -> None:
    found = sip(pcap(packets(conversation(fragments=fragments), size)))
    assert found == [("ws/192.0.2.9:40000", ASKED), ("ws/192.0.2.1:8080", ANSWERED)]


def test_octet_by_octet() -> None:
    stream = WebSocketStream()
    octets = b"".join(data for down, data in conversation(fragments=3) if not down)
    found = [stream.feed(octets[place : place + 1]) for place in range(len(octets))]
    assert [text for messages, _ in found for text in messages] == [ASKED]
    assert not any(unread for _, unread in found)
    assert stream.rest() == 0


def test_a_capture_that_begins_behind_the_handshake() -> None:
    client, server = ([data for down, data in conversation() if down is side] for side in (False, True))
    later = [(False, client[1][10:]), (True, server[1])]  # the keep-alive has 10 octets
    assert [text for _, text in sip(pcap(packets(later)))] == [ASKED, ANSWERED]


def test_compressed_messages_are_told() -> None:
    found = list(read(pcap(packets(conversation(compressed=True)))))
    assert not [entry for entry in found if entry.kind is EntryKind.SIP]
    assert "are no SIP message" in "".join(entry.data for entry in found if entry.kind is EntryKind.DAMAGE)


def test_what_has_no_end_is_told_and_nothing_waits_for_ever() -> None:
    stream = WebSocketStream()
    assert stream.feed(b"\x81\x7e\xff\xff" + b"x" * 10) == ([], 0)
    assert stream.rest() == 14
    stream = WebSocketStream()
    head = b"\x81\x7f" + (1 << 40).to_bytes(8)
    assert stream.feed(head + b"x" * LIMIT) == ([], LIMIT + 10)


@pytest.mark.parametrize(
    "data", [b"", b"\x81", b"\x81\x05hello", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_websocket(data: bytes) -> None:
    assert not begins(data)
