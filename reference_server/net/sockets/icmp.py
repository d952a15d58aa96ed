"""What the network says of datagrams that did not arrive (:rfc:`3261#section-18.4`), read from a socket's error queue.

Linux keeps there, for each ICMP error, the beginning of the datagram as ICMP quotes it (of IPv4 at least 8 octets,
usually 500 and more) and the kind of the error.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

_READS = 256
"""Errors that are read in a row; what is left wakes the socket again."""
_QUOTED = 2048
_ANCILLARY = 512
_RECVERR = {(0, 11), (41, 25)}
"""(SOL_IP, IP_RECVERR) and (SOL_IPV6, IPV6_RECVERR): level and type of the ancillary data that tells the kind."""
_ERROR = struct.Struct("=IBBBBII")
"""linux/errqueue.h, struct sock_extended_err: errno, origin, type, code, pad, info, data."""
_BY_ICMP, _BY_ICMP6 = 2, 3
_UNREACHABLE, _PARAMETER_PROBLEM, _TOO_BIG_CODE = 3, 12, 4
_UNREACHABLE6, _PARAMETER_PROBLEM6 = 1, 4


def read_undelivered(sock: socket.socket) -> Iterator[bytes | None]:
    """Empty the error queue: for each entry the beginning of the datagram that did not arrive.

    None stands for an error that means nothing: time exceeded, too big, of this machine itself.
    """
    if sys.platform != "linux":
        return
    for _ in range(_READS):
        try:
            quoted, ancillary, _, _ = sock.recvmsg(_QUOTED, _ANCILLARY, socket.MSG_ERRQUEUE)
        except OSError:
            return
        yield quoted if any(_is_final(level, kind, data) for level, kind, data in ancillary) else None


def _is_final(level: int, kind: int, data: bytes) -> bool:
    if (level, kind) not in _RECVERR or len(data) < _ERROR.size:
        return False
    unpacked: tuple[int, ...] = _ERROR.unpack_from(data)
    _, origin, icmp_type, code, *_ = unpacked
    if origin == _BY_ICMP:
        return icmp_type == _PARAMETER_PROBLEM or (icmp_type == _UNREACHABLE and code != _TOO_BIG_CODE)
    return origin == _BY_ICMP6 and icmp_type in (_UNREACHABLE6, _PARAMETER_PROBLEM6)
