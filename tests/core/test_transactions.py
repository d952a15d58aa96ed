"""What transactions send by: one function for each flow, as long as not too many are kept."""

from __future__ import annotations

import msgspec

from tests.core.world import BY_UDP, World


def test_a_flow_has_one_sender_and_an_equal_one_another(world: World) -> None:
    layer = world.core.transactions
    equal = msgspec.structs.replace(BY_UDP)
    other = msgspec.structs.replace(BY_UDP, remote_port=5099)
    for flow in (BY_UDP, equal, other):
        assert layer.sender(flow) is layer.sender(flow)
        layer.sender(flow)("text")
    for (_, used, _), flow in zip(world.network.sent, (BY_UDP, equal, other), strict=True):
        assert used is flow


def test_ever_new_flows_do_not_fill_the_memory(world: World) -> None:
    senders = world.core.transactions._senders
    for number in range(senders.entries + 2):
        flow = msgspec.structs.replace(BY_UDP, remote_host=f"h{number}")
        world.core.transactions.sender(flow)("text")
        assert world.network.sent.pop()[1] is flow
        assert len(senders.known) <= senders.entries
