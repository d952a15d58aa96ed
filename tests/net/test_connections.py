"""TCP connections on real loopback sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from reference_server.config.model import LimitConfiguration
from reference_server.core.ports import Endpoint, Flow, NoWay, Way
from reference_server.net.connections import SipConnections
from reference_server.net.sockets.listening import bind_sockets
from reference_server.sip.transport import TCP
from tests.conftest import Run
from tests.handlers.callback import never_accepting

REQUEST = "OPTIONS sip:a@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 2\r\n\r\n\xe9\xff"


class _Server:
    """A listener whose messages wait in a queue."""

    def __init__(self, **limits: int) -> None:
        self.messages: asyncio.Queue[tuple[str, Flow]] = asyncio.Queue()
        self.warnings: asyncio.Queue[str] = asyncio.Queue()
        self.lost: asyncio.Queue[Flow] = asyncio.Queue()
        self.met: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        """the limits that were met, each with a line"""
        self.connections = SipConnections(
            lambda *message: self.messages.put_nowait(message),
            self.warnings.put_nowait,
            limits=LimitConfiguration(**limits),
            met=lambda *said: self.met.put_nowait(said),
            lost=self.lost.put_nowait,
        )
        bound = bind_sockets(["127.0.0.1"], [TCP], 0)[0]
        self.socket = bound.socket
        self.endpoint = Endpoint(TCP, "127.0.0.1", bound.port, "127.0.0.1", "")

    async def __aenter__(self) -> _Server:
        await self.connections.listen(self.socket, self.endpoint)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connections.stop()
        assert len(self.connections) == 0

    async def open(self, port: int) -> Way:
        outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
        self.connections.open("127.0.0.1", port, self.endpoint, outcome.set_result)
        return await outcome


def test_request_and_answer_on_one_connection(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            data = REQUEST.encode("latin-1")
            writer.write(data + data[:40])
            text, flow = await server.messages.get()
            assert text == REQUEST
            assert server.connections.alive(flow)
            assert flow == Flow(TCP, "127.0.0.1", writer.get_extra_info("sockname")[1], server.endpoint, 1)
            writer.write(data[40:])
            assert await server.messages.get() == (REQUEST, flow)
            assert server.connections.send("a\xff", flow)
            assert server.connections.send("b", flow)
            assert await reader.readexactly(3) == b"a\xffb"
            # A request to that address goes out on the same connection.
            assert await server.open(flow.remote_port) == flow
            writer.close()
            await writer.wait_closed()

    run(story())


def test_what_is_sent_while_messages_are_read_leaves_behind_the_last_of_them(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            with socket.create_connection(("127.0.0.1", server.endpoint.port)) as peer:
                peer.setblocking(False)

                def answer(text: str, flow: Flow) -> None:
                    server.messages.put_nowait((text, flow))  # whoever waits for it runs in the next turn
                    assert server.connections.send("ok", flow)
                    with pytest.raises(BlockingIOError):
                        peer.recv(100)

                server.connections.receive = answer
                peer.sendall(2 * REQUEST.encode("latin-1"))
                await server.messages.get()
                assert peer.recv(100) == b"okok"

    run(story())


def test_pings_are_answered(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
            writer.write(b"\r\n" + REQUEST.encode("latin-1"))
            await server.messages.get()
            _, flow = ("", await server.open(writer.get_extra_info("sockname")[1]))
            assert isinstance(flow, Flow)
            server.connections.send("x", flow)
            assert await reader.readexactly(1) == b"x"
            writer.close()
            await writer.wait_closed()

    run(story())


def test_a_stream_without_content_length_is_closed_and_others_live_on(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            _, other = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(b"OPTIONS sip:a@h SIP/2.0\r\n\r\n" + REQUEST.encode("latin-1"))
            assert await reader.read() == b""
            port = writer.get_extra_info("sockname")[1]
            assert await server.warnings.get() == (
                f"closing tcp/[127.0.0.1]:{port}: expected a Content-Length, got none in the message at octet 0 "
                "of the stream"
            )
            other.write(REQUEST.encode("latin-1"))
            text, _ = await server.messages.get()
            assert text == REQUEST
            for one in (writer, other):
                one.close()
                await one.wait_closed()

    run(story())


def test_a_flow_dies_with_its_connection(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(REQUEST.encode("latin-1"))
            _, flow = await server.messages.get()
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            assert not server.connections.alive(flow)
            assert not server.connections.send("x", flow)

    run(story())


def test_connect_share_and_reconnect(run: Run) -> None:
    async def story() -> None:
        accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        listener = await asyncio.start_server(lambda *streams: accepted.put_nowait(streams), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with _Server() as server:
            first, second = await asyncio.gather(server.open(port), server.open(port))
            assert isinstance(first, Flow)
            assert first is second
            assert (first.remote_port, first.local) == (port, server.endpoint)
            reader, writer = await accepted.get()
            assert accepted.empty()
            server.connections.send(REQUEST, first)
            assert await reader.readexactly(len(REQUEST)) == REQUEST.encode("latin-1")
            writer.write(REQUEST.encode("latin-1"))
            assert await server.messages.get() == (REQUEST, first)
            writer.write(b"\r\n\r\n")  # its answer tells that the connection is the first one
            assert await reader.readexactly(2) == b"\r\n"
            writer.close()
            await writer.wait_closed()
            while len(server.connections):
                await asyncio.sleep(0)
            third = await server.open(port)
            assert isinstance(third, Flow)
            assert third.connection > first.connection
            assert not server.connections.send("x", first)
            (await accepted.get())[1].close()
        listener.close()
        await listener.wait_closed()

    run(story())


def test_refused(run: Run) -> None:
    async def story() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            async with _Server() as server:
                assert await server.open(port) == NoWay.UNREACHABLE
                warning = await server.warnings.get()
                assert f"cannot connect to tcp/[127.0.0.1]:{port}: " in warning
                assert "Traceback" not in warning

    run(story())


def test_a_peer_that_does_not_read_is_dropped(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            with socket.socket() as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                peer.setblocking(False)
                await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", server.endpoint.port))
                await asyncio.get_running_loop().sock_sendall(peer, REQUEST.encode("latin-1"))
                _, flow = await server.messages.get()
                while server.connections.send("x" * 1_000_000, flow):
                    await asyncio.sleep(0)
                assert "the peer does not read" in (await server.met.get())[1]

    run(story())


@pytest.mark.parametrize("count", [1, 3])
def test_stop_writes_what_was_sent(run: Run, count: int) -> None:
    async def story() -> None:
        server = _Server()
        await server.connections.listen(server.socket, server.endpoint)
        streams = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(REQUEST.encode("latin-1"))
            _, flow = await server.messages.get()
            server.connections.send(f"to {flow.remote_port}", flow)
            streams.append((reader, writer))
        await server.connections.stop()
        for reader, writer in streams:
            assert await reader.read() == f"to {writer.get_extra_info('sockname')[1]}".encode()
            writer.close()
            await writer.wait_closed()

    run(story())


@pytest.mark.parametrize("abort", [True, False])
def test_the_loss_of_a_connection_is_told_once(run: Run, abort: bool) -> None:
    async def story() -> None:
        async with _Server() as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(REQUEST.encode("latin-1"))
            _, flow = await server.messages.get()
            if abort:
                writer.transport.abort()
            else:
                writer.close()
                await writer.wait_closed()
            assert await server.lost.get() == flow
            assert not server.connections.alive(flow)
            assert server.lost.empty()

    run(story())


RESPONSE = "SIP/2.0 200 OK\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"


def test_so_many_requests_in_a_row_without_an_answer_close_a_connection(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            server.connections.most_unanswered = 2
            _, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(REQUEST.encode("latin-1"))
            _, flow = await server.messages.get()
            server.connections.unanswered(flow.connection)
            writer.write(RESPONSE.encode())  # it lives: the count begins anew
            await server.messages.get()
            server.connections.unanswered(flow.connection)
            assert server.connections.alive(flow)
            writer.write(REQUEST.encode("latin-1"))  # says nothing of who answers
            await server.messages.get()
            server.connections.unanswered(flow.connection)
            assert "2 requests in a row were not answered" in await server.warnings.get()
            assert await server.lost.get() == flow
            server.connections.unanswered(flow.connection)  # it is gone
            writer.close()

    run(story())


def test_without_that_setting_a_connection_may_be_silent(run: Run) -> None:
    async def story() -> None:
        async with _Server() as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
            writer.write(REQUEST.encode("latin-1"))
            _, flow = await server.messages.get()
            for _ in range(10):
                server.connections.unanswered(flow.connection)
            assert server.connections.alive(flow)
            writer.close()

    run(story())


async def heard(server: _Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A peer from which a message has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
    writer.write(REQUEST.encode("latin-1"))
    await server.messages.get()
    return reader, writer


def test_one_connection_more_than_there_may_be_and_one_makes_room(run: Run) -> None:
    async def story() -> None:
        async with _Server(sip_connections=2) as server:
            peers = [await heard(server) for _ in range(3)]
            limit, line = await server.met.get()
            assert limit == "sip-connections"
            assert line.endswith(": there are 2 connections already")
            assert await peers[0][0].read() == b"", "the longest silent"
            assert len(server.connections) == 2
            for _, writer in peers:
                writer.close()

    run(story())


def test_one_connection_more_than_one_address_may_have(run: Run) -> None:
    async def story() -> None:
        async with _Server(sip_connections_per_address=1) as server:
            peers = [await heard(server) for _ in range(2)]
            limit, line = await server.met.get()
            assert limit == "sip-connections-per-address"
            assert line.endswith(": there are 1 connections with its address already")
            assert await peers[0][0].read() == b""
            server.connections.bound(LimitConfiguration(), 10)
            peers.append(await heard(server))
            assert len(server.connections) == 2
            for _, writer in peers:
                writer.close()

    run(story())


@pytest.mark.parametrize(
    ("limits", "too_much", "limit"),
    [
        ({"headers": 4096}, f"OPTIONS sip:a@h SIP/2.0\r\nX: {'x' * 4096}\r\n", "header-limit"),
        ({"body": 2000}, "OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 2001\r\n\r\n", "body-limit"),
    ],
)
def test_a_message_that_is_larger_than_it_may_be_ends_its_connection(
    run: Run, limits: dict[str, int], too_much: str, limit: str
) -> None:
    async def story() -> None:
        async with _Server(**limits) as server:
            reader, writer = await heard(server)
            writer.write(too_much.encode())
            assert (await server.met.get())[0] == limit
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        async with _Server() as server:
            reader, writer = await heard(server)
            writer.write(f"{too_much}\r\n{'y' * 3000}\r\n\r\n".encode())
            writer.write(b"\r\n\r\n")
            writer.write_eof()
            await reader.read()
            assert server.met.empty(), "by default it may be larger"
            writer.close()
            await writer.wait_closed()

    run(story())


def test_so_many_connections_are_made_at_a_time(run: Run) -> None:
    async def story() -> None:
        with never_accepting() as port:
            async with _Server(sip_connections=4) as server:
                ways: list[Way] = []
                server.connections.open("127.0.0.1", port, server.endpoint, ways.append)
                assert await server.open(server.endpoint.port) is NoWay.UNREACHABLE
                limit, line = server.met.get_nowait()
                assert (limit, ways) == ("sip-connections", [])
                assert line.endswith(": 1 connections are being made already")

    run(story())
