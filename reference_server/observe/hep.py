"""Copies of SIP messages for a capture server such as Homer, by the Homer Encapsulation Protocol over UDP.

One datagram a message, as the genuine server composes it: ``HEP3`` with its chunks in that server's order, HEP 2 with
time and capture id in the byte order of a small-endian machine, HEP 1 without either. Its IPv6 addresses are zeros;
here they are what they are. A message that was encrypted on the wire goes as the text that it was.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from reference_server.config.model import CaptureConfiguration
from reference_server.core.ports import Flow
from reference_server.memo import Memo
from reference_server.observe.datagrams import BETWEEN_WORDS, Datagrams

_IPV4: Final = 2
_IPV6: Final = 10
_PROTOCOLS: Final = {"udp": 17, "tcp": 6, "tls": 22, "ws": 6, "wss": 6}
_SIP: Final = 1
_LONGEST_HEP_3: Final = 65_535
_HEP_3: Final = struct.Struct(">4sH" + "HHHB" * 2 + "HHHH" * 2 + "HHHI" * 2 + "HHHB" + "HHHI")
_TIME: Final = struct.Struct("<IIHH")

Address = tuple[bytes, int]
"""Octets of an IPv4 or IPv6 address, and a port."""


class Packet(Struct, frozen=True, kw_only=True):
    """What goes to a capture server of one message."""

    protocol: int
    """17 UDP, 6 TCP and WebSocket, 22 TLS"""
    source: Address
    destination: Address
    time: float
    """Unix seconds"""
    agent_id: int
    payload: bytes

    def octets(self, version: int) -> bytes:
        """The datagram of HEP ``version`` 1, 2 or 3."""
        return self._hep_3() if version == 3 else self._hep_1_or_2(version)

    def _hep_3(self) -> bytes:
        seconds, microseconds = _moment(self.time)
        (source, source_port), (destination, destination_port) = self.source, self.destination
        first, family, size = (3, _IPV4, 10) if len(source) == 4 else (5, _IPV6, 22)
        total = _HEP_3.size + 2 * size + 6 + len(self.payload)
        parts = (
            _HEP_3.pack(
                b"HEP3",
                min(total, _LONGEST_HEP_3),  # what is longer fits into no datagram
                *(0, 1, 7, family),
                *(0, 2, 7, self.protocol),
                *(0, 7, 8, source_port),
                *(0, 8, 8, destination_port),
                *(0, 9, 10, seconds),
                *(0, 10, 10, microseconds),
                *(0, 11, 7, _SIP),
                *(0, 12, 10, self.agent_id),
            ),
            struct.pack(">HHH", 0, first, size),
            source,
            struct.pack(">HHH", 0, first + 1, size),
            destination,
            struct.pack(">HHH", 0, 15, min(6 + len(self.payload), _LONGEST_HEP_3)),
            self.payload,
        )
        return b"".join(parts)

    def _hep_1_or_2(self, version: int) -> bytes:
        (source, source_port), (destination, destination_port) = self.source, self.destination
        addresses = source + destination
        length = 8 + len(addresses) + (_TIME.size if version == 2 else 0)
        family = _IPV4 if len(source) == 4 else _IPV6
        head = struct.pack(">BBBBHH", version, length, family, self.protocol, source_port, destination_port)
        if version == 2:
            addresses += _TIME.pack(*_moment(self.time), self.agent_id & 0xFFFF, 0)
        return head + addresses + self.payload


def _moment(now: float) -> tuple[int, int]:
    return divmod(round(now * 1_000_000), 1_000_000)


class Event(Protocol):
    """Tells those who watch."""

    def __call__(self, name: str, **details: str | int) -> None: ...


class HepCapture:
    """A tap that sends each SIP message to the capture server."""

    def __init__(
        self,
        configuration: CaptureConfiguration,
        event: Event,
        *,
        mask: Callable[[str], str] = str,
        wall: Callable[[], float] = time.time,
        out: Datagrams | None = None,
    ) -> None:
        """``event`` hears of messages that were lost; ``mask`` hides what nobody shall read, octet for octet."""
        self._event = event
        self._mask = mask
        self._wall = wall
        self._version = configuration.version
        self._agent_id = configuration.agent_id
        self._out = out or Datagrams(configuration.host, configuration.port)
        self._place = f"{configuration.host} port {configuration.port}"
        self._addresses = Memo[str, bytes](entries=1000, longest=64)
        self._next_word = 0.0

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """One datagram."""
        now = self._wall()
        remote = self._octets_of(flow.remote_host), flow.remote_port
        local = self._octets_of(flow.local.host), flow.local.port
        source, destination = (local, remote) if sent else (remote, local)
        packet = Packet(
            protocol=_PROTOCOLS[flow.transport.name],
            source=source,
            destination=destination,
            time=now,
            agent_id=self._agent_id,
            payload=self._mask(text).encode("latin-1"),
        )
        self._out.write(packet.octets(self._version))
        if self._out.losing and now >= self._next_word:
            self._next_word = now + BETWEEN_WORDS
            self._tell()

    def close(self) -> None:
        """Send the rest."""
        self._out.close()
        self._tell()

    def _tell(self) -> None:
        lost = self._out.take_lost()
        if lost is not None:
            self._event("capture-lost", messages=lost.count, server=self._place, reason=lost.reason)

    def _octets_of(self, host: str) -> bytes:
        known = self._addresses.known.get(host)
        if known is not None:
            return known
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return self._addresses.keep(host, socket.inet_pton(family, host.partition("%")[0]))
