"""Questions to a DNS server of the tests' own: what the records become, how long that holds, what fails."""

from __future__ import annotations

import asyncio

import pytest

from reference_server.net.locate.dns import MOST_AT_A_TIME, NEGATIVE_SECONDS, Dns, DnsFailure, Service
from tests.conftest import Run
from tests.net.nameserver import Nameserver

ZONE = """
a 120 A 10.0.0.1
a 120 A 10.0.0.2
a AAAA 2001:db8::1
_sip._udp.s SRV 20 5 5062 second
_sip._udp.s SRV 10 7 5061 first
n NAPTR 20 10 "s" "SIP+D2T" "" tcp.n
n NAPTR 10 20 "S" "sip+d2u" "" udp.n
n NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:info@test!" .
"""


def test_what_the_records_become(run: Run) -> None:
    async def story() -> None:
        async with Nameserver(ZONE) as nameserver:
            dns = Dns(nameserver.address)
            found = await dns.addresses("a.test", ipv6=False)
            assert sorted(found.hosts) == ["10.0.0.1", "10.0.0.2"]
            assert found.seconds == 120
            assert (await dns.addresses("a.test", ipv6=True)).hosts == ("2001:db8::1",)
            assert (await dns.servers("_sip._udp.s.test")).found == (
                Service((10, 0), 7, "first.test", 5061),
                Service((20, 0), 5, "second.test", 5062),
            )
            assert (await dns.transports("n.test")).found == (
                Service((10, 20), 0, "udp.n.test", kind="SIP+D2U"),
                Service((20, 10), 0, "tcp.n.test", kind="SIP+D2T"),
            ), "in their order, and without those that lead to no SRV record"

    run(story())


def test_that_there_is_nothing_holds_for_a_time_too(run: Run) -> None:
    async def story() -> None:
        async with Nameserver(ZONE) as nameserver:
            dns = Dns(nameserver.address)
            for name in ("nobody.test", "_sip._udp.s.test"):
                found = await dns.addresses(name, ipv6=False)
                assert found.hosts == ()
                assert 0 < found.seconds <= NEGATIVE_SECONDS

    run(story())


@pytest.mark.parametrize("how", ["silent", "failing"])
def test_no_answer_is_a_failure_that_names_the_question(run: Run, how: str) -> None:
    async def story() -> None:
        async with Nameserver(ZONE) as nameserver:
            getattr(nameserver, how).add("*")
            with pytest.raises(DnsFailure, match=r"^SRV of 'x\.test': "):
                await Dns(nameserver.address, seconds=0.2).servers("x.test")

    run(story())


def test_so_many_are_asked_at_a_time_and_the_others_wait(run: Run) -> None:
    async def story() -> None:
        async with Nameserver("\n".join(f"h{number} A 10.1.0.1" for number in range(250))) as nameserver:
            dns = Dns(nameserver.address)
            asked = [dns.addresses(f"h{number}.test", ipv6=False) for number in range(250)]
            found = await asyncio.gather(*asked)
            assert {one.hosts for one in found} == {("10.1.0.1",)}
            assert len(nameserver.asked) == 250 > MOST_AT_A_TIME

    run(story())
