"""UDP on real loopback sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference_server.core.ports import Endpoint, Flow
from reference_server.net.sockets.listening import bind_sockets, family_of
from reference_server.net.udp import _QUEUE_LIMIT, UdpTransport, is_keep_alive
from reference_server.sip.transport import UDP
from tests.conftest import Run

STUN = bytes.fromhex("0001 0010 2112a442") + b"x" * 28


@contextmanager
def _peer(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as peer:
        peer.settimeout(5)
        peer.bind((host, 0))
        yield peer


class _Server:
    """A transport whose messages wait in a queue."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        bound = bind_sockets([host], [UDP], 0)[0]
        self.address = (host, bound.port)
        self.endpoint = Endpoint(UDP, host, bound.port, host, "")
        self.messages: asyncio.Queue[tuple[str, Flow]] = asyncio.Queue()
        self.warnings: list[str] = []
        self.returned: asyncio.Queue[str] = asyncio.Queue()
        self.transport = UdpTransport(
            bound.socket,
            self.endpoint,
            lambda *message: self.messages.put_nowait(message),
            warn=self.warnings.append,
            undelivered=self.returned.put_nowait,
        )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_request_and_answer(run: Run, host: str) -> None:
    async def story() -> None:
        server = _Server(host)
        with _peer(host) as peer:
            every_octet = "OPTIONS " + "".join(map(chr, range(256)))
            peer.sendto(every_octet.encode("latin-1"), server.address)
            text, flow = await server.messages.get()
            assert text == every_octet
            assert flow == Flow(UDP, host, peer.getsockname()[1], server.endpoint)
            assert server.transport.flow_to(host, peer.getsockname()[1]) is flow
            assert server.transport.send(every_octet, flow)
            await asyncio.sleep(0)  # the turn at whose end it leaves
            assert peer.recv(1000) == every_octet.encode("latin-1")
        server.transport.close()
        server.transport.close()

    run(story())


