"""The frames that tell an application of SIP messages: every token of each kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.to_application import (
    acknowledgement,
    from_network,
    made_here,
    new_request,
    target_answered,
    unsolicited,
    unsolicited_unsent,
)
from reference_server.sip.transport import UDP
from reference_server.wire.frames_to_application import ServerMessage
from tests.core.world import BY_TCP, BY_UDP, World, sip_of, tokens_of

TEXT = "INFO sip:x SIP/2.0\r\n\r\n"
TIME = "08:00:00.000000"


def tokens(message: ServerMessage) -> list[str]:
    """The tokens behind the id and the type; the SIP message is as it was given."""
    payload = message.format("u")
    assert sip_of(payload) == TEXT
    return tokens_of(payload)[2:]


@pytest.mark.parametrize("dialect_0_8", [True, False])
def test_a_request_outside_dialogs_names_our_end_unless_in_the_0_8_dialect(
    worlds: Callable[[Settings], World], dialect_0_8: bool
) -> None:
    context = worlds(Settings(dialect_0_8=dialect_0_8)).core.context
    told = tokens(new_request(context, BY_TCP, 77, "t", TEXT))
    assert told[:7] == ["network", "77", "tcp", "127.0.0.1", "5080", TIME, "t"]
    assert ("5060" in told) is not dialect_0_8


def test_a_message_in_a_dialog(world: World) -> None:
    message = from_network(world.core.context, BY_UDP, 77, transaction_id="t", dialog_id="d", text=TEXT)
    assert tokens(message) == ["network", "77", "udp", "127.0.0.1", "5080", TIME, "t", "d", ""]


def test_an_ack_names_no_transport(world: World) -> None:
    message = acknowledgement(world.core.context, BY_UDP, 77, transaction_id="t", dialog_id="d", text=TEXT)
    assert tokens(message) == ["network", "77", "", "127.0.0.1", "5080", TIME, "t", "d", ""]


def test_what_no_far_end_has_sent_has_no_length_and_no_address(world: World) -> None:
    message = made_here(world.core.context, UDP, transaction_id="t", dialog_id="d", text=TEXT)
    told = tokens(message)
    assert told[:3] == ["network", "0", "udp"]
    assert told[-3:] == ["t", "d", ""]
    assert "127.0.0.1" not in told


def test_a_request_of_the_servers_own_names_our_end(world: World) -> None:
    message = unsolicited(world.core.context, TEXT, BY_UDP, "d")
    assert tokens(message) == [
        "application", str(len(TEXT)), "udp", "127.0.0.1", "5060", TIME, "unsolicited", "d", "",
    ]  # fmt: skip


def test_and_where_it_found_no_way_none(world: World) -> None:
    told = tokens(unsolicited_unsent(world.core.context, TEXT, "d"))
    assert told[:3] == ["application", "0", "unknown"]
    assert told[-3:] == ["unsolicited", "d", ""]


def test_a_targets_final_response(world: World) -> None:
    message = target_answered(world.core.context, "m1", BY_UDP, TEXT)
    assert tokens(message) == [
        "m1", "OK", "network", str(len(TEXT)), "udp", "127.0.0.1", "5080", TIME, "", "", "continue",
    ]  # fmt: skip
