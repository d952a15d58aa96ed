"""The session without a socket: what goes in and comes out, what a mistake of ours costs, frames that are altered."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest
from msgspec import structs

from reference_server.admin.session import AdminSession
from reference_server.config.model import AdminConfiguration, LimitConfiguration
from reference_server.core.context import Settings
from reference_server.core.ports import Application, Taps
from reference_server.wire.framing import FrameDecoder, encode_frame
from reference_server.wire.requests import Sip
from tests.admin.admin_port import SECRET, WatchingTap, admin_context
from tests.core.world import Phone, World, statuses_of


class Wire:
    """A session and the other end of it: what is said is handled at once, what comes out is read frame by frame."""

    def __init__(self, *, watched: bool = True, **limits: int | float) -> None:
        self.world = World(Settings())
        self.tap = WatchingTap()
        configuration = structs.replace(AdminConfiguration(secret=SECRET), **limits)
        self.context = admin_context(self.world, Taps(self.tap) if watched else Taps(), configuration)
        self.wakes = 0
        self.session = AdminSession(self.context, 7, self._wake)
        self.session.begin("192.0.2.1:40000")

    def _wake(self) -> None:
        self.wakes += 1

    def say(self, *payloads: str) -> list[str]:
        """Frames in; the payloads that come out, without their ids."""
        self.session.receive(b"".join(encode_frame(payload) for payload in payloads))
        return self.heard()

    def heard(self) -> list[str]:
        """What waits to be written, likewise."""
        decoder = FrameDecoder(1_000_000)
        decoder.feed(self.session.take_output())
        payloads = []
        while (payload := decoder.next_frame()) is not None:
            payloads.append(payload.partition("|")[2])
        return payloads

    def authenticate(self, *verbs: str) -> Wire:
        """It is an application from here on."""
        (answer,) = self.say(f"a|authenticate|{SECRET}|")
        assert answer.startswith("response|a|OK|")
        for verb in verbs:
            assert self.say(f"r|route|{verb}") == ["response|r|OK"]
        return self


def test_it_is_woken_once_for_all_that_waits() -> None:
    wire = Wire().authenticate()
    before = wire.wakes
    wire.session.receive(encode_frame("1|ping") + encode_frame("2|ping"))
    assert wire.wakes == before + 1
    assert wire.heard() == ["response|1|OK|pong", "response|2|OK|pong"]
    assert wire.session.take_output() == b""
    wire.session.receive(encode_frame("3|ping"))
    assert wire.wakes == before + 2


def test_what_comes_behind_the_end_is_dropped() -> None:
    wire = Wire()
    assert wire.say("1|ping", f"a|authenticate|{SECRET}") == ["response|1|NO|authentication required"]
    assert wire.session.ended
    assert not wire.session.connected
    assert wire.say(f"a|authenticate|{SECRET}") == []
    assert wire.tap.names() == ["admin-connected", "admin-refused", "admin-disconnected"]


def test_the_end_is_told_once() -> None:
    wire = Wire().authenticate("invite")
    wire.session.lost()
    wire.session.lost()
    assert wire.tap.names() == ["admin-connected", "admin-disconnected"]
    assert len(wire.world.registry) == 0


def test_nothing_is_delivered_to_who_is_gone() -> None:
    wire = Wire().authenticate("options")
    phone = Phone(wire.world)
    phone.send("OPTIONS")
    assert wire.heard()[0].startswith("sip|network|")
    wire.session.lost()
    assert statuses_of(wire.world.network.take()) == [480]
    wire.session.receive(encode_frame("1|ping"))
    assert wire.heard() == []


class Mistake(Exception):
    """What cannot be."""


def fails(application: Application, message: Sip) -> bool:
    raise Mistake("of ours")


def test_a_mistake_ends_nothing_but_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire().authenticate("invite")
    monkeypatch.setattr(wire.world.core, "sip", fails)
    answers = wire.say("1|sip|t|\r\nSIP/2.0 200 OK\r\n\r\n", "2|ping")
    assert answers == ["response|1|NOK|internal error", "response|2|OK|pong"]
    assert wire.session.connected
    assert wire.context.internal_errors == 1
    ((name, details),) = [event for event in wire.tap.events if event[0] == "internal-error"]
    assert name == "internal-error"
    assert details["connection"] == 7
    assert details["frame"] == "1|sip|t|\r\nSIP/2.0 200 OK\r\n\r\n"
    assert str(details["error"]).startswith("Mistake('of ours') (session.py:")
    assert "test_session.py:" in str(details["error"])


def test_a_message_without_an_id_gets_no_answer_to_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire().authenticate()
    monkeypatch.setattr(wire.world.core, "sip", fails)
    assert wire.say("|sip|t|\r\nSIP/2.0 200 OK\r\n\r\n") == []
    assert wire.context.internal_errors == 1


def test_a_message_that_was_answered_before_the_mistake_gets_no_second_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire().authenticate()

    def add_route_and_fail(application: Application, verb: str, most: float) -> None:
        wire.session.receive(encode_frame("inner|ping"))
        raise Mistake

    monkeypatch.setattr(wire.context.routes, "add_route", add_route_and_fail)
    # The inner message is answered, the outer is not: only that one hears of the mistake.
    assert wire.say("outer|route|x") == ["response|inner|OK|pong", "response|outer|NOK|internal error"]

    def answer_and_fail(application: Application, message: Sip) -> bool:
        wire.session.receive(encode_frame(f"{message.message_id}|ping"))
        raise Mistake

    monkeypatch.setattr(wire.world.core, "sip", answer_and_fail)
    assert wire.say("9|sip|t|\r\nSIP/2.0 200 OK\r\n\r\n") == ["response|9|OK|pong"]


def test_a_mistake_while_authenticating_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()

    def no_hostports() -> tuple[str, str]:
        raise Mistake

    monkeypatch.setattr(wire.context, "hostports", no_hostports)
    assert wire.say(f"1|authenticate|{SECRET}|") == ["response|1|NOK|internal error"]
    assert SECRET not in repr(wire.tap.events)
    assert wire.say("2|ping") == ["response|2|NO|authentication required"]


def test_a_frame_that_a_mistake_shows_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire().authenticate()
    monkeypatch.setattr(wire.world.core, "sip", fails)
    wire.say("1|sip|t|\r\nSIP/2.0 200 OK\r\n\r\n" + "x" * 50_000)
    (shown,) = [details["frame"] for name, details in wire.tap.events if name == "internal-error"]
    assert len(str(shown)) < 2100
    assert str(shown).endswith("xxx… (50028 octets)")


@pytest.mark.parametrize(
    "payload",
    [
        f"a|authenticate|{SECRET}|",
        f"a|auth|{SECRET}|",
        f"a|authenticat|{SECRET}",
        f"a||authenticate|{SECRET}",
        f"a,authenticate,{SECRET}",
        f"{SECRET}",
        f"a|ping|{SECRET}",
    ],
)
def test_no_watcher_sees_the_secret_of_a_stranger(payload: str) -> None:
    wire = Wire()
    wire.say(payload)
    assert SECRET not in repr(wire.tap.frames)
    assert SECRET not in repr(wire.tap.events)


@pytest.mark.parametrize(
    "stream", [f"a|authenticate|{SECRET}|", f"authenticate|{SECRET}", f"{SECRET}|x", "|cymrucym"]
)
def test_a_frame_without_its_length_shows_nothing_of_the_secret(stream: str) -> None:
    wire = Wire()
    wire.session.receive(stream.encode())
    (answer,) = wire.heard()
    assert "framing error: expected 1" in answer
    if not stream.startswith(SECRET):  # then it is the peer's own word that comes back
        assert "cy" not in answer
    assert "cy" not in repr(wire.tap.frames)
    assert "cy" not in repr(wire.tap.events)


def test_how_long_a_refusal_takes_tells_nothing_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Near or far, a guess is compared whole, by what takes the same time wherever the first difference is."""
    compared: list[tuple[bytes, bytes]] = []
    genuine = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return genuine(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    guesses = ["x", SECRET[:-1], f"{SECRET[:-1]}x", f"x{SECRET[1:]}", f"{SECRET}x", SECRET]
    for guess in guesses:
        answer = Wire().say(f"a|authenticate|{guess}|")[0]
        assert ("response|a|OK|" in answer) == (guess == SECRET), answer
    assert compared == [(guess.encode(), SECRET.encode()) for guess in guesses]


def test_an_application_sees_what_it_sent_wrong() -> None:
    wire = Wire().authenticate()
    wire.session.receive(b"id1|ping")
    assert wire.heard()[0].endswith("got 'id1\\x7cping' at byte 24")


def test_a_secret_may_have_any_characters() -> None:
    wire = Wire()
    wire.context.configure(structs.replace(wire.context.configuration, secret="пароль"), wire.context.limits)
    assert wire.say("1|authenticate|" + "пароль".encode().decode("latin-1"))[0].startswith("response|1|OK|")


class Interceptor:
    """Does with frames what ``received`` and ``sent`` of the test say."""

    def __init__(self) -> None:
        self.kept: list[Callable[[], None]] = []

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        assert connection == 7
        match payload:
            case "drop|ping":
                pass
            case "twice|ping":
                forward(payload)
                forward(payload)
            case "alter|ping":
                forward("altered|ping")
            case "keep|ping":
                self.kept.append(lambda: forward(payload))
            case _:
                forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Callable[[bytes], None]) -> None:
        assert connection == 7
        if b"|deaf|" in frame:
            return
        if b"|broken|" in frame:
            forward(frame.replace(b"#", b"!", 1))
        else:
            forward(frame)


