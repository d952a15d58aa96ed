"""The echo: every token of it, for a response, for a request by datagram and by connection, held and unsent."""

from __future__ import annotations

import pytest

from reference_server.core.echo import request_echo, response_echo, unsent_echo
from reference_server.core.ports import Flow
from tests.core.world import BY_TCP, BY_UDP, World

TEXT = "INFO sip:x SIP/2.0\r\n\r\n"


@pytest.mark.parametrize("transport", ["udp", ""])
def test_a_response_names_where_it_went(world: World, transport: str) -> None:
    echo = response_echo(
        world.core.context, "m1", BY_UDP, transport=transport, transaction_id="t", dialog_id="d", text=TEXT
    )
    assert echo.format("u").split("\r\n")[0].split("|")[:12] == [
        "u", "response", "m1", "OK", "application", str(len(TEXT)), transport, "127.0.0.1",
        "5080", "08:00:00.000000", "t", "d",
    ]  # fmt: skip
    assert echo.format("u").endswith(f"\r\n{TEXT}")


@pytest.mark.parametrize(("flow", "port"), [(BY_UDP, "5060"), (BY_TCP, "5080")], ids=["udp", "tcp"])
@pytest.mark.parametrize("held", [True, False])
def test_a_request_names_our_end_by_datagram_and_the_far_end_by_connection(
    world: World, flow: Flow, port: str, held: bool
) -> None:
    echo = request_echo(world.core.context, "m1", flow, transaction_id="t", text=TEXT, held=held)
    tokens = echo.format("u").split("\r\n")[0].split("|")
    assert tokens[:11] == [
        "u", "response", "m1", "OK", "application", "0" if held else str(len(TEXT)), flow.transport.name,
        "127.0.0.1", port, "08:00:00.000000", "t",
    ]  # fmt: skip


def test_what_has_nowhere_to_go_names_no_address(world: World) -> None:
    echo = unsent_echo(world.core.context, "m1", transaction_id="t", text=TEXT)
    tokens = echo.format("u").split("\r\n")[0].split("|")
    assert tokens[3:6] == ["OK", "application", "0"]
    assert tokens[6] == "unknown"
    assert tokens[10] == "t"
