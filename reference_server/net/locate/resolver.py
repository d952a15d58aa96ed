"""From the host of a SIP URI to the addresses that may take the request, the best first (:rfc:`3263#section-4`).

The hosts file is asked first, and without waiting. What it does not know goes to the DNS: without port and transport
NAPTR records say by which transports, in which order, and where their SRV records are; without NAPTR the SRV records of
each transport that this server has are tried; with a port, or where there are none, the addresses of the name count.
The words of the DNS are kept as long as they say. Of several SRV records with one priority each request draws anew, by
their weights (:rfc:`2782`).

Nothing here takes longer than ``PATIENCE`` seconds, whatever nameservers do. Questions about one name while it is
looked up wait for the one answer; a failure counts for some seconds, so that a dead nameserver does not gather
questions.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import groupby

from msgspec import Struct

from reference_server.config.model import DEFAULT_LIMITS, LimitConfiguration
from reference_server.net.locate.dns import Addresses, Dns, DnsFailure, Service, Services
from reference_server.net.locate.hosts import HostsFile
from reference_server.sip.transport import TRANSPORTS, Transport

PATIENCE = 10.0
"""Seconds after which a name counts as not found."""

FAILURE_SECONDS = 5.0
"""How long it counts that no nameserver answered."""

MOST_TARGETS = 16
"""Targets of SRV records whose addresses are looked up."""

MOST_HOPS = 32
"""Addresses that are kept of one name; of several targets each keeps its share."""

LONGEST_NAME = 254
"""Characters of a name that can be one, its last point included (:rfc:`1035#section-2.3.4`)."""

NO_END = float("inf")
_KEPT = 10_000
_SERVICES = {one.naptr: one for one in TRANSPORTS.values() if one.naptr}


class Hop(Struct, frozen=True):
    """Where a request may go."""

    transport: Transport
    host: str
    """literal address, without brackets"""
    port: int


class Question(Struct, frozen=True):
    """What of a URI matters here."""

    name: str
    port: int | None
    transport: Transport | None
    """as the URI says"""
    service: str = ""
    """the SRV records of this service and nothing else (:rfc:`2782`): ``_drachtio._tcp``"""


class _Choice(Struct, frozen=True):
    """The addresses of one target, and how it stands to the others."""

    rank: tuple[int, ...]
    weight: int
    hops: tuple[Hop, ...]


class _Answer(Struct, frozen=True):
    choices: tuple[_Choice, ...]
    until: float


Done = Callable[[Sequence[Hop]], None]


class Resolver:
    """Looks names up for a network. Must be made inside the running loop."""

    def __init__(
        self,
        transports: Sequence[Transport],
        families: Sequence[bool],
        dns: Dns,
        *,
        hosts: HostsFile,
        monotonic: Callable[[], float],
        warn: Callable[[str], None],
        patience: float = PATIENCE,
        limits: LimitConfiguration = DEFAULT_LIMITS,
        met: Callable[[str, str], None] | None = None,
    ) -> None:
        """``transports`` in the order of preference; ``families``: False for IPv4, True for IPv6, that we can send by.

        ``warn`` gets a line for each lookup that failed because nobody answered. ``patience`` is in seconds.
        ``limits`` say how many names are looked up at a time; one more counts as not found at once, and ``met`` gets
        the name of the limit and a line; by default ``warn`` does.
        """
        self._met = met if met is not None else lambda limit, line: warn(line)
        self.bound(limits)
        self._transports = transports
        self._families = families
        self._dns = dns
        self._hosts = hosts
        self._monotonic = monotonic
        self._warn = warn
        self._patience = patience
        self._answers: dict[Question, _Answer] = {}
        self._waiting: dict[Question, list[Done]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def resolve(self, question: Question, done: Done) -> None:
        """Give ``done`` the hops, the best first, or none if the name leads nowhere; at once if that is known."""
        known = self._hosts.addresses(question.name)
        if known and not question.service:
            transport = question.transport or self._transports[0]
            port = question.port or transport.default_port
            done([Hop(transport, host, port) for host in known if (":" in host) in self._families])
            return
        answer = self._answers.get(question)
        if answer is not None and answer.until > self._monotonic():
            done(_arranged(answer.choices))
        elif _leads_nowhere(question.name):
            done(())
        elif (waiting := self._waiting.get(question)) is not None:
            waiting.append(done)
        elif len(self._waiting) >= self._most:
            line = f"cannot look {question.name!r} up: {self._most} names are being looked up already"
            self._met("lookups", line)
            done(())
        else:
            self._waiting[question] = [done]
            task = asyncio.get_running_loop().create_task(self._look_up(question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def bound(self, limits: LimitConfiguration) -> None:
        """From now on so many names may be looked up at a time."""
        self._most = limits.lookups

    async def stop(self) -> None:
        """Give up what is being looked up; nobody is told."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, question: Question) -> None:
        choices: tuple[_Choice, ...] = ()
        seconds = FAILURE_SECONDS
        try:
            async with asyncio.timeout(self._patience):
                choices, seconds = await self._find(question)
        except TimeoutError:
            self._warn(f"cannot look {question.name!r} up: no answer within {self._patience:g} s")
        except Exception as error:  # whatever an answer provokes: those who wait are told
            self._warn(f"cannot look {question.name!r} up: {error!s}")
        finally:
            waiting = self._waiting.pop(question)
        if len(self._answers) >= _KEPT:
            self._answers.clear()
        self._answers[question] = _Answer(choices, self._monotonic() + seconds)
        for done in waiting:
            done(_arranged(choices))

    async def _find(self, question: Question) -> tuple[tuple[_Choice, ...], float]:
        """What :rfc:`3263` finds (§4.1, §4.2), and for how many seconds it holds."""
        name, port, transport = question.name, question.port, question.transport
        if port is not None:
            return await self._by_address(name, port, transport or self._transports[0])
        if transport is not None and not transport.srv:  # of WebSocket there are no SRV records
            return await self._by_address(name, transport.default_port, transport)
        if question.service:
            services, holds = [(self._transports[0], f"{question.service}.{name}")], NO_END
        elif transport is not None:
            services, holds = [(transport, f"{transport.srv}.{name}")], NO_END
        else:
            services, holds = await self._services(name)
        found = await asyncio.gather(*(self._servers(service) for _, service in services))
        holds = min([holds, *(one.seconds for one in found)])
        wanted = [
            (transport, (place, *server.order), server)
            for place, ((transport, _), one) in enumerate(zip(services, found, strict=True))
            for server in one.found
        ]
        if not wanted and question.service:
            return (), holds
        if not wanted:
            by = transport or self._transports[0]
            choices, seconds = await self._by_address(name, by.default_port, by)
            return choices, min(holds, seconds)
        return await self._targets(wanted, holds)

    async def _services(self, name: str) -> tuple[list[tuple[Transport, str]], float]:
        """Transports in order, each with the name of its SRV records: what NAPTR says, else the usual names."""
        try:
            said = await self._dns.transports(name)
        except DnsFailure:  # some nameservers do not know of NAPTR, and drop the question
            said = Services((), FAILURE_SECONDS)
        services = [
            (_SERVICES[one.kind], one.target)
            for one in said.found
            if _SERVICES.get(one.kind) in self._transports
        ]
        usual = [(transport, f"{transport.srv}.{name}") for transport in self._transports if transport.srv]
        return services or usual, said.seconds

    async def _servers(self, service: str) -> Services:
        try:
            return await self._dns.servers(service)
        except DnsFailure:
            return Services((), FAILURE_SECONDS)

    async def _targets(
        self, wanted: Sequence[tuple[Transport, tuple[int, ...], Service]], holds: float
    ) -> tuple[tuple[_Choice, ...], float]:
        """The addresses of the targets of SRV records; a target without any is passed over."""
        there = [one for one in wanted if one[2].target][:MOST_TARGETS]
        targets = list(dict.fromkeys(server.target for _, _, server in there))
        found = dict(
            zip(
                targets,
                await asyncio.gather(
                    *(self._addresses(target) for target in targets), return_exceptions=True
                ),
                strict=True,
            )
        )
        choices: list[_Choice] = []
        share = max(MOST_HOPS // len(there), 2) if there else 0
        for transport, rank, server in there:
            addresses = found[server.target]
            if isinstance(addresses, Addresses):
                hops = tuple(Hop(transport, host, server.port) for host in addresses.hosts[:share])
                choices.append(_Choice(rank, server.weight, hops))
                holds = min(holds, addresses.seconds)
            else:
                holds = min(holds, FAILURE_SECONDS)
        return tuple(choices), holds

    async def _by_address(
        self, name: str, port: int, transport: Transport
    ) -> tuple[tuple[_Choice, ...], float]:
        addresses = await self._addresses(name)
        hops = tuple(Hop(transport, host, port) for host in addresses.hosts)
        return (_Choice((), 0, hops),), addresses.seconds

    async def _addresses(self, name: str) -> Addresses:
        """The addresses of ``name`` in the families that we have, IPv4 first. Raises DnsFailure if none answers."""
        known = self._hosts.addresses(name)
        if known:
            return Addresses(tuple(host for host in known if (":" in host) in self._families), NO_END)
        found = await asyncio.gather(
            *(self._dns.addresses(name, ipv6) for ipv6 in self._families), return_exceptions=True
        )
        answered = [one for one in found if isinstance(one, Addresses)]
        if not answered or (len(answered) < len(found) and not any(one.hosts for one in answered)):
            raise next(one for one in found if isinstance(one, BaseException))
        hosts = [host for one in answered for host in one.hosts]
        return Addresses(tuple(hosts[:MOST_HOPS]), min(one.seconds for one in answered))


def _leads_nowhere(name: str) -> bool:
    """A name that no nameserver needs to be asked about (:rfc:`6761#section-6.4`), or that is none."""
    return (
        len(name) > LONGEST_NAME
        or not name.isascii()
        or name.lower().rstrip(".").rpartition(".")[2] == "invalid"
    )


def _arranged(choices: Sequence[_Choice]) -> list[Hop]:
    """All hops in one order: by rank, and within a rank drawn by weight."""
    if len(choices) == 1:
        return list(choices[0].hops[:MOST_HOPS])
    hops: list[Hop] = []
    for _, equals in groupby(choices, key=lambda choice: choice.rank):
        left = list(equals)
        while left:
            # Weight 0 has a small chance beside others (RFC 2782).
            (drawn,) = random.choices(left, [max(choice.weight, 0.01) for choice in left])
            left.remove(drawn)
            hops.extend(drawn.hops)
    return hops[:MOST_HOPS]