def test_frames_can_be_dropped_doubled_altered_and_kept_on_their_way_in() -> None:
    wire = Wire().authenticate()
    interceptor = wire.context.interceptor = Interceptor()
    assert wire.say("drop|ping", "twice|ping", "alter|ping", "keep|ping") == [
        "response|twice|OK|pong",
        "response|twice|OK|pong",
        "response|altered|OK|pong",
    ]
    interceptor.kept[0]()
    assert wire.heard() == ["response|keep|OK|pong"]
    wire.session.lost()
    interceptor.kept[0]()
    assert wire.heard() == []


def test_frames_can_be_dropped_and_broken_on_their_way_out() -> None:
    wire = Wire().authenticate()
    wire.context.interceptor = Interceptor()
    assert wire.say("deaf|ping", "1|ping") == ["response|1|OK|pong"]
    wire.session.receive(encode_frame("broken|ping"))
    assert b"|response|broken|OK|pong" in (octets := wire.session.take_output())
    assert b"#" not in octets


def test_a_mistake_of_an_interceptor_costs_one_message() -> None:
    wire = Wire().authenticate()

    class Broken(Interceptor):
        def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
            if payload == "1|ping":
                raise Mistake
            forward(payload)

    wire.context.interceptor = Broken()
    assert wire.say("1|ping", "2|ping") == ["response|1|NOK|internal error", "response|2|OK|pong"]


