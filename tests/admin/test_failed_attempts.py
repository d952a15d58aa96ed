"""Attempts to authenticate from addresses that have failed before: what they wait for, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from reference_server.admin.failed_attempts import FORGOTTEN_AFTER, FailedAttempts
from reference_server.admin.session import MOST_HELD, AdminSession
from reference_server.config.model import LimitConfiguration
from reference_server.core.context import Settings
from reference_server.wire.framing import encode_frame
from tests.admin.admin_port import SECRET, admin_port
from tests.admin.test_session import Wire
from tests.conftest import Run
from tests.core.world import World

HOST = "192.0.2.1"
FREE = 5
LONGEST = 8.0


def delay(attempts: FailedAttempts, host: str = HOST, longest: float = LONGEST) -> float:
    return attempts.delay(host, free=FREE, longest=longest)


def remembering(most: int = 100) -> tuple[World, FailedAttempts]:
    world = World(Settings())
    return world, FailedAttempts(world.clock.timers, most)


def test_the_delay_grows_and_has_an_end() -> None:
    _, attempts = remembering()
    delays = []
    for _ in range(FREE + 6):
        delays.append(delay(attempts))
        attempts.failed(HOST)
    assert delays == [0.0] * FREE + [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    for _ in range(2000):
        attempts.failed(HOST)
    assert delay(attempts) == LONGEST


def test_the_longest_delay() -> None:
    _, attempts = remembering()
    for _ in range(FREE + 3):
        attempts.failed(HOST)
    assert delay(attempts, HOST, 3.0) == 3.0
    assert delay(attempts, HOST, 0.0) == 0.0


def test_a_success_or_time_ends_it() -> None:
    world, attempts = remembering()
    for _ in range(FREE):
        attempts.failed(HOST)
    attempts.succeeded(HOST)
    assert delay(attempts) == 0.0
    for _ in range(FREE):
        attempts.failed(HOST)
    world.advance(FORGOTTEN_AFTER - 1)
    attempts.failed(HOST)
    world.advance(FORGOTTEN_AFTER - 1)
    assert delay(attempts) == 2.0
    world.advance(1)
    assert (delay(attempts), len(attempts), len(world.clock.timers)) == (0.0, 0, 0)


def test_others_wait_for_nothing_and_a_network_of_ipv6_is_one() -> None:
    _, attempts = remembering()
    for number in range(FREE):
        attempts.failed(f"2001:db8::{number}")
    assert delay(attempts, "2001:db8::ffff") == 1.0
    assert delay(attempts, "2001:db8:0:1::1") == 0.0
    assert delay(attempts) == 0.0


def test_who_has_not_failed_for_longest_makes_room() -> None:
    world, attempts = remembering(most=3)
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1", "192.0.2.4"):
        for _ in range(FREE):
            attempts.failed(host)
    assert len(attempts) == len(world.clock.timers) == 3
    delays = [delay(attempts, f"192.0.2.{number}") > 0 for number in (1, 2, 3, 4)]
    assert delays == [True, False, True, True]


def another(wire: Wire) -> Wire:
    """One more connection to the same server, from the same address."""
    wire.session = AdminSession(wire.context, wire.session.number + 1, lambda: None)
    wire.session.begin("192.0.2.1:40001")
    return wire


def failing(times: int) -> Wire:
    wire = Wire()
    for _ in range(times):
        assert another(wire).say("a|authenticate|wrong|") == ["response|a|NO|incorrect secret"]
    return another(wire)


def test_a_right_secret_waits_like_a_wrong_one_and_what_stands_behind_it_as_well() -> None:
    wire = failing(FREE)
    assert wire.say(f"a|authenticate|{SECRET}|", "p|ping") == []
    assert wire.session.deaf
    wire.world.advance(0.9)
    assert wire.heard() == []
    wire.world.advance(0.1)
    first, second = wire.heard()
    assert first.startswith("response|a|OK|")
    assert second == "response|p|OK|pong"
    assert wire.say("q|ping") == ["response|q|OK|pong"]
    assert another(wire).say("a|authenticate|wrong|") == ["response|a|NO|incorrect secret"]
    told = [details["seconds"] for name, details in wire.tap.events if name == "admin-attempt-delayed"]
    assert told == ["1"]


def test_who_leaves_while_its_attempt_waits_is_forgotten() -> None:
    wire = failing(FREE)
    wire.say("a|authenticate|wrong|")
    wire.session.lost()
    wire.world.advance(FORGOTTEN_AFTER)
    assert wire.heard() == []
    assert len(wire.world.clock.timers) == 0


def test_no_delay_where_none_is_wanted() -> None:
    wire = Wire(authentication_delay=0.0)
    for _ in range(FREE + 3):
        assert another(wire).say("a|authenticate|wrong|") == ["response|a|NO|incorrect secret"]


def test_on_a_connection_nothing_is_read_until_the_attempt_was_looked_at(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            for _ in range(FREE):
                client = await port.client()
                assert (await client.ask("authenticate|wrong|")).endswith("|NO|incorrect secret")
                assert await client.rest() == ""
            wrong, right = await port.client(), await port.client()
            wrong.send("authenticate|wrong|")
            right.send(f"authenticate|{SECRET}|")
            while port.tap.names().count("admin-attempt-delayed") < 2:
                await asyncio.sleep(0)
            right.send("ping")
            port.world.advance(1.0)
            assert (await wrong.receive()).endswith("|NO|incorrect secret")
            assert await wrong.rest() == ""
            assert "|OK|" in await right.receive()
            assert (await right.receive()).endswith("|OK|pong")
            assert (await (await port.client()).ask("authenticate|wrong|")).endswith("|NO|incorrect secret")

    run(story())


def guessers(wire: Wire, count: int) -> list[AdminSession]:
    """So many connections from one address that try at once."""
    sessions = []
    for _ in range(count):
        assert not another(wire).heard()
        wire.session.receive(encode_frame("a|authenticate|wrong|"))
        sessions.append(wire.session)
    return sessions


def seen(wire: Wire) -> int:
    """How many attempts were looked at."""
    told = [details.get("reason") for name, details in wire.tap.events if name == "admin-refused"]
    return told.count("incorrect secret")


def test_attempts_side_by_side_gain_nothing() -> None:
    wire = failing(FREE)
    before = seen(wire)
    for _ in range(100):  # each second as many as there may be connections
        guessers(wire, 200)
        wire.world.advance(1.0)
    most = wire.context.limits.waiting_authentications
    assert seen(wire) - before <= most * (2 + 100 / LONGEST)
    wire.world.advance(LONGEST)
    assert wire.context.failed_attempts.waiting == 0


def test_one_more_than_may_wait_is_refused_unseen_and_others_are_not() -> None:
    wire = failing(FREE)
    wire.context.configure(wire.context.configuration, LimitConfiguration(waiting_authentications=2))
    first, second, third = guessers(wire, 3)
    assert (first.deaf, second.deaf, third.ended) == (True, True, True)
    assert wire.heard() == ["response|a|NO|too many attempts"]
    (told,) = [d for name, d in wire.tap.events if d.get("reason") == "too many attempts"]
    assert told["limit"] == "waiting-authentications"
    first.lost()  # who leaves makes room
    assert another(wire).say(f"a|authenticate|{SECRET}|") == []
    knows = wire.session
    other = AdminSession(wire.context, 99, lambda: None)
    other.begin("192.0.2.77:1")
    other.receive(encode_frame(f"a|authenticate|{SECRET}|"))
    assert other.authenticated
    wire.world.advance(1.0)
    assert knows.authenticated


def test_how_many_may_fail_is_a_setting() -> None:
    wire = Wire()
    wire.context.configure(wire.context.configuration, LimitConfiguration(failed_authentications=2))
    for _ in range(2):
        assert another(wire).say("a|authenticate|wrong|") == ["response|a|NO|incorrect secret"]
    assert another(wire).say("a|authenticate|wrong|") == []
    assert wire.session.deaf


def test_the_session_itself_takes_nothing_in_while_an_attempt_waits() -> None:
    wire = failing(FREE)
    wire.say(f"a|authenticate|{SECRET}|")
    for octets in (b"6#p|pi", b"ng6#q|ping", encode_frame("x|authenticate|wrong|"), b"6#r|pi"):
        wire.session.receive(octets)  # on whatever connection: nobody has to stop reading for this
    assert (wire.session.connected, wire.session.authenticated, wire.heard()) == (True, False, [])
    wire.world.advance(1.0)
    assert [answer[:16] for answer in wire.heard()] == [
        "response|a|OK|ud",
        "response|p|OK|po",
        "response|q|OK|po",
        "response|x|NO|in",
    ]
    assert wire.session.ended


def test_too_much_behind_an_attempt_that_waits_ends_the_session() -> None:
    wire = failing(FREE)
    wire.say(f"a|authenticate|{SECRET}|")
    wire.session.receive(bytes(MOST_HELD))
    assert wire.session.connected
    wire.session.receive(b"x")
    (answer,) = wire.heard()
    assert answer.startswith(
        "response||NO|framing error: expected at most 65536 bytes before an answer, got 65537"
    )
    assert wire.tap.events[-2][1]["limit"] == "held-octets"
    wire.world.advance(LONGEST)
    assert (wire.heard(), wire.session.authenticated, wire.context.failed_attempts.waiting) == ([], False, 0)


def test_what_came_in_one_piece_with_the_attempt_has_the_same_limit() -> None:
    wire = failing(FREE)
    wire.session.receive(encode_frame(f"a|authenticate|{SECRET}|") + bytes(MOST_HELD + 1))
    assert wire.session.ended


class Late:
    """An interceptor that keeps frames back."""

    def __init__(self) -> None:
        self.kept: list[Callable[[], None]] = []

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        self.kept.append(partial(forward, payload))

    def sent(self, connection: int, frame: bytes, forward: Callable[[bytes], None]) -> None:
        forward(frame)


def test_what_an_interceptor_gives_late_waits_as_well() -> None:
    wire = failing(FREE)
    late = wire.context.interceptor = Late()
    wire.say(f"a|authenticate|{SECRET}|", f"b|authenticate|{SECRET}|", "p|ping")
    for forward in late.kept:
        forward()
    assert wire.heard() == []
    assert wire.context.failed_attempts.waiting == 1
    wire.world.advance(1.0)
    assert [answer[:13] for answer in wire.heard()] == ["response|a|OK", "response|b|OK", "response|p|OK"]
    wire.session.lost()
    assert len(wire.world.clock.timers) == 0
