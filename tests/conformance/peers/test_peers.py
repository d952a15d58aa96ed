"""The suite's own applications and SIP endpoints, against sockets of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachtio_conformance.peers.admin_peer import AdminPeer, ConnectFailed, cut
from drachtio_conformance.peers.channel import Bell, Channel, Closed, NothingCame
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_compose import Changes, compose, computed_length, status_line
from drachtio_conformance.peers.sip_peer import SipPeer, SipStateError
from drachtio_conformance.peers.sip_transport import Received, StreamEndpoint, UdpEndpoint
from drachtio_conformance.peers.stream_framing import StreamFramer
from drachtio_conformance.peers.variables import Variables
from msgtrace import sip
from msgtrace.frames import Frame
from tests.conformance.small_server import SmallTarget
from tests.serving import serving

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10):
            result = await work
        for _ in range(3):
            await asyncio.sleep(0)  # closed transports let go of their sockets in the loop's next turns
        return result

    return asyncio.run(bounded())


# channel


def test_what_comes_is_taken_in_order() -> None:
    async def story() -> list[int]:
        channel: Channel[int] = Channel()
        asyncio.get_running_loop().call_soon(channel.put, 1)
        first = await channel.take(5)
        for number in (2, 3, 4):
            channel.put(number)
        found = await channel.take_first(lambda number: number == 3, 5)
        channel.put_back(0)
        return [
            first,
            found,
            await channel.take(5),
            await channel.take(5),
            await channel.take(5),
            len(channel),
        ]

    assert run(story()) == [1, 3, 0, 2, 4, 0]


def test_a_wait_ends_at_its_deadline() -> None:
    async def story() -> None:
        await Channel[int]().take(0.01)

    with pytest.raises(NothingCame, match=r"nothing came within 0.01 s"):
        run(story())


def test_one_bell_serves_several_channels() -> None:
    async def story() -> int:
        bell = Bell()
        one, two = Channel[int](bell), Channel[int](bell)
        asyncio.get_running_loop().call_soon(two.put, 2)
        return await bell.until(lambda: one.find(bool) or two.find(bool), 5)

    assert run(story()) == 2


# admin peer


@pytest.mark.parametrize(
    ("split", "pieces"),
    [(None, [b"abcd"]), ("every-byte", [b"a", b"b", b"c", b"d"]), ([3, 1, 9, 0], [b"a", b"bc", b"d"])],
)
def test_octets_are_cut(split: list[int] | None, pieces: list[bytes]) -> None:
    assert cut(b"abcd", split) == pieces


def test_an_application_is_answered_however_it_cuts_its_frames() -> None:
    async def story() -> tuple[list[object], list[str]]:
        server = await SmallTarget().start(None)
        recorder = Recorder()
        peer = AdminPeer("app", recorder)
        await peer.connect(*server.endpoints.admin, seconds=2)
        await peer.send_message("1|ping", split="every-byte")
        await peer.send_octets("6#2|ping6#3|ping", split=[3])
        came = [await peer.incoming.take(2) for _ in range(3)]
        await peer.send_message("4|nonsense")
        came += [await peer.incoming.take(2), await peer.incoming.take(2)]
        await server.stop()
        return list(came), [event.summary for event in recorder.events]

    came, summaries = run(story())
    assert [item.payload.split("|")[2:] for item in came if isinstance(item, Frame)] == [
        ["1", "OK", "pong"],
        ["2", "OK", "pong"],
        ["3", "OK", "pong"],
        ["4", "NO", "Unknown message type"],
    ]
    assert came[-1] == Closed(reset=False)
    assert summaries[0] == "connected"
    assert summaries[1] == "ping"
    assert summaries[-1] == "closed by the server"


def test_a_frame_that_is_kept_back_leaves_in_one_segment_with_the_next() -> None:
    async def story() -> list[bytes]:
        segments: asyncio.Queue[bytes] = asyncio.Queue()

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(1000):
                segments.put_nowait(data)
            writer.close()

        async with serving(keep) as port:
            peer = AdminPeer("app", Recorder())
            await peer.connect("127.0.0.1", port, seconds=2)
            await peer.send_message("1|ping", with_next=True)
            await peer.send_message("2|ping")
            came = [await segments.get()]
            await peer.send_message("3|ping")
            came.append(await segments.get())
            await peer.leave(2)
        return came

    assert run(story()) == [b"6#1|ping6#2|ping", b"6#3|ping"]


def test_a_refused_connection_says_where() -> None:
    async def story() -> None:
        server = await SmallTarget().start(None)
        await server.stop()
        await AdminPeer("app", Recorder()).connect(*server.endpoints.admin, seconds=2)

    with pytest.raises(ConnectFailed, match=r"no connection to 127\.0\.0\.1:\d+"):
        run(story())


def test_leaving_waits_until_the_server_has_seen_it() -> None:
    async def story() -> bool:
        server = await SmallTarget().start(None)
        peer = AdminPeer("app", Recorder())
        await peer.connect(*server.endpoints.admin, seconds=2)
        await peer.leave(2)
        await server.stop()
        return peer.closed and len(peer.incoming) == 0

    assert run(story())


# messages


def test_defaults_are_replaced_in_place_and_others_added_before_the_length() -> None:
    raw = compose(
        "BYE sip:x SIP/2.0",
        [("Via", "v"), ("From", "f"), ("To", "t")],
        Changes((("FROM", "g"), ("X-A", "1"), ("X-A", "2")), ("To",)),
        body="body",
    )
    assert (
        raw == "BYE sip:x SIP/2.0\r\nVia: v\r\nFROM: g\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\nbody"
    )


def test_the_length_can_be_wrong_or_missing() -> None:
    assert "l: 99" in compose("BYE sip:x SIP/2.0", [], Changes((("l", "99"),)), body="")
    assert "ength" not in compose("BYE sip:x SIP/2.0", [], Changes((), ("Content-Length",)), body="")


def test_auto_is_the_length_of_the_body() -> None:
    assert computed_length("X: 1\r\nl: ${auto}\r\n\r\n12345") == "X: 1\r\nl: 5\r\n\r\n12345"


def test_status_lines() -> None:
    assert status_line(486, None) == "SIP/2.0 486 Busy Here"
    assert status_line(99, "") == "SIP/2.0 099 "


MESSAGE = "MESSAGE sip:x SIP/2.0\r\nContent-Length: 6\r\n\r\n\r\n\r\nhi"


@given(st.integers(0, 4), st.data())
def test_a_stream_is_cut_by_content_length(count: int, data: st.DataObject) -> None:
    stream = ("\r\n" + MESSAGE) * count
    framer, found = StreamFramer(), list[str]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size].encode())
        stream = stream[size:]
    assert found == [MESSAGE] * count


# SIP peer


class FarEnd(asyncio.DatagramProtocol):
    """Keeps what comes and can answer."""

    def __init__(self) -> None:
        self.came: Channel[tuple[str, tuple[str, int]]] = Channel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put((data.decode("latin-1"), addr))

    async def next(self) -> sip.SipMessage:
        raw, self.source = await self.came.take(2)
        return sip.parse(raw)

    def send(self, raw: str) -> None:
        self.transport.sendto(raw.encode("latin-1"), self.source)


def response(request: sip.SipMessage, status: str, extra: str = "") -> str:
    copied = "".join(f"{name}: {request.first(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
    return (
        f"SIP/2.0 {status}\r\n{copied}To: {request.first('To')};tag=far\r\n{extra}Content-Length: 0\r\n\r\n"
    )


@asynccontextmanager
async def a_peer() -> AsyncIterator[tuple[SipPeer, FarEnd]]:
    loop = asyncio.get_running_loop()
    transport, far = await loop.create_datagram_endpoint(FarEnd, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    recorder = Recorder()
    endpoint = UdpEndpoint(("127.0.0.1", port), lambda raw: recorder.sip("phone", raw, from_server=True))
    await endpoint.open("127.0.0.1")
    server = f"127.0.0.1:{port}"
    peer = SipPeer(
        "phone",
        "udp",
        "127.0.0.1",
        endpoint=endpoint,
        server=server,
        recorder=recorder,
        variables=Variables(),
    )
    try:
        yield peer, far
    finally:
        peer.close()
        transport.close()


async def taken(peer: SipPeer) -> sip.SipMessage:
    item = await peer.endpoint.incoming.take(2)
    assert isinstance(item, Received)
    peer.learn(item)
    return sip.parse(item.raw)


def test_a_call_and_what_belongs_to_it() -> None:
    async def story() -> None:
        async with a_peer() as (peer, far):
            peer.request("INVITE")
            invite = await far.next()
            assert invite.method == "INVITE"
            assert invite.first("Content-Length") == str(len(invite.body)) != "0"
            far.send(
                response(invite, "200 OK", "Contact: <sip:t@h>\r\nRecord-Route: <sip:r1;lr>, <sip:r2;lr>\r\n")
            )
            await taken(peer)
            peer.ack()
            ack = await far.next()
            assert (ack.method, ack.uri, ack.cseq) == ("ACK", "sip:t@h", (1, "ACK"))
            assert ack.branch != invite.branch
            assert ack.all("Route") == ["<sip:r2;lr>", "<sip:r1;lr>"]
            peer.request("BYE", in_dialog=True)
            bye = await far.next()
            assert (bye.call_id, bye.cseq, sip.tag(bye.first("To"))) == (invite.call_id, (2, "BYE"), "far")

    run(story())


def test_a_rejection_is_acknowledged_within_its_transaction() -> None:
    async def story() -> None:
        async with a_peer() as (peer, far):
            peer.request("INVITE")
            invite = await far.next()
            with pytest.raises(SipStateError, match="no final response"):
                peer.ack()
            far.send(response(invite, "486 Busy Here"))
            await taken(peer)
            peer.ack()
            ack = await far.next()
            assert (ack.uri, ack.branch, sip.tag(ack.first("To"))) == (invite.uri, invite.branch, "far")

    run(story())


def test_a_cancel_and_a_retransmission() -> None:
    async def story() -> None:
        async with a_peer() as (peer, far):
            peer.request("INVITE", save="call")
            invite = await far.next()
            peer.cancel("call")
            cancel = await far.next()
            assert (cancel.branch, cancel.cseq, cancel.uri) == (invite.branch, (1, "CANCEL"), invite.uri)
            peer.retransmit("call")
            assert (await far.next()).raw == invite.raw
            with pytest.raises(SipStateError, match="'other'"):
                peer.cancel("other")

    run(story())


def test_an_answered_request_makes_a_dialog() -> None:
    async def story() -> None:
        async with a_peer() as (peer, far):
            peer.request("OPTIONS")
            options = await far.next()
            far.send(
                "INVITE sip:alice@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:f@h>;tag=far\r\n"
                "To: <sip:alice@h>\r\nCall-ID: theirs\r\nCSeq: 5 INVITE\r\nContact: <sip:far@h>\r\n\r\n"
            )
            await taken(peer)
            peer.respond(200)
            answer = await far.next()
            assert (answer.status, answer.call_id, answer.branch) == (200, "theirs", "z9hG4bKx")
            assert answer.has("Contact")
            peer.request("BYE", in_dialog=True)
            bye = await far.next()
            assert (bye.uri, bye.call_id) == ("sip:far@h", "theirs")
            assert sip.tag(bye.first("From")) == sip.tag(answer.first("To"))
            assert bye.first("To") == "<sip:f@h>;tag=far"
            assert options.call_id != "theirs"

    run(story())


def test_a_tcp_endpoint_listens_on_the_port_it_connects_from() -> None:
    async def story() -> None:
        came: Channel[tuple[int, str]] = Channel()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            data = await reader.readuntil(b"hi")
            came.put((writer.get_extra_info("peername")[1], data.decode()))
            writer.write(MESSAGE.encode())
            writer.close()

        async with serving(serve) as port:
            endpoint = StreamEndpoint(("127.0.0.1", port), lambda raw: None)
            await endpoint.open("127.0.0.1", seconds=2)
            endpoint.send(MESSAGE.encode(), "every-byte")
            assert await came.take(2) == (endpoint.port, MESSAGE)
            item = await endpoint.incoming.take(2)
            assert isinstance(item, Received)
            assert item.raw == MESSAGE
            assert await endpoint.incoming.take(2) == Closed()
            reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
            writer.write(MESSAGE.encode())
            second = await endpoint.incoming.take(2)
            assert isinstance(second, Received)
            second.reply.send(b"back")
            assert await reader.readexactly(4) == b"back"
            writer.close()
            endpoint.close()

    run(story())


def test_a_tcp_endpoint_that_is_refused_leaves_nothing_open() -> None:
    async def story() -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        server.close()
        endpoint = StreamEndpoint(address, lambda raw: None)
        with pytest.raises(ConnectFailed, match=rf"no TCP connection to 127\.0\.0\.1:{address[1]}"):
            await endpoint.open("127.0.0.1", seconds=2)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", endpoint.port)

    run(story())
