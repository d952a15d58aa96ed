"""The table of admin connections: who counts, who makes room, how it ends."""

from __future__ import annotations

import asyncio

import pytest

from reference_server.admin.connections import AdminConnections
from reference_server.admin.session import AdminSession
from reference_server.config.model import AdminConfiguration
from reference_server.core.ports import Taps
from reference_server.wire.framing import encode_frame
from tests.admin.admin_port import SECRET, WatchingTap, admin_context
from tests.conftest import Run
from tests.core.world import World

HOST = "192.0.2.1"


class Carrier:
    """Implements ``Connection``; closes when it is told to, unless it is ``stubborn``."""

    def __init__(self, table: AdminConnections, session: AdminSession, stubborn: bool = False) -> None:
        self._table = table
        self._stubborn = stubborn
        self.session = session
        self.aborted = False
        self.deaf = False
        self.closing = False

    def close(self) -> None:
        self.closing = True
        if not self._stubborn:
            self._gone()

    def leave(self) -> None:
        self._gone()

    def abort(self) -> None:
        self.aborted = True
        asyncio.get_running_loop().call_soon(self._gone)

    def reset(self) -> None:
        self.abort()

    def go_deaf(self) -> None:
        self.deaf = True

    def hear(self) -> None:
        self.deaf = False

    def _gone(self) -> None:
        self.session.lost()
        self._table.remove(self)


class Crowd:
    """A table and what joins it."""

    def __init__(self, most_strangers: int, most_of_one: int = 0) -> None:
        self.tap = WatchingTap()
        taps = Taps(self.tap)
        self.table = AdminConnections(taps, most_strangers, most_of_one)
        self._context = admin_context(World(), taps, AdminConfiguration(secret=SECRET))

    def join(self, *, host: str = HOST, known: bool = False, stubborn: bool = False) -> Carrier:
        session = AdminSession(self._context, self._context.new_number(), lambda: None)
        carrier = Carrier(self.table, session, stubborn)
        session.begin(f"{host}:40000")
        self.table.add(carrier, host)
        if known:
            session.receive(encode_frame(f"1|authenticate|{SECRET}"))
            assert session.authenticated
            self.table.authenticated(carrier)
        return carrier


def test_the_oldest_stranger_makes_room_and_no_application_does(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(2)
        known = crowd.join(known=True)
        strangers = [crowd.join() for _ in range(4)]
        assert [stranger.aborted for stranger in strangers] == [True, True, False, False]
        assert not known.aborted
        assert crowd.tap.names().count("admin-crowded-out") == 2
        await crowd.table.stop()
        assert crowd.table.sockets == 0

    run(story())


def test_sessions_and_sockets_are_counted_apart(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(5)
        crowd.join()
        leaving = crowd.join()
        leaving.session.receive(encode_frame("1|ping"))
        crowd.table.leaving(leaving, HOST)
        assert (len(crowd.table), crowd.table.sockets) == (1, 2)
        await crowd.table.stop()

    run(story())


def test_applications_are_those_that_have_authenticated_and_are_not_gone(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(5)
        crowd.join()
        assert crowd.table.applications == 0
        known = [crowd.join(known=True) for _ in range(2)]
        assert crowd.table.applications == 2
        known[0].session.lost()
        assert crowd.table.applications == 1
        await crowd.table.stop()

    run(story())


def test_who_does_not_read_cannot_keep_it_from_ending(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(5)
        polite, stubborn = crowd.join(known=True), crowd.join(known=True, stubborn=True)
        await crowd.table.stop()
        assert (polite.aborted, stubborn.aborted) == (False, True)
        assert crowd.table.sockets == 0

    run(story())


def test_who_is_accepted_while_it_ends_is_cut_off(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(5)
        await crowd.table.stop()
        assert crowd.join().aborted
        assert crowd.join(known=True).aborted

    run(story())


def test_an_address_crowds_out_its_own_strangers_only(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(4)
        honest = [crowd.join(host=f"192.0.2.{number}") for number in range(2)]
        greedy = [crowd.join(host="198.51.100.1") for _ in range(10)]
        assert [one.aborted for one in honest] == [False, False]
        assert [one.aborted for one in greedy] == [True] * 8 + [False] * 2
        await crowd.table.stop()

    run(story())


def test_refused_ones_count_as_strangers_until_they_have_closed(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(3)
        refused = []
        for _ in range(5):
            refused.append(crowd.join())
            refused[-1].session.receive(encode_frame("1|ping"))
            crowd.table.leaving(refused[-1], HOST)
        assert [one.aborted for one in refused] == [True, True, False, False, False]
        known = crowd.join(known=True)
        assert not known.aborted
        known.session.receive(encode_frame("1|authenticate|wrong"))
        crowd.table.leaving(known, HOST)
        crowd.join()
        assert refused[3].aborted, "a refused application is a stranger, too"
        await crowd.table.stop()

    run(story())


def test_what_is_done_to_a_connection_by_its_number(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(10)
        first, second = crowd.join(), crowd.join()
        crowd.table.go_deaf(first.session.number)
        assert (first.deaf, second.deaf) == (True, False)
        crowd.table.break_off(second.session.number, reset=False)
        crowd.table.break_off(4711, reset=True)
        assert (first.session.connected, second.session.connected) == (True, False)
        crowd.table.break_off(first.session.number, reset=True)
        assert first.aborted

    run(story())


@pytest.mark.parametrize("turns", range(4))
def test_an_interrupt_is_not_lost_while_the_last_one_leaves(run: Run, turns: int) -> None:
    async def story() -> None:
        crowd = Crowd(8)
        last = crowd.join(stubborn=True)
        stopping = asyncio.create_task(crowd.table.stop())
        while not last.closing:
            await asyncio.sleep(0)
        last.leave()
        for _ in range(turns):
            await asyncio.sleep(0)
        interrupted = stopping.cancel()
        await asyncio.wait([stopping])
        assert stopping.cancelled() == interrupted

    run(story())


def limits_met(crowd: Crowd) -> list[object]:
    return [details["limit"] for name, details in crowd.tap.events if name == "admin-crowded-out"]


def test_of_one_address_there_may_be_fewer_strangers(run: Run) -> None:
    async def story() -> None:
        crowd = Crowd(10, 2)
        greedy = [crowd.join(host="198.51.100.1") for _ in range(3)]
        other = crowd.join()
        known = [crowd.join(host="198.51.100.1", known=True) for _ in range(4)]
        assert [one.aborted for one in greedy] == [True, True, False], (
            "one of them made room for who is known"
        )
        assert not any(one.aborted for one in (other, *known))
        assert set(limits_met(crowd)) == {"unauthenticated-connections-per-address"}
        crowd.table.bound(2, 0)
        crowd.join(host="192.0.2.7")
        assert limits_met(crowd)[-1] == "unauthenticated-connections"
        await crowd.table.stop()

    run(story())
