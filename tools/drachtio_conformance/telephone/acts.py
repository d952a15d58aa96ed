"""What a telephone can be told to do: one class is one act, a row of acts is a script.

A script begins when the INVITE is sent, or has come. The classes are the table from which the options of ``call`` and
``phone``, the schema of the control API and the words of messages are made. As JSON an act is an object that ``do``
names: ``{"do": "hold", "seconds": 2}``.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import ClassVar, TypeAlias, get_args

from msgspec import Struct


class Side(enum.Enum):
    """Who plays the script."""

    CALLER = "caller"
    CALLEE = "callee"


class Phase(enum.Enum):
    """How far the call is."""

    OPEN = "has no final response"
    UP = "is up"
    OVER = "is over"


BOTH = frozenset(Side)
_CALLER = frozenset({Side.CALLER})
_CALLEE = frozenset({Side.CALLEE})


class ScriptError(ValueError):
    """Nobody can do that; the text says why."""


class _Act(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """What all acts have."""

    sides: ClassVar[frozenset[Side]] = BOTH
    phase: ClassVar[Phase] = Phase.UP
    """how far the call has to be; what has no final response yet is answered first"""

    @classmethod
    def name(cls) -> str:
        """By which it is known: ``hold``."""
        return str(cls.__struct_config__.tag)

    @property
    def leads_to(self) -> Phase:
        """How far the call is behind it."""
        return Phase.UP

    @property
    def wrong(self) -> str:
        """What is wrong with its value; empty if nothing is."""
        value = getattr(self, "seconds", getattr(self, "after", 0.0))
        return "" if 0 <= value < 86_400 else f"expected seconds, 0 or more, got {value:g}"


class Ring(_Act, frozen=True, tag="ring"):
    """Send 180, and go on so many seconds later."""

    sides: ClassVar[frozenset[Side]] = _CALLEE
    phase: ClassVar[Phase] = Phase.OPEN
    seconds: float = 0.0

    @property
    def leads_to(self) -> Phase:
        return Phase.OPEN


class Answer(_Act, frozen=True, tag="answer"):
    """Answer the INVITE with this status, and wait for the ACK."""

    sides: ClassVar[frozenset[Side]] = _CALLEE
    phase: ClassVar[Phase] = Phase.OPEN
    status: int = 200

    @property
    def leads_to(self) -> Phase:
        return Phase.UP if self.status < 300 else Phase.OVER

    @property
    def wrong(self) -> str:
        return "" if 200 <= self.status < 700 else f"expected a status from 200 to 699, got {self.status}"


class Silent(_Act, frozen=True, tag="silent"):
    """Answer nothing at all, until the other side cancels."""

    sides: ClassVar[frozenset[Side]] = _CALLEE
    phase: ClassVar[Phase] = Phase.OPEN

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


class Cancel(_Act, frozen=True, tag="cancel"):
    """CANCEL the INVITE if it has no final response after so many seconds."""

    sides: ClassVar[frozenset[Side]] = _CALLER
    phase: ClassVar[Phase] = Phase.OPEN
    after: float = 0.0

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


class EarlyBye(_Act, frozen=True, tag="early-bye"):
    """BYE as soon as it rings."""

    sides: ClassVar[frozenset[Side]] = _CALLER
    phase: ClassVar[Phase] = Phase.OPEN

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


class NoAck(_Act, frozen=True, tag="no-ack"):
    """Never acknowledge the answer: the other side has to hang up."""

    sides: ClassVar[frozenset[Side]] = _CALLER
    phase: ClassVar[Phase] = Phase.OPEN

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


class Reinvite(_Act, frozen=True, tag="reinvite"):
    """Offer the session anew by a re-INVITE."""


class Hold(_Act, frozen=True, tag="hold"):
    """Put the other side on hold (a=sendonly) for so many seconds, then take it back (a=sendrecv)."""

    seconds: float = 0.5


class Dtmf(_Act, frozen=True, tag="dtmf"):
    """Send an INFO (application/dtmf-relay) for each of these digits."""

    digits: str

    @property
    def wrong(self) -> str:
        return (
            ""
            if re.fullmatch(r"[0-9A-D*#]{1,100}", self.digits)
            else f"expected digits of 0-9, *, #, A-D, got '{self.digits}'"
        )


class Refer(_Act, frozen=True, tag="refer"):
    """Ask the other side to call this URI instead (REFER)."""

    to: str

    @property
    def wrong(self) -> str:
        return (
            ""
            if re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*:[\x21-\x7e]+", self.to) and ">" not in self.to
            else f"expected a URI like sip:carol@127.0.0.1, got '{self.to}'"
        )


class Talk(_Act, frozen=True, tag="talk"):
    """Leave the call as it is for so many seconds."""

    seconds: float = 0.5


class HangUp(_Act, frozen=True, tag="hang-up"):
    """Send BYE after so many seconds, if the other side has not."""

    after: float = 0.0

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


class HungUp(_Act, frozen=True, tag="hung-up"):
    """Wait so many seconds, at most, for the BYE of the other side."""

    seconds: float = 32.0

    @property
    def leads_to(self) -> Phase:
        return Phase.OVER


Act: TypeAlias = (
    Ring
    | Answer
    | Silent
    | Cancel
    | EarlyBye
    | NoAck
    | Reinvite
    | Hold
    | Dtmf
    | Refer
    | Talk
    | HangUp
    | HungUp
)
ACTS: tuple[type[Act], ...] = get_args(Act)
"""All of them, in the order in which help shows them."""


def checked(script: Sequence[Act], side: Side, phase: Phase = Phase.OPEN) -> tuple[Act, ...]:
    """The script, if the caller or callee can do one act behind the other from ``phase`` on. Raises ScriptError."""
    if phase is Phase.OVER:
        raise ScriptError("there is no call that is up")
    ended = ""
    for act in script:
        if side not in act.sides:
            raise ScriptError(
                f"{act.name()} is what a {next(iter(act.sides)).value} does, not a {side.value}"
            )
        if act.wrong:
            raise ScriptError(f"{act.name()}: {act.wrong}")
        if phase is Phase.OVER:
            raise ScriptError(f"{act.name()} stands behind {ended}, which ends the call")
        if act.phase is Phase.OPEN and phase is Phase.UP:
            raise ScriptError(f"{act.name()} stands behind what answers the call")
        phase = act.leads_to
        if phase is Phase.OVER:
            ended = act.name()
    return tuple(script)


def leads_to(script: Sequence[Act]) -> Phase:
    """How far the call is behind the script, if all goes well."""
    return script[-1].leads_to if script else Phase.OPEN
