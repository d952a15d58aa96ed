"""The sockets of a contact, all on one port."""

from __future__ import annotations

import contextlib
import socket

import pytest

from reference_server.net.sockets.listening import BoundSocket, TransportError, bind_sockets
from reference_server.sip.transport import TCP, UDP


def _close(bound: list[BoundSocket]) -> None:
    for one in bound:
        one.socket.close()


def test_port_0_is_one_port_for_all() -> None:
    bound = bind_sockets(["127.0.0.1", "127.0.0.2", "::1"], [UDP, TCP], 0)
    try:
        assert len({one.port for one in bound}) == 1
        assert bound[0].port > 0
        assert [(one.host, one.transport.name) for one in bound] == [
            ("127.0.0.1", "udp"),
            ("127.0.0.1", "tcp"),
            ("127.0.0.2", "udp"),
            ("127.0.0.2", "tcp"),
            ("::1", "udp"),
            ("::1", "tcp"),
        ]
        assert all(not one.socket.getblocking() for one in bound)
    finally:
        _close(bound)


def _bind_to_a_quiet_port(taken: socket.socket) -> int:
    for port in range(20_000, 30_000):
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_in_use(transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        # Not one of the kernel's own choice: somebody's connection may have the same port on the other transport.
        port = _bind_to_a_quiet_port(taken)
        if transport == "tcp":
            taken.listen()
        with pytest.raises(TransportError) as error:
            bind_sockets(["127.0.0.1"], [UDP, TCP], port)
        assert (error.value.transport, error.value.port) == (transport, port)
        assert str(error.value) == f"cannot listen on {transport}/127.0.0.1:{port}: Address already in use"
        # Nothing of the failed contact stays bound.
        other = TCP if transport == "udp" else UDP
        _close(bind_sockets(["127.0.0.1"], [other], port))


def test_an_address_of_another_machine() -> None:
    with pytest.raises(TransportError, match=r"tcp/203\.0\.113\.1:0: Cannot assign requested address"):
        bind_sockets(["203.0.113.1"], [UDP, TCP], 0)


def test_receive_buffers_hold_a_burst() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    bound = bind_sockets(["127.0.0.1"], [UDP], 0)
    try:
        enlarged = bound[0].socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert enlarged > usual
    finally:
        _close(bound)


def test_the_buffers_of_udp_are_as_configured() -> None:
    for octets in (65_536, 1_048_576):
        (bound,) = bind_sockets(["127.0.0.1"], [UDP], 0, udp_buffer=octets)
        with bound.socket as sock:
            sizes = [
                sock.getsockopt(socket.SOL_SOCKET, name) for name in (socket.SO_RCVBUF, socket.SO_SNDBUF)
            ]
        # Linux doubles what is asked for; without privileges it may grant less than a large one.
        assert sizes[0] <= 2 * octets
        assert octets > 65_536 or sizes == [2 * octets, 2 * octets]
