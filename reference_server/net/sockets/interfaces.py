"""The addresses of this machine: for ``sip:*``, which means all of them, and ``sip:eth0``, those of an interface.

Linux tells them in two text tables. Link-local IPv6 addresses are left out: they mean nothing to a peer
without the name of an interface. Where the tables do not exist, the loopback addresses and what the own
host name resolves to must do.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

_UNUSABLE = 0x40 | 0x08  # tentative, and refused because a neighbour has it (linux/if_addr.h)
_SIOCGIFADDR = 0x8915  # linux/sockios.h
_FIB_LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")


def parse_fib_trie(text: str) -> list[str]:
    """The IPv4 addresses of ``/proc/net/fib_trie``, each once, in the order of the table."""
    return list(dict.fromkeys(_FIB_LOCAL.findall(text)))


def parse_if_inet6(text: str, interface: str = "") -> list[str]:
    """The usable IPv6 addresses of ``/proc/net/if_inet6``, or those of one interface in it, loopback first."""
    addresses: set[IPv6Address] = set()
    for line in text.splitlines():
        digits, _index, _prefix, _scope, flags, name = line.split()
        address = IPv6Address(int(digits, 16))
        if interface not in ("", name):
            continue
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


def addresses_of(interface: str, proc: Path = Path("/proc/net")) -> list[str]:
    """The literal addresses of an interface such as ``eth0``, IPv4 first; nothing if there is none of that name."""
    try:
        socket.if_nametoindex(interface)
    except OSError:
        return []
    try:
        ipv6 = parse_if_inet6((proc / "if_inet6").read_text("ascii"), interface)
    except OSError:
        ipv6 = []
    return [*_ipv4_of(interface), *ipv6]


def _ipv4_of(interface: str) -> list[str]:
    from fcntl import ioctl  # where there are no such tables there may be no such module

    request = struct.pack("256s", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            return [socket.inet_ntoa(ioctl(asked.fileno(), _SIOCGIFADDR, request)[20:24])]
        except OSError:
            return []  # it has none


def _resolved(family: socket.AddressFamily) -> Iterable[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, family)]
    except OSError:
        return []
