"""With as many dialogs as there may be nothing begins another; who owes too many answers gets no more requests."""

from __future__ import annotations

from msgspec import structs

from reference_server.core.context import Settings
from reference_server.core.saturation import BETWEEN_LOOKS
from tests.core.world import Call, Phone, World, statuses_of, transaction_id_of

FAR = "sip:carol@127.0.0.1:5090"


def told(world: World, limit: str) -> list[str]:
    """The events that tell of it."""
    return [name for name, details in world.tap.events if details.get("limit") == limit]


def test_with_so_many_dialogs_what_would_begin_another_gets_503() -> None:
    world = World(Settings(most_dialogs=2))
    application = world.application("invite", "subscribe", "options")
    calls = [Call(world, application, f"c{number}").establish() for number in range(2)]
    phone = Phone(world, "late")
    refused = phone.invite()[-1]
    assert statuses_of([refused]) == [503]
    assert "\r\nRetry-After: 10\r\n" in refused
    phone.learn(refused)
    phone.send("ACK", same=True)
    assert statuses_of(Phone(world, "s").send("SUBSCRIBE")) == [503]
    assert told(world, "dialogs") == ["sip-refused", "sip-refused"]
    assert application.take() == []
    assert Phone(world, "o").send("OPTIONS") == [], "which begins none, and is offered"
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    calls[0].phone.send("INFO")  # and what belongs to one comes in
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    calls[0].hang_up()
    last = Call(world, application, "last").establish()
    for call in (calls[1], last):
        call.hang_up()
    over(world)


def test_an_application_begins_no_more_either() -> None:
    world = World(Settings(most_dialogs=1))
    application = world.application("invite")
    call = Call(world, application).establish()
    assert application.say(f"sip||\r\nINVITE {FAR} SIP/2.0\r\n\r\n").endswith("|NOK|too many dialogs")
    assert told(world, "dialogs") == ["application-over-limit"]
    assert "|OK|" in application.say(f"sip||\r\nOPTIONS {FAR} SIP/2.0\r\n\r\n")
    application.take()
    call.hang_up()
    assert "|OK|" in application.say(f"sip||\r\nINVITE {FAR} SIP/2.0\r\n\r\n")
    over(world)


def over(world: World) -> None:
    """Who is still waited for is given up, then nothing is left."""
    world.advance(64)
    world.check_empty()


def owing(world: World, count: int) -> None:
    """So many requests that nobody answers."""
    for number in range(count):
        Phone(world, f"owed{number}").send("OPTIONS")
    world.advance(BETWEEN_LOOKS)


def test_who_owes_too_many_answers_is_passed_over_until_it_has_given_some() -> None:
    world = World(Settings(most_waiting=3))
    silent = world.application("options")
    owing(world, 3)
    other = world.application("options")
    offered = silent.take()
    for number in range(4):
        Phone(world, f"p{number}").send("OPTIONS")
        other.answer(transaction_id_of(other.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")
        world.advance(BETWEEN_LOOKS)
    assert silent.take() == []
    assert told(world, "requests-per-application") == ["application-over-limit"]
    silent.answer(transaction_id_of(offered[0]), "SIP/2.0 200 OK\r\n\r\n")
    for number in range(2):
        Phone(world, f"q{number}").send("OPTIONS")
    assert len([text for text in silent.take() if "|sip|network|" in text]) == 1, "its turn comes again"
    over(world)


def test_if_all_owe_too_many_callers_hear_503() -> None:
    world = World(Settings(most_waiting=2))
    application = world.application("options")
    owing(world, 2)
    assert statuses_of(Phone(world, "late").send("OPTIONS")) == [503]
    for text in application.take():
        application.answer(transaction_id_of(text), "SIP/2.0 200 OK\r\n\r\n")
    assert Phone(world, "again").send("OPTIONS") == []
    over(world)


def test_who_owes_is_counted_ten_times_a_second_at_most() -> None:
    world = World(Settings(most_waiting=2))
    application = world.application("options")
    for number in range(5):  # at one moment: the first look is at the third of them
        Phone(world, f"p{number}").send("OPTIONS")
    assert len(application.take()) == 2
    over(world)


def test_a_limit_may_change_while_calls_are_up() -> None:
    world = World(Settings(most_dialogs=1))
    application = world.application("invite")
    first = Call(world, application).establish()
    world.core.apply(structs.replace(world.core.context.settings, most_dialogs=2))
    second = Call(world, application, "second").establish()
    for call in (first, second):
        call.hang_up()
    over(world)
