"""Faults by chance: the same for the same seed, and octets in order whatever becomes of them."""

from __future__ import annotations

import asyncio

from drachtio_conformance.peers.random_faults import RandomFaults, RoughRoad
from tests.conftest import Run

SIP = "id|sip|network|5|udp|h|5060|10:00:00|t||h|5060|\r\nINVITE sip:x SIP/2.0\r\n\r\n"
NO = "id|response|a|NO|incorrect|secret"


def story(seed: str, *, frames: bool = True) -> list[list[str]]:
    faults = RandomFaults(seed, frames=frames)
    return [[each.partition("|")[2] for each in faults.around(payload)] for payload in [SIP, NO] * 50]


def test_the_same_frames_for_the_same_seed() -> None:
    assert story("5/a") == story("5/a")
    assert story("5/a") != story("6/a")
    assert story("5/a") != story("5/b")


def test_frames_come_whole_and_in_order_between_strangers() -> None:
    told = story("1/x")
    strangers = [each for group in told for each in group if each.startswith("weather|")]
    longer = [each for group in told for each in group if "|later|more\r\n" in each]
    assert 3 < len(strangers) < 30
    assert 3 < len(longer) < 30
    known = [group[-1].replace("|later|more\r\n", "\r\n") for group in told]
    assert known == [SIP.partition("|")[2], NO.partition("|")[2]] * 50
    assert {len(group) for group in told} == {1, 2}


def test_the_text_of_a_refusal_stays_as_it_is() -> None:
    assert all(group[-1] == NO.partition("|")[2] for group in story("1/x")[1::2])


def test_pieces_alone_leave_frames_as_they_are() -> None:
    assert {len(group) for group in story("1/x", frames=False)} == {1}


class Far:
    """Where the octets arrive."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.arrived = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.pieces.append(data)
        self.arrived.set()

    async def all(self, size: int) -> None:
        while sum(map(len, self.pieces)) < size:
            self.arrived.clear()
            await self.arrived.wait()


async def carried(seed: str, data: list[bytes]) -> list[bytes]:
    far = Far()
    road = RandomFaults(seed).road(1, far.write)
    for each in data:
        road.send(each)
    await far.all(len(b"".join(data)))
    return far.pieces


def test_octets_arrive_in_order_in_pieces_of_any_size(run: Run) -> None:
    async def scene() -> None:
        data = [bytes([number]) * 400 for number in range(20)]
        sizes: dict[str, list[int]] = {}
        for name in "abcdefgh":
            pieces = await carried(f"7/{name}", data)
            assert b"".join(pieces) == b"".join(data)
            sizes[name] = list(map(len, pieces))
            assert sizes[name] == list(map(len, await carried(f"7/{name}", data)))
        assert min(map(min, sizes.values())) == 1
        assert max(map(max, sizes.values())) > 400
        assert len(set(map(tuple, sizes.values()))) > 4

    run(scene())


def test_what_is_on_its_way_arrives_before_the_end(run: Run) -> None:
    async def scene() -> None:
        far = Far()
        road: RoughRoad = RandomFaults("1/a").road(1, far.write)
        road.send(b"hello")
        assert far.pieces == []
        road.flush()
        assert far.pieces == [b"hello"]
        road.flush()
        road.send(b"again")
        await far.all(10)
        assert b"".join(far.pieces) == b"helloagain"

    run(scene())
