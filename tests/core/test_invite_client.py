"""Our side of an INVITE: CANCEL before and after a provisional response, silence, patience; for UAC and proxy alike."""

from __future__ import annotations

import pytest

from reference_server.core.invite_client import InviteClient
from reference_server.core.transactions import Sent
from tests.core.proxy.stage import Stage
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import BY_UDP, Phone, World

INVITE = Sent("INVITE", "z9hG4bKi", "INVITE sip:x SIP/2.0\r\n\r\n", BY_UDP)
CANCEL = (
    "CANCEL sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKi\r\nFrom: <sip:a>;tag=1\r\n"
    "To: <sip:b>\r\nCall-ID: c\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n"
)


class Owner:
    """Implements ``InviteOwner``: what it was told, and when."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.told: list[tuple[str, float]] = []

    def silent(self) -> None:
        self.told.append(("silent", self._world.clock.now))

    def give_up(self) -> None:
        self.told.append(("give up", self._world.clock.now))


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


@pytest.fixture
def client(world: World, owner: Owner) -> InviteClient:
    return InviteClient(world.core.context, world.core.transactions, owner, longest_silence=100)


def test_a_cancel_waits_for_the_first_provisional_response(world: World, client: InviteClient) -> None:
    client.cancel(INVITE, CANCEL)
    assert (client.cancelled, client.holds_cancel, world.network.take()) == (True, True, [])
    client.proceeding()
    assert (client.holds_cancel, world.network.take()) == (False, [CANCEL])


def test_a_cancel_behind_one_goes_at_once(world: World, client: InviteClient) -> None:
    client.proceeding()
    client.cancel(INVITE, CANCEL)
    assert (client.holds_cancel, world.network.take()) == (False, [CANCEL])


def test_at_another_address_it_has_to_wait_again(world: World, client: InviteClient, owner: Owner) -> None:
    client.proceeding()
    client.begin_again()
    world.advance(200)
    assert owner.told == [], "the first address is not waited for any more"
    client.cancel(INVITE, CANCEL)
    assert client.holds_cancel


def test_before_any_provisional_response_silence_is_the_transactions(
    world: World, client: InviteClient, owner: Owner
) -> None:
    client.heard()
    world.advance(1000)
    assert owner.told == []


def test_silence_counts_from_the_last_provisional_response(
    world: World, client: InviteClient, owner: Owner
) -> None:
    client.proceeding()
    world.advance(99)
    client.heard()
    world.advance(99)
    assert owner.told == []
    world.advance(1)
    assert owner.told == [("silent", 199)]


def test_behind_a_cancel_only_64_t1_count(world: World, client: InviteClient, owner: Owner) -> None:
    client.proceeding()
    client.cancel(INVITE, CANCEL)
    world.advance(200)
    assert owner.told == [("give up", 32)]


def test_a_held_cancel_begins_the_patience_when_it_leaves(
    world: World, client: InviteClient, owner: Owner
) -> None:
    client.cancel(INVITE, CANCEL)
    world.advance(50)
    client.proceeding()
    world.advance(31)
    assert owner.told == []
    world.advance(1)
    assert owner.told == [("give up", 82)]


@pytest.mark.parametrize("cancelled", [True, False])
def test_with_a_final_response_nothing_is_waited_for(
    world: World, client: InviteClient, owner: Owner, cancelled: bool
) -> None:
    client.proceeding()
    if cancelled:
        client.cancel(INVITE, CANCEL)
        Phone(world).respond(CANCEL)
    client.stop()
    world.advance(1000)
    assert owner.told == []


def test_of_an_application_and_of_a_proxy_it_is_the_same(world: World) -> None:
    """The CANCEL of either waits, leaves with the 180, and is not waited for longer than 64·T1."""
    call = Originated(world)
    stage = Stage(world)
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    call.cancel()
    stage.phone.send("CANCEL", same=True)
    assert stage.carol.nothing_more()
    world.network.sent.clear()
    call.answer(180, CONTACT)
    assert len(world.network.times("CANCEL")) == 1
    stage.carol.answer(invite, 180)
    assert len(world.network.times("CANCEL")) == 2
    world.advance(33)
    assert call.statuses()[-1] == 408
    assert world.core.occupancy()["outgoing INVITEs"] == 0
    world.advance(33)
