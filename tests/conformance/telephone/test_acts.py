"""The table of acts: what can be said, in which order, and what each has in common with the others."""

from __future__ import annotations

import msgspec
import pytest

from drachtio_conformance.telephone.acts import (
    ACTS,
    Act,
    Answer,
    Cancel,
    Dtmf,
    EarlyBye,
    HangUp,
    Hold,
    HungUp,
    NoAck,
    Phase,
    Refer,
    Reinvite,
    Ring,
    ScriptError,
    Side,
    Silent,
    Talk,
    checked,
    leads_to,
)


@pytest.mark.parametrize("kind", ACTS, ids=lambda kind: kind.name())
def test_each_act_says_what_it_does_and_has_one_value_at_most(kind: type[Act]) -> None:
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    assert len(kind.__struct_fields__) <= 1
    assert kind.sides


def test_acts_are_objects_of_json() -> None:
    script = msgspec.json.decode(
        '[{"do": "hold", "seconds": 2}, {"do": "refer", "to": "sip:x@y"}, {"do": "hang-up"}]', type=list[Act]
    )
    assert script == [Hold(2), Refer("sip:x@y"), HangUp()]
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'dance'"):
        msgspec.json.decode('{"do": "dance"}', type=Act)
    with pytest.raises(msgspec.ValidationError, match="unknown field `second`"):
        msgspec.json.decode('{"do": "hold", "second": 2}', type=Act)


@pytest.mark.parametrize(
    ("side", "script", "end"),
    [
        (Side.CALLER, [], Phase.OPEN),
        (Side.CALLER, [Dtmf("12#*A"), Hold(), Reinvite(), Talk(), Refer("tel:+1"), HangUp(3)], Phase.OVER),
        (Side.CALLER, [Hold()], Phase.UP),
        (Side.CALLER, [Cancel(1)], Phase.OVER),
        (Side.CALLER, [EarlyBye()], Phase.OVER),
        (Side.CALLER, [NoAck()], Phase.OVER),
        (Side.CALLEE, [Ring(1), Ring(1)], Phase.OPEN),
        (Side.CALLEE, [Ring(1), Answer(), Hold()], Phase.UP),
        (Side.CALLEE, [Ring(1), Answer(603)], Phase.OVER),
        (Side.CALLEE, [Silent()], Phase.OVER),
        (Side.CALLEE, [HungUp()], Phase.OVER),
    ],
)
def test_what_can_be_played(side: Side, script: list[Act], end: Phase) -> None:
    assert leads_to(checked(script, side)) is end


@pytest.mark.parametrize(
    ("side", "script", "message"),
    [
        (Side.CALLER, [Ring()], "ring is what a callee does, not a caller"),
        (Side.CALLEE, [Cancel()], "cancel is what a caller does, not a callee"),
        (Side.CALLER, [NoAck(), Reinvite()], "reinvite stands behind no-ack, which ends the call"),
        (Side.CALLEE, [Answer(486), Hold()], "hold stands behind answer, which ends the call"),
        (Side.CALLER, [Hold(), EarlyBye()], "early-bye stands behind what answers the call"),
        (Side.CALLEE, [Hold(), Answer()], "answer stands behind what answers the call"),
        (Side.CALLEE, [Answer(180)], "answer: expected a status from 200 to 699, got 180"),
        (Side.CALLER, [Dtmf("1x")], r"dtmf: expected digits of 0-9, \*, #, A-D, got '1x'"),
        (Side.CALLER, [Dtmf("")], "dtmf: expected digits"),
        (Side.CALLER, [Refer("carol")], "refer: expected a URI like sip:carol@127.0.0.1, got 'carol'"),
        (Side.CALLER, [Refer("sip:x@y>\r\nX: y")], "refer: expected a URI"),
        (Side.CALLER, [Hold(-1)], "hold: expected seconds, 0 or more, got -1"),
        (Side.CALLER, [HangUp(float("inf"))], "hang-up: expected seconds, 0 or more, got inf"),
    ],
)
def test_what_nobody_can_play(side: Side, script: list[Act], message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        checked(script, side)
