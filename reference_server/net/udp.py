"""SIP over UDP: one socket per endpoint, read and written directly on the event loop.

This is the hottest path of the server. A wake reads what has arrived, up to a bound so that timers and
connections get their turn; each datagram costs one system call, one decoding and one look into the table
of flows. What is to be sent leaves in one row at the end of the turn. A datagram that finds its port closed is
reported to its sender (net/sockets/icmp.py), so that nobody waits for an answer to it.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from reference_server.core.ports import Endpoint, Flow
from reference_server.net.sockets.icmp import read_undelivered
from reference_server.net.sockets.readiness import Readiness
from reference_server.net.stun import answer_to, is_stun
from reference_server.sip.transport import LARGEST_DATAGRAM, UDP
from reference_server.sparingly import Sparingly
from reference_server.turn import Turn

Receive: TypeAlias = Callable[[str, Flow], None]
"""Gets the text of a message, one character per octet, and the flow to its sender."""

Undelivered: TypeAlias = Callable[[str], None]
"""Gets the beginning of a message that did not arrive."""

_DATAGRAM: Final = 65535
_READS_PER_WAKE: Final = 64
_FLOWS_KEPT = 10_000
_QUEUE_LIMIT: Final = 10_000
_QUEUE_OCTETS: Final = 32 * 1024 * 1024
_ATTEMPTS = 3  # a datagram may meet errors of others that often before it counts as not sendable
_BLANKS = b"\0\t\r\n "


def is_keep_alive(data: bytes) -> bool:
    """Whether a datagram is no SIP but keeps a way through a NAT open: line ends, zero octets, nothing, or STUN."""
    return not data.strip(_BLANKS) or is_stun(data)


class UdpTransport:
    """A bound socket of one endpoint. Must be made inside the running loop, which it reads on until
    ``close``.
    """

    def __init__(
        self,
        sock: socket.socket,
        endpoint: Endpoint,
        receive: Receive,
        *,
        warn: Callable[[str], None],
        undelivered: Undelivered = lambda beginning: None,
        turn: Turn | None = None,
    ) -> None:
        """``sock`` is bound and does not block; ``warn`` gets a line of datagrams that cannot be sent, one a second.

        ``undelivered`` gets the beginning of each datagram that was sent and did not arrive, or could not be sent.
        ``turn`` is that of all who write on this loop.
        """
        self.endpoint = endpoint
        self._socket = sock
        self._receive = receive
        self._warn = warn
        self._say_unsent = Sparingly(warn, asyncio.get_running_loop().time)
        self._undelivered = undelivered
        self._flows: dict[tuple[str | int, ...], Flow] = {}
        self._unsent: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._unsent_octets = 0
        self._blocked = False
        self._loop = asyncio.get_running_loop()
        self._turn = turn or Turn(self._loop.call_soon)
        self._readiness = Readiness(sock, self._ready)

    def flow_to(self, host: str, port: int) -> Flow:
        """The flow to a literal address, the same object as long as it is kept."""
        address = (host, port)
        flow = self._flows.get(address)
        if flow is None:
            flow = self._remember(address, Flow(UDP, host, port, self.endpoint))
        return flow

    def _remember(self, address: tuple[str | int, ...], flow: Flow) -> Flow:
        if len(self._flows) >= _FLOWS_KEPT:
            self._flows.clear()
        self._flows[address] = flow
        return flow

    def _ready(self) -> None:
        """There is something to read, or room to write, or word of a datagram that did not arrive."""
        if self._blocked:
            self._flush()
        self._turn.within = True
        try:
            if not self._read():
                self._read_errors()
                return
            more = self._readiness.more
            number = 1
            while number < _READS_PER_WAKE and more() and self._read():
                number += 1
        finally:
            self._turn.end()

    def _read(self) -> bool:
        """Read one datagram and hand it over; False if there is none, or never will be."""
        try:
            data, address = self._socket.recvfrom(_DATAGRAM)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if self._read_errors():
                return True
            if self._socket.fileno() >= 0:
                self._warn(f"cannot read from udp port {self.endpoint.port}: {error}")
            return False
        if data[:1] <= b" " and is_keep_alive(data):
            self._answer_stun(data, address)
            return True
        # An IPv6 address has four parts here; the first two are all that a flow needs.
        flow = self._flows.get(address)
        if flow is None:
            flow = self._remember(address, self.flow_to(address[0], address[1]))
        self._receive(data.decode("latin-1"), flow)
        return True

    def _answer_stun(self, data: bytes, address: tuple[str, int]) -> None:
        flow = self.flow_to(address[0], address[1])
        answer = answer_to(data, flow) if is_stun(data) else b""
        if answer:
            self.send(answer.decode("latin-1"), flow)

    def _read_errors(self) -> bool:
        """Report the datagrams that did not arrive; False if there was no word of any."""
        any_error = False
        for beginning in read_undelivered(self._socket):
            any_error = True
            if beginning is not None:
                self._loop.call_soon(self._undelivered, beginning.decode("latin-1"))
        return any_error

    def send(self, data: str, flow: Flow) -> bool:
        """Send one datagram at the end of this turn of the loop; False if it is too large for one.

        What is sent in a row costs a third of what is sent singly, because the reader is woken once. An error of the
        kernel (no route) is warned of. What did not go is reported as what did not arrive.
        """
        octets = data.encode("latin-1")
        address = (flow.remote_host, flow.remote_port)
        unsent = self._unsent
        if len(octets) > LARGEST_DATAGRAM:
            return self._decline(octets, address, "too large")
        if not unsent:
            self._turn.at_end(self._flush)
        elif len(unsent) >= _QUEUE_LIMIT or self._unsent_octets > _QUEUE_OCTETS:
            return self._decline(octets, address, f"{len(unsent)} datagrams are waiting already")
        unsent.append((octets, address))
        self._unsent_octets += len(octets)
        return True

    def _decline(self, octets: bytes, address: tuple[str, int], reason: str) -> bool:
        self._complain(octets, address, reason)
        self._loop.call_soon(self._undelivered, octets.decode("latin-1"))
        return False

    def _flush(self) -> None:
        """Send all that waits, in order; what the kernel cannot take now goes when it can."""
        unsent = self._unsent
        attempts = 0
        while unsent:
            octets, address = unsent[0]
            try:
                self._socket.sendto(octets, address)
            except (BlockingIOError, InterruptedError):
                self._blocked = True
                self._readiness.want_room(True)
                return
            except OSError as error:
                # The error may be that of a datagram before, of which it is the first word.
                attempts += 1
                if self._read_errors() and attempts < _ATTEMPTS:
                    continue
                self._decline(octets, address, error.strerror or str(error))
            unsent.popleft()
            self._unsent_octets -= len(octets)
            attempts = 0
        if self._blocked:
            self._blocked = False
            self._readiness.want_room(False)

    def _complain(self, octets: bytes, address: tuple[str, int], reason: str) -> None:
        self._say_unsent(f"cannot send {len(octets)} octets to udp/[{address[0]}]:{address[1]}: {reason}")

    def close(self) -> None:
        """Stop reading and free the port; what is still queued is dropped."""
        if self._socket.fileno() < 0:
            return
        self._readiness.close()
        self._unsent.clear()
        self._unsent_octets = 0
        self._socket.close()
