"""The listening sockets of one contact: every transport on every address, all on one port.

With port 0 the kernel chooses the port for the first socket and the others must follow; another process
may hold one of those, so the choice is repeated a few times.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct

from reference_server.accepting import BACKLOG
from reference_server.sip.transport import Transport

_ATTEMPTS = 10
UDP_BUFFER = 4 * 1024 * 1024
"""Octets of a UDP socket's buffer in either direction, unless configured."""

_RCVBUFFORCE = 33  # Linux: beyond net.core.rmem_max, for the privileged
_SNDBUFFORCE = 32


class TransportError(Exception):
    """A transport cannot listen: which one, and why."""

    def __init__(self, transport: str, host: str, port: int, reason: str) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.reason = reason
        super().__init__(f"cannot listen on {hostport(transport, host, port)}: {reason}")


class BoundSocket(Struct, frozen=True):
    """A socket that is bound, and listening if it is a TCP one."""

    transport: Transport
    host: str
    port: int
    socket: socket.socket


def bracketed(host: str) -> str:
    """``host`` as it stands in URIs: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def hostport(transport: str, host: str, port: int) -> str:
    """``udp/127.0.0.1:5060``, the form of the authenticate reply."""
    return f"{transport}/{bracketed(host)}:{port}"


def family_of(host: str) -> socket.AddressFamily:
    """The address family of a literal address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def literal_address(host: str) -> str | None:
    """A literal address in its one usual spelling, or None for a name."""
    try:
        family = family_of(host)
        return socket.inet_ntop(family, socket.inet_pton(family, host))
    except (OSError, ValueError):
        return None


def bind_sockets(
    hosts: Sequence[str], transports: Sequence[Transport], port: int, *, udp_buffer: int = UDP_BUFFER
) -> list[BoundSocket]:
    """Bind each of ``transports`` on each literal address of ``hosts``, in that order of the result.

    UDP sockets get buffers of ``udp_buffer`` octets. Raises :class:`TransportError`; nothing stays bound then.
    """
    attempt = 1
    while True:
        try:
            return _bind_once(hosts, transports, port, udp_buffer)
        except _PortTaken as taken:
            if attempt == _ATTEMPTS:
                raise taken.error from None
            attempt += 1


class _PortTaken(Exception):
    """The port that the kernel chose for the first socket is not free for another."""

    def __init__(self, error: TransportError) -> None:
        self.error = error


def _bind_once(
    hosts: Sequence[str], transports: Sequence[Transport], port: int, udp_buffer: int
) -> list[BoundSocket]:
    # TCP first: the kernel's choice among the TCP ports is the narrower one, since connections use them up.
    order = sorted(transports, key=lambda transport: not transport.stream)
    chosen = port
    bound: list[BoundSocket] = []
    try:
        for host in hosts:
            for transport in order:
                try:
                    one = _bind(transport, host, chosen, udp_buffer)
                except OSError as error:
                    reason = os.strerror(error.errno) if error.errno else str(error)
                    failure = TransportError(transport.name, host, chosen, reason)
                    if port == 0 and bound and error.errno == errno.EADDRINUSE:
                        raise _PortTaken(failure) from None
                    raise failure from None
                bound.append(one)
                chosen = one.port
    except BaseException:
        for one in bound:
            one.socket.close()
        raise
    return sorted(bound, key=lambda one: (hosts.index(one.host), transports.index(one.transport)))


def _bind(transport: Transport, host: str, port: int, udp_buffer: int) -> BoundSocket:
    datagrams = not transport.stream
    # With its protocol named, asyncio switches Nagle's algorithm off on the connections that it accepts.
    kind = (socket.SOCK_DGRAM, socket.IPPROTO_UDP) if datagrams else (socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock = socket.socket(family_of(host), *kind)
    try:
        sock.setblocking(False)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if datagrams:
            _enlarge(sock, _RCVBUFFORCE, socket.SO_RCVBUF, udp_buffer)
            _enlarge(sock, _SNDBUFFORCE, socket.SO_SNDBUF, udp_buffer)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        if not datagrams:
            sock.listen(BACKLOG)
        return BoundSocket(transport, host, sock.getsockname()[1], sock)
    except BaseException:
        sock.close()
        raise


def _enlarge(sock: socket.socket, forced: int, plain: int, octets: int) -> None:
    """A burst of datagrams must wait in the kernel while Python is busy; what it cannot hold is lost."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, plain, octets)
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, forced, octets)