def test_a_frame_that_is_not_completed_ends_the_session() -> None:
    wire = Wire(incomplete_frame_timeout_before_authentication=3.0)
    wire.session.receive(b"12#a|aut")
    wire.world.advance(2.9)
    assert wire.session.connected
    wire.world.advance(0.2)
    assert wire.session.ended
    assert wire.wakes == 1
    said = wire.session.take_output().decode()
    assert said.endswith(
        "|response||NO|framing error: expected 12 bytes of payload, got 5 within 3 s at byte 0"
    )


def test_without_watchers() -> None:
    assert Wire(watched=False).authenticate().say("1|ping") == ["response|1|OK|pong"]


def limited(**limits: int) -> Wire:
    wire = Wire()
    wire.context.configure(wire.context.configuration, LimitConfiguration(**limits))
    return wire.authenticate()


def limits_met(wire: Wire) -> list[object]:
    return [details["limit"] for _, details in wire.tap.events if "limit" in details]


def test_an_application_has_so_many_routes_and_no_more() -> None:
    wire = limited(routes_per_application=2)
    assert wire.say("1|route|invite", "2|route|invite") == ["response|1|OK", "response|2|OK"]
    assert wire.say("3|route|bye") == ["response|3|NOK|too many routes"]
    assert limits_met(wire) == ["routes-per-application"]
    assert wire.say("4|remove_route|invite", "5|route|bye") == ["response|4|OK", "response|5|OK"]
    wire.session.lost()
    assert len(wire.world.registry) == 0


def test_an_application_has_so_many_tags_and_no_more() -> None:
    wire = limited(tags_per_application=2)
    (answer,) = wire.say(f"1|authenticate|{SECRET}|a,b,a,")
    assert answer.startswith("response|1|OK|")
    assert wire.say(f"2|authenticate|{SECRET}|c") == ["response|2|NO|too many tags"]
    assert (wire.session.ended, wire.session.tags) == (True, frozenset("ab"))
    assert limits_met(wire) == ["tags-per-application"]


@pytest.mark.parametrize("known", [False, True])
def test_which_limit_of_frames_was_met_is_told(known: bool) -> None:
    behind = "" if known else "-before-authentication"
    for octets, seconds, limit in ((b"999999#", 0, "frame-limit"), (b"5#a", 61, "incomplete-frame-timeout")):
        wire = Wire(frame_limit=5000)
        if known:
            wire.authenticate()
        wire.session.receive(octets)
        wire.world.advance(seconds)
        assert set(limits_met(wire)) == {f"{limit}{behind}"}
        assert wire.session.ended