def test_a_burst_longer_than_a_wake_arrives_whole_and_in_order(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        with _peer() as peer:
            sent = [f"M{number} sip:a SIP/2.0" for number in range(200)]
            for text in sent:
                peer.sendto(text.encode(), server.address)
            received = [await server.messages.get() for _ in sent]
            assert [text for text, _ in received] == sent
            assert all(flow is received[0][1] for _, flow in received)
        server.transport.close()

    run(story())


def test_what_is_sent_while_datagrams_are_read_leaves_behind_the_last_of_them(run: Run) -> None:
    async def story() -> None:
        server = _Server()

        def answer(text: str, flow: Flow) -> None:
            server.messages.put_nowait((text, flow))  # whoever waits for it runs in the next turn
            assert server.transport.send(f"to {text}", flow)
            with pytest.raises(BlockingIOError):
                peer.recv(100)

        server.transport._receive = answer
        with _peer() as peer:
            peer.setblocking(False)
            for text in ("first", "second"):
                peer.sendto(text.encode(), server.address)
            await server.messages.get()
            assert [peer.recv(100), peer.recv(100)] == [b"to first", b"to second"]
        server.transport.close()

    run(story())


def test_the_largest_datagram_passes_and_a_larger_one_is_refused(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        with _peer() as peer:
            peer.sendto(b"M" * 65507, server.address)
            text, flow = await server.messages.get()
            assert text == "M" * 65507
            assert server.transport.send(text, flow)
            await asyncio.sleep(0)  # the turn at whose end it leaves
            assert len(peer.recv(65535)) == 65507
            assert not server.transport.send(text + "M", flow)
            assert await server.returned.get() == text + "M"
            port = peer.getsockname()[1]
            assert server.warnings == [f"cannot send 65508 octets to udp/[127.0.0.1]:{port}: too large"]
        server.transport.close()

    run(story())


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0", b"\0\0\0\0", STUN])
def test_keep_alives_are_not_messages(run: Run, data: bytes) -> None:
    async def story() -> None:
        server = _Server()
        with _peer() as peer:
            peer.sendto(data, server.address)
            peer.sendto(b"\r\nOPTIONS", server.address)
            text, _ = await server.messages.get()
            assert text == "\r\nOPTIONS"
        server.transport.close()

    assert is_keep_alive(data)
    run(story())


def test_what_the_kernel_cannot_take_now_is_sent_later_in_order(run: Run) -> None:
    async def story() -> None:
        # A Unix datagram socket pair is the one datagram transport whose buffer fills up on the same machine.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        theirs.setblocking(False)
        warnings: list[str] = []
        endpoint = Endpoint(UDP, "127.0.0.1", 1, "127.0.0.1", "")
        transport = UdpTransport(_Connected(ours), endpoint, lambda *_: None, warn=warnings.append)
        flow = transport.flow_to("127.0.0.1", 1)
        accepted = 0
        while transport.send(f"{accepted}", flow):
            accepted += 1
        assert "10000 datagrams are waiting already" in warnings[0]
        for number in range(accepted):
            while True:
                try:
                    data = theirs.recv(100)
                except BlockingIOError:
                    await asyncio.sleep(0)
                else:
                    break
            assert data == str(number).encode()
        assert transport.send("more", flow)
        transport.close()
        theirs.close()

    run(story())


def _closed_port(host: str) -> int:
    with _peer(host) as peer:
        return int(peer.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_finds_its_port_closed_comes_back_and_nothing_else_is_lost(run: Run, host: str) -> None:
    async def story() -> None:
        server = _Server(host)
        nobody = server.transport.flow_to(host, _closed_port(host))
        with _peer(host) as peer:
            somebody = server.transport.flow_to(host, peer.getsockname()[1])
            for number in range(3):  # in one row: each error surfaces when the next datagram is sent
                assert server.transport.send(f"LOST {number}", nobody)
                assert server.transport.send(f"KEPT {number}", somebody)
            assert [await server.returned.get() for _ in range(3)] == [
                f"LOST {number}" for number in range(3)
            ]
            assert [peer.recv(100).decode() for _ in range(3)] == [f"KEPT {number}" for number in range(3)]
            # The last error of a row surfaces when the socket is read, and what is read is not lost by it.
            assert server.transport.send("LOST 3", nobody)
            await asyncio.sleep(0)
            peer.sendto(b"CAME", server.address)
            assert (await server.messages.get())[0] == "CAME"
            assert await server.returned.get() == "LOST 3"
        assert server.warnings == []
        server.transport.close()

    run(story())


def test_a_closed_port_costs_one_wake_not_a_busy_loop(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        assert server.transport.send("LOST", server.transport.flow_to("127.0.0.1", _closed_port("127.0.0.1")))
        assert await server.returned.get() == "LOST"
        before = time.process_time()
        await asyncio.sleep(0.2)  # the one way to see that nothing happens is to let time pass
        assert time.process_time() - before < 0.1
        server.transport.close()

    run(story())


def test_of_a_long_message_the_beginning_comes_back(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        long = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" + "x" * 20_000
        assert server.transport.send(long, server.transport.flow_to("127.0.0.1", _closed_port("127.0.0.1")))
        beginning = await server.returned.get()
        assert long.startswith(beginning)
        assert len(beginning) > 500
        server.transport.close()

    run(story())


def test_of_many_that_cannot_be_sent_one_line_tells_and_each_comes_back(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        with _peer() as peer:
            flow = server.transport.flow_to("127.0.0.1", peer.getsockname()[1])
            taken = [server.transport.send("x", flow) for _ in range(_QUEUE_LIMIT + 50)]
            assert taken == [True] * _QUEUE_LIMIT + [False] * 50
            assert [await server.returned.get() for _ in range(50)] == ["x"] * 50
            (warning,) = server.warnings
            assert warning.endswith(f": {_QUEUE_LIMIT} datagrams are waiting already")
        server.transport.close()

    run(story())


def test_what_has_no_route_comes_back_at_once(run: Run) -> None:
    async def story() -> None:
        server = _Server()
        assert server.transport.send("LOST", server.transport.flow_to("192.0.2.1", 5060))
        assert await server.returned.get() == "LOST"
        assert len(server.warnings) == 1
        assert server.warnings[0].startswith("cannot send 4 octets to udp/[192.0.2.1]:5060: ")
        server.transport.close()

    run(story())


class _Connected(socket.socket):
    """A connected socket that takes, and ignores, the address of each datagram."""

    def __init__(self, other: socket.socket) -> None:
        super().__init__(other.family, other.type, other.proto, fileno=other.detach())

    # the server uses this one of the two forms of sendto
    def sendto(self, data: bytes, address: object) -> int:  # type: ignore[override]
        return self.send(data)
