"""The addresses of this machine, for contacts such as ``sip:*`` that mean all of them.

Linux tells them in two text tables. Link-local IPv6 addresses are left out: they mean nothing to a peer
without the name of an interface. Where the tables do not exist, the loopback addresses and what the own
host name resolves to must do.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

_UNUSABLE = 0x40 | 0x08  # tentative, and refused because a neighbour has it (linux/if_addr.h)
_FIB_LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")


def parse_fib_trie(text: str) -> list[str]:
    """The IPv4 addresses of ``/proc/net/fib_trie``, each once, in the order of the table."""
    return list(dict.fromkeys(_FIB_LOCAL.findall(text)))


def parse_if_inet6(text: str) -> list[str]:
    """The usable IPv6 addresses of ``/proc/net/if_inet6``, loopback first."""
    addresses: set[IPv6Address] = set()
    for line in text.splitlines():
        digits, _index, _prefix, _scope, flags, *_ = line.split()
        address = IPv6Address(int(digits, 16))
        if not address.is_link_local and not int(flags, 16) & _UNUSABLE:
            addresses.add(address)
    return [str(address) for address in sorted(addresses, key=lambda one: (not one.is_loopback, one))]


def local_addresses(proc: Path = Path("/proc/net")) -> list[str]:
    """Every literal address of this machine, IPv4 first."""
    try:
        ipv4 = parse_fib_trie((proc / "fib_trie").read_text("ascii"))
    except OSError:
        ipv4 = ["127.0.0.1", *_resolved(socket.AF_INET)]
    try:
        ipv6 = parse_if_inet6((proc / "if_inet6").read_text("ascii"))
    except OSError:
        ipv6 = []
    return list(dict.fromkeys([*ipv4, *ipv6]))


def _resolved(family: socket.AddressFamily) -> Iterable[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, family)]
    except OSError:
        return []
