"""An application's message and the ``response`` to it: sent, awaited, compared."""

from __future__ import annotations

from collections.abc import Callable

from drachtio_conformance.peers.admin_peer import AdminPeer, Incoming
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.comparison import check_tokens, token_mutants
from drachtio_conformance.steps.message_check import report
from drachtio_conformance.steps.mutation import FOREIGN_FRAME, Mutation, MutationKind, rewrite_frame
from drachtio_conformance.steps.patterns import cut_tokens
from drachtio_conformance.steps.stage import CheckFailed, Judged, Stage
from drachtio_conformance.steps.terms import Tokens
from msgtrace import messages
from msgtrace.frames import Damage, Frame


async def tell(stage: Stage, peer: AdminPeer, message_id: str, *, rest: str) -> None:
    """Send ``ID|rest``; from now on ``${id}`` is its id."""
    await peer.send_message(f"{message_id}|{rest}")
    remember(stage, peer, message_id)


def remember(stage: Stage, peer: AdminPeer, message_id: str) -> None:
    """``${id}`` and ``${APP.id}`` are this message's id."""
    stage.variables["id"] = message_id
    stage.variables[f"{peer.name}.id"] = message_id


async def answered(stage: Stage, peer: AdminPeer, message_id: str, *, answer: Tokens) -> list[str]:
    """Check the ``response`` to a message, ``answer`` being the patterns behind its id; other frames stay queued.

    Returns all its tokens. Raises :class:`CheckFailed`.
    """
    patterns = ["{uuid}", "response", f"={message_id}", *cut_tokens(answer)]
    frame = await first_answer(stage, peer, message_id, seconds=stage.patience(None))
    tokens, _ = messages.split(frame.payload)
    stage.asserts([Mutation(kind=MutationKind.DROP), *token_mutants(patterns, tokens, stage.variables)])

    def judge(item: Incoming) -> list[str]:
        payload = frame_of(item, f"{answer} to message {message_id}").payload
        tokens, _ = messages.split(payload)
        report(check_tokens(patterns, tokens, Variables(stage.variables.values)), payload)
        return tokens

    return judged(stage, peer, frame, judge=judge)


async def first_answer(stage: Stage, peer: AdminPeer, message_id: str, *, seconds: float) -> Frame:
    """The ``response`` to a message; what comes before it stays queued. Raises :class:`CheckFailed`."""

    def wanted(item: Incoming) -> bool:
        return isinstance(item, Closed) or (
            isinstance(item, Frame) and item.payload.split("|")[1:3] == ["response", message_id]
        )

    expected = f"a response to message {message_id}"
    try:
        item = await peer.incoming.take_first(wanted, seconds)
    except NothingCame as error:
        raise CheckFailed(expected, str(error)) from None
    return frame_of(item, expected)


def frame_of(item: Incoming, expected: str) -> Frame:
    """The item if it is a frame. Raises :class:`CheckFailed`."""
    match item:
        case Closed(reset):
            raise CheckFailed(expected, "the server " + ("reset" if reset else "closed") + " the connection")
        case Damage():
            raise CheckFailed(expected, f"no frame: {item.explanation}")
        case _:
            return item


def judged(stage: Stage, peer: AdminPeer, item: Incoming, *, judge: Callable[[Incoming], Judged]) -> Judged:
    """What a check makes of what came to an application (:meth:`Stage.judged`)."""
    return stage.judged(peer.incoming, item, FOREIGN_FRAME, rewrite=_rewritten, judge=judge)


def _rewritten(item: Incoming, mutation: Mutation) -> Incoming:
    return rewrite_frame(item, mutation) if isinstance(item, Frame) else item
