"""RFC 3263 against a DNS server of the tests' own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reference_server.config.model import DEFAULT_LIMITS, LimitConfiguration
from reference_server.net.locate.dns import MOST_RECORDS, NEGATIVE_SECONDS, Dns
from reference_server.net.locate.hosts import HostsFile
from reference_server.net.locate.resolver import FAILURE_SECONDS, MOST_HOPS, Hop, Question, Resolver
from reference_server.sip.transport import TCP, UDP, Transport
from tests.conftest import Run
from tests.net.nameserver import Nameserver

PLAIN = "a A 10.0.0.1\n"
FULL = """
sip NAPTR 20 10 "s" "SIP+D2T" "" tcp.sip
sip NAPTR 10 20 "S" "sip+d2u" "" udp.sip
sip NAPTR 10 10 "s" "SIPS+D2T" "" tls.sip
sip NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:info@test!" .
sip A 10.9.9.9
udp.sip SRV 20 0 5062 second
udp.sip SRV 10 0 5061 first
tcp.sip SRV 0 0 5063 first
tls.sip SRV 0 0 5064 first
first A 10.0.0.1
first AAAA 2001:db8::1
second A 10.0.0.2
"""


class Stage:
    """A resolver, its nameserver, and a clock that is turned by hand."""

    def __init__(self, nameserver: Nameserver, hosts: Path) -> None:
        self.nameserver = nameserver
        self.now = 0.0
        self.warnings: list[str] = []
        self.met: list[str] = []
        """the limits that were met"""
        self._hosts = HostsFile(hosts)
        self.resolver = self.made()

    def made(
        self,
        transports: Sequence[Transport] = (UDP, TCP),
        families: Sequence[bool] = (False, True),
        patience: float = 10.0,
        seconds: float = 4.0,
        limits: LimitConfiguration = DEFAULT_LIMITS,
    ) -> Resolver:
        return Resolver(
            transports,
            families,
            Dns(self.nameserver.address, seconds),
            hosts=self._hosts,
            monotonic=lambda: self.now,
            warn=self.warnings.append,
            patience=patience,
            limits=limits,
            met=lambda limit, line: self.met.append(limit),
        )

    async def hops(
        self, name: str, port: int | None = None, transport: Transport | None = None, service: str = ""
    ) -> Sequence[Hop]:
        outcome: asyncio.Future[Sequence[Hop]] = asyncio.get_running_loop().create_future()
        self.resolver.resolve(Question(name, port, transport, service), outcome.set_result)
        return await outcome


@asynccontextmanager
async def serving(zone: str, hosts: str = "") -> AsyncIterator[Stage]:
    async with Nameserver(zone) as nameserver:
        stage = Stage(nameserver, Path(hosts or "/nonexistent"))
        yield stage
        await stage.resolver.stop()


def test_naptr_names_the_transports_and_srv_the_servers(run: Run) -> None:
    async def story() -> None:
        async with serving(FULL) as stage:
            assert await stage.hops("sip.test") == [
                Hop(UDP, "10.0.0.1", 5061),
                Hop(UDP, "2001:db8::1", 5061),
                Hop(UDP, "10.0.0.2", 5062),
                Hop(TCP, "10.0.0.1", 5063),
                Hop(TCP, "2001:db8::1", 5063),
            ]
            assert stage.nameserver.asked[0] == "NAPTR sip.test"
            assert "A sip.test" not in stage.nameserver.asked

    run(story())


def test_without_naptr_the_usual_srv_names_are_tried(run: Run) -> None:
    async def story() -> None:
        zone = "_sip._tcp.d SRV 0 0 5070 a\n_sip._udp.d SRV 0 0 5071 a\n" + PLAIN
        async with serving(zone) as stage:
            assert await stage.hops("d.test") == [Hop(UDP, "10.0.0.1", 5071), Hop(TCP, "10.0.0.1", 5070)]
        async with serving("_sip._tcp.d SRV 0 0 5070 a\nd A 10.9.9.9\n" + PLAIN) as stage:
            assert await stage.hops("d.test") == [Hop(TCP, "10.0.0.1", 5070)]

    run(story())


def test_without_naptr_and_srv_the_addresses_count(run: Run) -> None:
    async def story() -> None:
        async with serving("a A 10.0.0.1\na A 10.0.0.2\na AAAA 2001:db8::1\n") as stage:
            hops = await stage.hops("A.test")
            assert sorted((hop.host, hop.port, hop.transport.name) for hop in hops) == [
                ("10.0.0.1", 5060, "udp"),
                ("10.0.0.2", 5060, "udp"),
                ("2001:db8::1", 5060, "udp"),
            ]
            assert hops[2].host == "2001:db8::1"
            assert sorted(stage.nameserver.asked) == [
                "A A.test",
                "AAAA A.test",
                "NAPTR A.test",
                "SRV _sip._tcp.A.test",
                "SRV _sip._udp.A.test",
            ]

    run(story())


@pytest.mark.parametrize("transport", [None, UDP, TCP])
def test_a_port_leaves_only_addresses(run: Run, transport: Transport | None) -> None:
    async def story() -> None:
        async with serving(FULL) as stage:
            assert await stage.hops("sip.test", 5080, transport) == [Hop(transport or UDP, "10.9.9.9", 5080)]
            assert sorted(stage.nameserver.asked) == ["A sip.test", "AAAA sip.test"]

    run(story())


def test_a_transport_without_a_port_asks_for_its_srv_alone(run: Run) -> None:
    async def story() -> None:
        async with serving(
            "_sip._tcp.d SRV 0 0 5070 a\n_sip._udp.d SRV 0 0 5071 a\nd A 10.9.9.9\n" + PLAIN
        ) as stage:
            assert await stage.hops("d.test", None, TCP) == [Hop(TCP, "10.0.0.1", 5070)]
            assert stage.nameserver.asked[0] == "SRV _sip._tcp.d.test"
        async with serving(PLAIN) as stage:
            assert await stage.hops("a.test", None, TCP) == [Hop(TCP, "10.0.0.1", 5060)]

    run(story())


def test_only_what_we_can_send_by_is_asked_for(run: Run) -> None:
    async def story() -> None:
        async with serving(FULL) as stage:
            stage.resolver = stage.made(transports=(TCP,), families=(True,))
            assert await stage.hops("sip.test") == [Hop(TCP, "2001:db8::1", 5063)]
            assert not any(question.startswith("A ") for question in stage.nameserver.asked)

    run(story())


def test_of_equal_servers_each_request_draws_by_weight(run: Run) -> None:
    async def story() -> None:
        zone = "_sip._udp.d SRV 5 90 1 a\n_sip._udp.d SRV 5 10 2 a\n_sip._udp.d SRV 5 0 3 a\n_sip._udp.d SRV 6 9 4 a\n"
        async with serving(zone + PLAIN) as stage:
            drawn = [[hop.port for hop in await stage.hops("d.test")] for _ in range(400)]
            assert all(sorted(ports) == [1, 2, 3, 4] and ports[3] == 4 for ports in drawn)
            first = [ports[0] for ports in drawn]
            assert 300 < first.count(1) < 400
            assert 5 < first.count(2) < 100
            assert len(stage.nameserver.asked) == 5  # NAPTR, SRV twice, A, AAAA; all else from memory

    run(story())


def test_a_service_that_is_decidedly_not_there(run: Run) -> None:
    async def story() -> None:
        async with serving("_sip._udp.d SRV 0 0 0 .\nd A 10.9.9.9\n") as stage:
            assert await stage.hops("d.test", None, UDP) == []

    run(story())


def test_the_hosts_file_comes_before_the_dns(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "hosts").write_text("10.7.7.7 sip.test first.test\n::7 sip.test\n")
        async with serving(
            FULL + "d A 10.9.9.9\n_sip._udp.d SRV 0 0 5071 first", str(tmp_path / "hosts")
        ) as stage:
            assert await stage.hops("SIP.test") == [Hop(UDP, "10.7.7.7", 5060), Hop(UDP, "::7", 5060)]
            assert await stage.hops("sip.test", 5080, TCP) == [
                Hop(TCP, "10.7.7.7", 5080),
                Hop(TCP, "::7", 5080),
            ]
            assert stage.nameserver.asked == []
            assert await stage.hops("d.test", None, UDP) == [Hop(UDP, "10.7.7.7", 5071)]

    run(story())


@pytest.mark.parametrize("name", ["nosuch.invalid", "INVALID", "a.b.Invalid.", "sip.t\xebst"])
def test_some_names_are_asked_of_nobody(run: Run, name: str) -> None:
    async def story() -> None:
        async with serving(FULL) as stage:
            assert await stage.hops(name) == ()
            assert stage.nameserver.asked == stage.warnings == []

    run(story())


@pytest.mark.parametrize(
    "name", [f"{'x' * 64}.test", "a..test", ".".join(["x" * 60] * 5), "\\.test", "none.test"]
)
def test_names_that_lead_nowhere(run: Run, name: str) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            assert not await stage.hops(name)

    run(story())


def test_aliases_are_followed_and_loops_end(run: Run) -> None:
    async def story() -> None:
        async with serving(
            "x CNAME y\ny CNAME a\nloop CNAME pool\npool CNAME loop\nself CNAME self\n" + PLAIN
        ) as stage:
            assert await stage.hops("x.test") == [Hop(UDP, "10.0.0.1", 5060)]
            for name in ("loop.test", "self.test"):
                assert await stage.hops(name) == []

    run(story())


def test_an_answer_with_a_hundred_records_comes_over_tcp_and_is_cut(run: Run) -> None:
    async def story() -> None:
        addresses = "".join(f"many A 10.1.1.{number}\n" for number in range(100))
        servers = "".join(f"_sip._udp.d SRV {number} 0 {number + 1} a\n" for number in range(100))
        async with serving(addresses + servers + PLAIN) as stage:
            hops = await stage.hops("many.test", 5060)
            assert len(set(hops)) == MOST_HOPS < MOST_RECORDS
            assert stage.nameserver.by_tcp == 1
            hops = await stage.hops("d.test", None, UDP)
            assert [hop.port for hop in hops] == list(range(1, 17))
            assert len(stage.nameserver.asked) < 50

    run(story())


def test_an_answer_holds_as_long_as_it_says(run: Run) -> None:
    async def story() -> None:
        async with serving("$TTL 20\n" + PLAIN) as stage:
            assert await stage.hops("a.test", 5060) == [Hop(UDP, "10.0.0.1", 5060)]
            stage.nameserver.write("$TTL 60\na A 10.0.0.2\n")
            stage.now = 19.9
            assert await stage.hops("a.test", 5060) == [Hop(UDP, "10.0.0.1", 5060)]
            stage.now = 20.1
            assert await stage.hops("a.test", 5060) == [Hop(UDP, "10.0.0.2", 5060)]

    run(story())


@pytest.mark.parametrize("name", ["none.test", "noaddress.test"])
def test_that_there_is_nothing_holds_as_long_as_the_zone_says(run: Run, name: str) -> None:
    async def story() -> None:
        async with serving('noaddress TXT "x"\n') as stage:
            assert await stage.hops(name, 5060) == []
            stage.nameserver.write("none A 10.0.0.1\nnoaddress A 10.0.0.1\n")
            stage.now = 29.9
            assert await stage.hops(name, 5060) == []
            stage.now = 30.1  # the SOA's minimum
            assert await stage.hops(name, 5060) == [Hop(UDP, "10.0.0.1", 5060)]
            assert NEGATIVE_SECONDS > 30

    run(story())


def test_questions_about_one_name_wait_for_one_answer(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            found = await asyncio.gather(*(stage.hops("a.test") for _ in range(50)))
            assert found == [[Hop(UDP, "10.0.0.1", 5060)]] * 50
            assert len(stage.nameserver.asked) == 5

    run(story())


def test_a_dead_nameserver_ends_in_bounded_time_and_delays_nobody(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            await stage.hops("a.test", 5060)
            stage.nameserver.silent = {"*"}
            stage.resolver = stage.made(patience=0.3)
            began = time.monotonic()
            found = await asyncio.gather(*(stage.hops(f"n{number}.test") for number in range(300)))
            assert found == [[]] * 300
            assert time.monotonic() - began < 3
            assert stage.warnings.count("cannot look 'n7.test' up: no answer within 0.3 s") == 1
            asked = len(stage.nameserver.asked)
            assert await stage.hops("n7.test") == []  # remembered
            assert len(stage.nameserver.asked) == asked
            stage.nameserver.silent.clear()
            stage.now += FAILURE_SECONDS + 1
            assert await stage.hops("a.test") == [Hop(UDP, "10.0.0.1", 5060)]

    run(story())


def test_so_many_names_are_looked_up_at_a_time(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            stage.nameserver.silent = {"*"}
            stage.resolver = stage.made(patience=0.3, limits=LimitConfiguration(lookups=2))
            waiting = [asyncio.ensure_future(stage.hops(f"n{number}.test")) for number in range(2)]
            await asyncio.sleep(0)
            assert not await stage.hops("n2.test")
            assert stage.met == ["lookups"]
            stage.resolver.bound(LimitConfiguration(lookups=3))
            third = asyncio.ensure_future(stage.hops("n3.test"))
            assert await asyncio.gather(*waiting, third) == [[]] * 3
            assert stage.met == ["lookups"]

    run(story())


def test_a_nameserver_that_is_not_there_is_found_out_at_once(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            pass
        stage.resolver = stage.made()
        began = time.monotonic()
        assert await stage.hops("a.test", 5060) == []
        assert time.monotonic() - began < 2
        assert len(stage.warnings) == 1

    run(story())


@pytest.mark.parametrize("fault", ["silent", "failing"])
def test_a_nameserver_that_knows_no_naptr_costs_time_but_no_call(run: Run, fault: str) -> None:
    async def story() -> None:
        async with serving(FULL + "_sip._udp.d SRV 0 0 5071 a\n" + PLAIN) as stage:
            setattr(stage.nameserver, fault, {"NAPTR"})
            stage.resolver = stage.made(seconds=0.2)
            assert await stage.hops("d.test") == [Hop(UDP, "10.0.0.1", 5071)]

    run(story())


def test_one_family_that_fails_does_not_hide_the_other(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            stage.nameserver.failing = {"AAAA"}
            assert await stage.hops("a.test", 5060) == [Hop(UDP, "10.0.0.1", 5060)]
            stage.nameserver.failing = {"A"}
            stage.resolver = stage.made()
            assert await stage.hops("a.test", 5060) == []
            assert len(stage.warnings) == 1
            assert stage.warnings[0].startswith("cannot look 'a.test' up: A of 'a.test': ")

    run(story())


def test_what_is_under_way_when_the_resolver_stops_is_told_nobody(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            stage.nameserver.silent = {"*"}
            told: list[Sequence[Hop]] = []
            stage.resolver.resolve(Question("a.test", None, None), told.append)
            await asyncio.sleep(0)
            await stage.resolver.stop()
            assert told == []

    run(story())


def test_a_service_is_where_its_srv_records_say_and_nowhere_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("192.0.2.9 app.test\n192.0.2.8 second.test\n")
    zone = """
_drachtio._tcp.app SRV 20 0 4002 second
_drachtio._tcp.app SRV 10 0 4001 first
_sip._udp.app SRV 0 0 5060 first
first A 10.0.0.1
plain A 10.0.0.3
"""

    async def story() -> None:
        async with serving(zone, str(tmp_path / "hosts")) as stage:
            found = await stage.hops("app.test", service="_drachtio._tcp")
            assert [(hop.host, hop.port) for hop in found] == [("10.0.0.1", 4001), ("192.0.2.8", 4002)]
            asked = len(stage.nameserver.asked)
            assert await stage.hops("app.test", service="_drachtio._tcp") == found
            assert len(stage.nameserver.asked) == asked
            for name in ("plain.test", "nosuch.test", "x.invalid"):
                assert not await stage.hops(name, service="_drachtio._tcp")
            assert [hop.host for hop in await stage.hops("app.test")] == ["192.0.2.9"]

    run(story())
