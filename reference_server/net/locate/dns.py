"""Questions to the DNS, asked with dnspython on the event loop: no thread, no waiting of others.

The library is loaded when the first question is asked. Each question has a socket of its own for as long as it waits,
so only so many are asked at a time; the others queue. An answer that does not fit into a datagram is fetched over TCP.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.message import QueryMessage
    from dns.name import Name
    from dns.rdtypes.IN.NAPTR import NAPTR
    from dns.rdtypes.IN.SRV import SRV
    from dns.resolver import Answer

Nameserver = tuple[str, int]
"""A literal address and a port."""

MOST_AT_A_TIME = 100
"""Questions that are asked at the same time."""

MOST_RECORDS = 64
"""Records of one answer that are looked at, the best by their own order."""

NEGATIVE_SECONDS = 300.0
"""How long at most the word counts that there is nothing (:rfc:`2308#section-5` allows 1 to 3 hours)."""

_LONGEST_SECONDS = 86_400.0


class DnsFailure(Exception):
    """No server answered, or none could: nothing is known."""


class Addresses(Struct, frozen=True):
    """Literal addresses, and for how many seconds they hold."""

    hosts: tuple[str, ...]
    seconds: float


class Service(Struct, frozen=True):
    """One SRV record (:rfc:`2782`); or, of a NAPTR record, where its SRV records are."""

    order: tuple[int, int]
    """priority and 0; of NAPTR, order and preference"""
    weight: int
    target: str
    """a name, empty if the service is decidedly not there"""
    port: int = 0
    kind: str = ""
    """of NAPTR the service: ``SIP+D2U``"""


class Services(Struct, frozen=True):
    """Services in their order, and for how many seconds they hold."""

    found: tuple[Service, ...]
    seconds: float


class Dns:
    """Asks the nameservers of ``/etc/resolv.conf``, with its search list, or one nameserver without any."""

    def __init__(self, nameserver: Nameserver | None = None, seconds: float = 4.0) -> None:
        """``seconds`` is how long one question is asked, again and of each server, before it counts as failed."""
        self._nameserver = nameserver
        self._seconds = seconds
        self._slots = asyncio.Semaphore(MOST_AT_A_TIME)

    async def addresses(self, name: str, ipv6: bool) -> Addresses:
        """The A or AAAA records of ``name``. Raises :class:`DnsFailure`, :class:`ImportError`."""
        answer, seconds = await self._ask(name, "AAAA" if ipv6 else "A")
        records = [] if answer is None or answer.rrset is None else list(answer.rrset)[:MOST_RECORDS]
        return Addresses(tuple(record.to_text() for record in records), seconds)

    async def servers(self, name: str) -> Services:
        """The SRV records of ``name``, by priority. Raises as ``addresses``."""
        answer, seconds = await self._ask(name, "SRV")
        records: list[SRV] = [] if answer is None or answer.rrset is None else list(answer.rrset)
        found = [
            Service((record.priority, 0), record.weight, _text(record.target), record.port)
            for record in records
        ]
        return Services(tuple(sorted(found, key=lambda one: one.order)[:MOST_RECORDS]), seconds)

    async def transports(self, name: str) -> Services:
        """The NAPTR records of ``name`` that lead to SRV records (flag ``s``), by order and preference.

        Raises as ``addresses``.
        """
        answer, seconds = await self._ask(name, "NAPTR")
        records: list[NAPTR] = [] if answer is None or answer.rrset is None else list(answer.rrset)
        found = [
            Service(
                (record.order, record.preference),
                0,
                _text(record.replacement),
                kind=record.service.decode("latin-1").upper(),
            )
            for record in records
            if record.flags.lower() == b"s" and not record.regexp
        ]
        return Services(tuple(sorted(found, key=lambda one: one.order)[:MOST_RECORDS]), seconds)

    async def _ask(self, name: str, kind: str) -> tuple[Answer | None, float]:
        """The answer, None for a name that does not exist, and the seconds for which that holds."""
        async with self._slots:
            await _load()
            from dns.exception import DNSException
            from dns.resolver import NXDOMAIN

            from reference_server.net.locate.dns_sockets import QuerySockets

            try:
                answer = await self._resolver().resolve(
                    name,
                    kind,
                    raise_on_no_answer=False,
                    lifetime=self._seconds,
                    backend=QuerySockets(),
                )
            except NXDOMAIN as unknown:
                responses: dict[Name, QueryMessage] = unknown.kwargs["responses"]
                chains = [response.resolve_chaining() for response in responses.values()]
                return None, min([NEGATIVE_SECONDS, *(float(chain.minimum_ttl) for chain in chains)])
            except (DNSException, OSError, UnicodeError) as error:
                raise DnsFailure(f"{kind} of {name!r}: {str(error) or type(error).__name__}") from None
        longest = NEGATIVE_SECONDS if answer.rrset is None else _LONGEST_SECONDS
        return answer, min(float(answer.chaining_result.minimum_ttl), longest)

    def _resolver(self) -> Resolver:
        """A new one, so that a changed resolv.conf counts; reading it costs less than the question."""
        from dns.asyncresolver import Resolver
        from dns.nameserver import Do53Nameserver

        resolver = Resolver(configure=self._nameserver is None)
        resolver.use_search_by_default = True
        resolver.timeout = self._seconds / 2
        if self._nameserver is not None:
            resolver.nameservers = [Do53Nameserver(*self._nameserver)]
        return resolver


def _text(name: object) -> str:
    return str(name).rstrip(".")


async def _load() -> None:
    """Import dnspython; the first time that takes a tenth of a second, which a thread spends."""
    await asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "dns.asyncresolver")
    importlib.import_module("reference_server.net.locate.dns_sockets")
