"""STUN on the SIP port (:rfc:`3489`, :rfc:`5389`): who asks which address it has here is answered (NET-10).

A phone behind a NAT asks to keep its binding open (:rfc:`5626#section-4.4.2`), and takes its flow for dead if no answer
comes. The answer is the genuine server's: MAPPED-ADDRESS and the old SOURCE-ADDRESS, no XOR-MAPPED-ADDRESS.
"""

from __future__ import annotations

import socket
import struct

from reference_server.core.ports import Flow

_HEADER = struct.Struct("!HH16s")
_REQUEST, _ANSWER = 0x0001, 0x0101
_MAPPED_ADDRESS, _SOURCE_ADDRESS = 0x0001, 0x0004
_IPV4, _IPV6 = 1, 2


def is_stun(data: bytes) -> bool:
    """Whether a datagram is of STUN, old or new: no SIP message begins so (:rfc:`5389#section-6`)."""
    return (
        len(data) >= _HEADER.size and data[0] < 4 and _HEADER.unpack_from(data)[1] <= len(data) - _HEADER.size
    )


def answer_to(data: bytes, flow: Flow) -> bytes:
    """The answer to a Binding request that came by ``flow``; nothing for other messages of STUN."""
    kind, _, transaction = _HEADER.unpack_from(data)
    if kind != _REQUEST:
        return b""
    mapped = _address(_MAPPED_ADDRESS, flow.remote_host, flow.remote_port)
    attributes = mapped + _address(_SOURCE_ADDRESS, flow.local.host, flow.local.port)
    return _HEADER.pack(_ANSWER, len(attributes), transaction) + attributes


def _address(kind: int, host: str, port: int) -> bytes:
    family, number = (_IPV6, socket.AF_INET6) if ":" in host else (_IPV4, socket.AF_INET)
    octets = socket.inet_pton(number, host.partition("%")[0])
    return struct.pack("!HHBBH", kind, 4 + len(octets), 0, family, port) + octets
