"""Who makes room when there are too many: of the address that has most, the one that has been silent longest.

So a stranger that opens connection after connection crowds out nobody but itself, and connections that somebody uses
outlive those that nobody does.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from itertools import islice
from typing import Generic, TypeVar

M = TypeVar("M")

_COMPARED = 32  # addresses with equally many members that are compared


class Crowd(Generic[M]):
    """Members (any objects that can be hashed), each of an address. Nothing takes longer if there are more of them."""

    def __init__(self, most: int) -> None:
        """``most`` may be there at a time."""
        self.most = most
        self._address: dict[M, str] = {}
        """the longest silent first"""
        self._heard: dict[M, int] = {}
        self._now = 0
        self._members: dict[str, dict[M, None]] = {}
        """by address, the longest silent first"""
        self._addresses: dict[int, dict[str, None]] = {}
        """by how many members they have"""
        self._largest = 0

    def __len__(self) -> int:
        """How many are there."""
        return len(self._address)

    def __contains__(self, member: M) -> bool:
        """Whether it is there."""
        return member in self._address

    def add(self, member: M, host: str) -> M | None:
        """``member`` joins, from the literal address ``host``. Returns who has to make room, who is taken out."""
        address = share_of(host)
        members = self._members.setdefault(address, {})
        members[member] = None
        self._address[member] = address
        self._resize(address, len(members) - 1, len(members))
        self._mark(member)
        if len(self._address) <= self.most:
            return None
        leaves = self._longest_silent()
        self.remove(leaves)
        return leaves

    def heard(self, member: M) -> None:
        """Something came from ``member``, if it is there: it is the least silent of all."""
        address = self._address.pop(member, None)
        if address is not None:
            self._address[member] = address
            members = self._members[address]
            del members[member]
            members[member] = None
            self._mark(member)

    def remove(self, member: M) -> None:
        """``member`` has gone, if it was there."""
        address = self._address.pop(member, None)
        if address is not None:
            members = self._members[address]
            del members[member]
            del self._heard[member]
            self._resize(address, len(members) + 1, len(members))
            if not members:
                del self._members[address]

    def _mark(self, member: M) -> None:
        self._now += 1
        self._heard[member] = self._now

    def _resize(self, address: str, before: int, after: int) -> None:
        if before:
            del self._addresses[before][address]
        if after:
            self._addresses.setdefault(after, {})[address] = None
        self._largest = max(self._largest, after)
        while self._largest and not self._addresses.get(self._largest):
            self._addresses.pop(self._largest, None)
            self._largest -= 1

    def _longest_silent(self) -> M:
        if self._largest == 1:
            return next(iter(self._address))
        first = [next(iter(self._members[one])) for one in islice(self._addresses[self._largest], _COMPARED)]
        return min(first, key=self._heard.__getitem__)


def share_of(host: str) -> str:
    """What counts as one address: of IPv6 the /64, in which one host may take as many addresses as it likes."""
    if ":" not in host:
        return host
    return str(IPv6Address(int(IPv6Address(host.partition("%")[0])) >> 64 << 64))
