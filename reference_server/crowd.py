"""Who makes room when there are too many: of the address that has most, one that has never been heard, and if all were
heard, the one that has been silent longest.

If its address has more than one address may have, one of that address makes room in any case.

So a stranger that opens connection after connection crowds out nobody but itself, connections that somebody uses
outlive those that nobody does, and there is always room for one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address
from itertools import chain, islice
from typing import Generic, TypeVar

M = TypeVar("M")

_COMPARED = 32  # addresses with equally many members that are compared


class _Share(Generic[M]):
    """Members of one address, or of all; the longest silent first."""

    def __init__(self) -> None:
        self.unheard: dict[M, None] = {}
        self.heard: dict[M, None] = {}

    def __len__(self) -> int:
        return len(self.unheard) + len(self.heard)

    def move(self, member: M) -> None:
        """It was heard."""
        self.unheard.pop(member, None)
        self.heard.pop(member, None)
        self.heard[member] = None

    def remove(self, member: M) -> None:
        self.unheard.pop(member, None)
        self.heard.pop(member, None)

    def first_but(self, newest: M) -> M:
        """Who would make room; ``newest`` only if there is nobody else."""
        others = (one for one in islice(self.unheard, 2) if one is not newest)
        return next(chain(others, self.heard, self.unheard))


class Crowd(Generic[M]):
    """Members (any objects that can be hashed), each of an address. Nothing takes longer if there are more of them."""

    def __init__(self, most: int, most_of_one: int = 0) -> None:
        """``most`` may be there at a time, ``most_of_one`` of one address; 0: as many as there may be."""
        self.most = most
        self.most_of_one = most_of_one
        self._all: _Share[M] = _Share()
        self._address: dict[M, str] = {}
        self._silent_since: dict[M, int] = {}
        self._now = 0
        self._shares: dict[str, _Share[M]] = {}
        self._addresses: dict[int, dict[str, None]] = {}
        """by how many members they have"""
        self._largest = 0

    def __len__(self) -> int:
        """How many are there."""
        return len(self._address)

    def __iter__(self) -> Iterator[M]:
        """Those who are there."""
        return iter(self._address)

    def __contains__(self, member: M) -> bool:
        """Whether it is there."""
        return member in self._address

    def add(self, member: M, host: str) -> M | None:
        """``member`` joins, from the literal address ``host``. Returns who has to make room, who is taken out."""
        address = share_of(host)
        share = self._shares.setdefault(address, _Share())
        share.unheard[member] = self._all.unheard[member] = None
        self._address[member] = address
        self._resize(address, len(share) - 1, len(share))
        self._mark(member)
        if 0 < self.most_of_one < len(share):
            leaves = share.first_but(member)
        elif len(self._address) <= self.most:
            return None
        else:
            leaves = self._who_leaves(member)
        self.remove(leaves)
        return leaves

    def bound(self, most: int, most_of_one: int) -> None:
        """From now on so many may be there; those who are stay."""
        self.most = most
        self.most_of_one = most_of_one

    def heard(self, member: M) -> None:
        """Something came from ``member``, if it is there."""
        address = self._address.get(member)
        if address is not None:
            self._shares[address].move(member)
            self._all.move(member)
            self._mark(member)

    def remove(self, member: M) -> None:
        """``member`` has gone, if it was there."""
        address = self._address.pop(member, None)
        if address is not None:
            share = self._shares[address]
            share.remove(member)
            self._all.remove(member)
            del self._silent_since[member]
            self._resize(address, len(share) + 1, len(share))
            if not share:
                del self._shares[address]

    def _mark(self, member: M) -> None:
        self._now += 1
        self._silent_since[member] = self._now

    def _resize(self, address: str, before: int, after: int) -> None:
        if before:
            del self._addresses[before][address]
        if after:
            self._addresses.setdefault(after, {})[address] = None
        self._largest = max(self._largest, after)
        while self._largest and not self._addresses.get(self._largest):
            self._addresses.pop(self._largest, None)
            self._largest -= 1

    def _who_leaves(self, newest: M) -> M:
        if self._largest == 1:
            return self._all.first_but(newest)
        greatest = islice(self._addresses[self._largest], _COMPARED)
        return min((self._shares[one].first_but(newest) for one in greatest), key=self._rank)

    def _rank(self, member: M) -> tuple[bool, int]:
        return member not in self._all.unheard, self._silent_since[member]


def share_of(host: str) -> str:
    """What counts as one address: of IPv6 the /64, in which one host may take as many addresses as it likes."""
    if ":" not in host:
        return host
    return str(IPv6Address(int(IPv6Address(host.partition("%")[0])) >> 64 << 64))
