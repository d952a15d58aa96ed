"""One account of the octets that are kept for peers: what waits, what is remembered, what they have not read.

A stranger can have the server keep things: requests that nobody has answered, answers in case the request comes again,
messages without an end, responses that the stranger does not read. Each has an end in time, but times rate that is more
than any machine has. So all of it stands in one account, by address and in all, and who asks what (core/, net/) keeps
no more than it admits. What is kept weighs about as much as the process grows by it.

A *known* peer is one whose request an application has accepted lately. Of the whole a part is set aside for them, so
that calls go on while strangers are turned away (SIP-51).
"""

from __future__ import annotations

from reference_server.crowd import share_of
from reference_server.memo import Memo

MIB = 1024 * 1024

MOST = 128 * MIB
"""Octets that are kept for all together, unless it is said otherwise."""

MOST_OF_ONE = MOST // 2
"""Octets that are kept for one address that is not known."""

SET_ASIDE = MOST // 4
"""Octets beyond ``MOST`` for those who are known."""

_KNOWN_KEPT = 10_000


class Account:
    """What is kept now. Addresses are literal; of IPv6 the /64 counts as one."""

    __slots__ = ("_by_address", "_known", "_shares", "ample", "most", "most_of_one", "set_aside", "total")

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE, set_aside: int = SET_ASIDE) -> None:
        self.bound(most, most_of_one, set_aside)
        self.total = 0
        """octets"""
        self._by_address: dict[str, int] = {}
        self._known: Memo[str, bool] = Memo(entries=_KNOWN_KEPT, longest=64)
        self._shares: Memo[str, str] = Memo(entries=_KNOWN_KEPT, longest=64)

    def bound(self, most: int, most_of_one: int, set_aside: int) -> None:
        """From now on so many octets may be kept; what is kept stays."""
        self.most = most
        self.most_of_one = most_of_one
        self.set_aside = set_aside
        self.ample = most_of_one // 2
        """while the total is below, whatever comes is admitted: no message weighs as much as what is left then"""

    def __len__(self) -> int:
        """For how many addresses something is kept."""
        return len(self._by_address)

    def of(self, host: str) -> int:
        """Octets that are kept for ``host``."""
        return self._by_address.get(self._share(host) if ":" in host else host, 0)

    def admits(self, host: str, octets: int) -> bool:
        """Whether so much more may be kept for ``host``."""
        total = self.total + octets
        address = self._share(host) if ":" in host else host
        if total <= self.most and self._by_address.get(address, 0) + octets <= self.most_of_one:
            return True
        return address in self._known.known and self.admits_expected(octets)

    def admits_expected(self, octets: int) -> bool:
        """Whether so much more may be kept for what is expected, being part of a call, whoever sends it."""
        return self.total + octets <= self.most + self.set_aside

    def change(self, host: str, octets: int) -> None:
        """So much more is kept for ``host``, or less."""
        self.total += octets
        address = self._share(host) if ":" in host else host
        kept = self._by_address.get(address, 0) + octets
        if kept:
            self._by_address[address] = kept
        else:
            del self._by_address[address]

    def meet(self, host: str) -> None:
        """An application has accepted a request of ``host``: it is known from now on."""
        address = self._share(host) if ":" in host else host
        if address not in self._known.known:
            self._known.keep(address, True)

    def _share(self, host: str) -> str:
        known = self._shares.known.get(host)
        return known if known is not None else self._shares.keep(host, share_of(host))


def shares_of(most: int) -> tuple[int, int, int]:
    """What :meth:`Account.bound` takes, in the proportions of the defaults."""
    return most, most * MOST_OF_ONE // MOST, most * SET_ASIDE // MOST
