"""Answers of the DNS that are made to hurt: the zone of a stranger decides what they hold."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import dns.message
import pytest

from reference_server.net.locate.dns_sockets import MOST_ANSWERED
from reference_server.net.locate.resolver import MOST_HOPS, Hop
from reference_server.sip.transport import UDP
from tests.conftest import Run
from tests.net.locate.test_resolver import PLAIN, Stage, serving
from tests.net.nameserver import Nameserver


class HostileNameserver(Nameserver):
    """Answers questions for SRV records of ``evil.test.`` with ``records`` records, the target a name of many labels.

    The first record has the name, the others point to it: twenty octets each, which a reader turns into hundreds.
    """

    def __init__(self, records: int, cut: bool) -> None:
        super().__init__(PLAIN)
        self._records = records
        self._cut = cut

    def answer(self, data: bytes, limit: int) -> bytes | None:
        query = dns.message.from_wire(data)
        question = query.question[0].to_text()
        if "evil" not in question or "SRV" not in question:
            return super().answer(data, limit)
        flags = 0x8380 if self._cut and limit < 65535 else 0x8180
        end_of_question = data.index(b"\0", 12) + 5
        wire = data[:2] + struct.pack("!HHHHH", flags, 1, self._records, 0, 0) + data[12:end_of_question]
        target = b"\1a" * 60 + b"\4test\0"
        record = b"\xc0\x0c" + struct.pack("!HHIHHHH", 33, 1, 60, 6 + len(target), 0, 0, 5060)
        at = len(wire) + len(record)
        wire += record + target
        for number in range(1, self._records):
            wire += b"\xc0\x0c" + struct.pack("!HHIHHHHH", 33, 1, 60, 8, number, 0, 5060, 0xC000 | at)
        return wire


@pytest.mark.parametrize("cut", [False, True], ids=["datagram", "tcp"])
@pytest.mark.parametrize("records", [MOST_ANSWERED + 1, 2500])
def test_an_answer_that_no_service_needs_is_not_read(run: Run, records: int, cut: bool) -> None:
    async def story() -> None:
        async with HostileNameserver(records, cut) as nameserver:
            stage = Stage(nameserver, Path("/nonexistent"))
            began = time.process_time()
            assert await stage.hops("evil.test", None, UDP) == []
            assert time.process_time() - began < 1.5, "with the records read some 10 s"
            assert await stage.hops("a.test", 5060) == [Hop(UDP, "10.0.0.1", 5060)]
            await stage.resolver.stop()

    run(story())


def test_one_name_takes_a_small_place_however_many_addresses_it_has(run: Run) -> None:
    async def story() -> None:
        zone = "".join(f"_sip._udp.d SRV {number} 0 5060 t{number}\n" for number in range(16))
        zone += "".join(
            f"t{target} A 10.1.{target}.{number}\n" for target in range(16) for number in range(40)
        )
        async with serving(zone) as stage:
            hops = await stage.hops("d.test", None, UDP)
            assert len(hops) == MOST_HOPS
            assert len({hop.host.split(".")[2] for hop in hops}) == 16, "each target is there"
            (answer,) = stage.resolver._answers.values()
            assert sum(len(choice.hops) for choice in answer.choices) == MOST_HOPS

    run(story())


def test_a_name_that_is_none_is_asked_of_nobody_and_kept_nowhere(run: Run) -> None:
    async def story() -> None:
        async with serving(PLAIN) as stage:
            assert await stage.hops("a." * 126 + "test") == ()
            assert await stage.hops("a." * 30_000 + "test", 5060) == ()
            assert stage.nameserver.asked == []
            assert stage.resolver._answers == {}
            assert stage.warnings == []

    run(story())
