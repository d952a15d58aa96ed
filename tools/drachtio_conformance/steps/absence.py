"""Checks that nothing comes, or nothing but the end.

Silence cannot be waited for. So the suite provokes something that the server sends behind whatever it had to send
before, on the same channel, and demands that this *barrier* is the next thing to come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias

from msgspec import Struct, field

from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_transport import Received
from drachtio_conformance.peers.variables import new_id
from drachtio_conformance.steps import answers, sip_expect
from drachtio_conformance.steps.mutation import FOREIGN_FRAME, Mutation, MutationKind
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Name
from msgtrace import sip
from msgtrace.frames import Damage, Frame

Arrival: TypeAlias = Frame | Damage | Received | Closed
"""What can come to an application or a SIP peer."""

_UNANSWERABLE = "SIP/2.0 200 OK\r\nX-Barrier: yes\r\n\r\n"


class _Provoked(Struct, frozen=True):
    """A barrier that has been asked for."""

    expected: str
    """what it is, in words"""
    is_it: Callable[[Arrival], bool]
    take_first: Callable[[Callable[[Arrival], bool], float], Awaitable[Arrival]]
    """of the channel on which it comes"""


class ExpectNothing(Step, frozen=True, kw_only=True, tag="expect_nothing"):
    """No frame comes to an application: what the barrier provokes is the next thing it gets.

    A barrier is ``APP.ping``, ``APP.sip`` (an answer to an unknown transaction: ordered behind SIP work) or
    a SIP peer's name (a BYE outside any dialog, which the server answers 481); several are passed in order.
    The last one must be of this application, unless ``quiet`` is given.
    """

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "app"
    app: Name = "app"
    barrier: list[str] | None = None
    """default: this application's ping"""
    quiet: Duration | None = None
    """only where no barrier exists: watch this long (scaled by ``--slow``)"""
    mutate: list[Mutation] = field(default_factory=list)

    def words(self) -> str:
        return f"{self.app} gets nothing"

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.application(self.app)
        stage.asserts([*self.mutate, Mutation(kind=MutationKind.INJECT)])
        if stage.take_mutation() is not None:
            peer.incoming.put_back(FOREIGN_FRAME)
        barriers = _barriers(self.barrier, self.quiet, own=self.app, default=f"{self.app}.ping")
        return await _silence(stage, barriers, self.quiet, take=peer.incoming.take)


class SipNothing(Step, frozen=True, kw_only=True, tag="sip_nothing"):
    """No SIP message comes to a peer; barriers as in expect_nothing (default: the peer's own)."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    barrier: list[str] | None = None
    repeats: bool = False
    """byte-equal repeats of what was taken may come"""
    quiet: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)

    def words(self) -> str:
        return f"{self.peer} gets nothing"

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.peer(self.peer)
        stage.asserts([*self.mutate, Mutation(kind=MutationKind.INJECT)])
        if stage.take_mutation() is not None:
            peer.endpoint.incoming.put_back(sip_expect.foreign_message())
        barriers = _barriers(self.barrier, self.quiet, own=self.peer, default=self.peer)

        def counts(item: Received | Closed) -> bool:
            return not (self.repeats and isinstance(item, Received) and peer.is_repeat(item.raw))

        def take(seconds: float) -> Awaitable[Arrival]:
            return peer.endpoint.incoming.take_first(counts, seconds)

        return await _silence(stage, barriers, self.quiet, take=take)


def _barriers(barrier: list[str] | None, quiet: str | None, *, own: str, default: str) -> list[str]:
    if quiet is not None:
        return barrier or []
    barriers = [default] if barrier is None else barrier
    if not barriers or barriers[-1].partition(".")[0] != own:
        raise StepError(f"the last barrier must be of {own} itself, like {default}; got {barriers or 'none'}")
    return barriers


async def _silence(
    stage: Stage, barriers: list[str], quiet: str | None, *, take: Callable[[float], Awaitable[Arrival]]
) -> Finding:
    """Pass the barriers; the next thing that ``take`` gives must be the last of them, with ``quiet`` nothing."""
    for barrier in barriers if quiet is not None else barriers[:-1]:
        await _pass(stage, await _provoke(stage, barrier))
    last = await _provoke(stage, barriers[-1]) if quiet is None else None
    try:
        item = await take(stage.patience(quiet))
    except NothingCame as silence:
        if last is not None:
            raise CheckFailed(last.expected, str(silence)) from None
        return Finding(expected="nothing", actual=str(silence))
    if last is not None and last.is_it(item):
        return Finding(expected="nothing", actual="nothing")
    raise CheckFailed("nothing", _told(item))


async def _pass(stage: Stage, barrier: _Provoked) -> None:
    """Pass a barrier on another channel; what comes before it there stays queued."""
    try:
        item = await barrier.take_first(
            lambda item: isinstance(item, Closed) or barrier.is_it(item), stage.patience(None)
        )
    except NothingCame as error:
        raise CheckFailed(barrier.expected, str(error)) from None
    if isinstance(item, Closed):
        raise CheckFailed(barrier.expected, _told(item))


async def _provoke(stage: Stage, barrier: str) -> _Provoked:
    if barrier in stage.peers:
        peer = stage.peer(barrier)
        branch = peer.probe()
        return _Provoked(
            f"481 to the BYE that serves as barrier at {barrier}",
            lambda item: isinstance(item, Received) and sip.parse(item.raw).branch == branch,
            peer.endpoint.incoming.take_first,
        )
    name, _, kind = barrier.partition(".")
    application, message_id = stage.application(name), new_id()
    match kind:
        case "ping":
            await application.send_message(f"{message_id}|ping")
        case "sip":
            await application.send_message(f"{message_id}|sip|{new_id()}|\r\n{_UNANSWERABLE}")
        case _:
            raise StepError(f"a barrier is APP.ping, APP.sip or a SIP peer's name, not {barrier!r}")
    return _Provoked(
        f"the answer to the barrier {barrier}",
        lambda item: isinstance(item, Frame) and item.payload.split("|")[1:3] == ["response", message_id],
        application.incoming.take_first,
    )


class ExpectClose(Step, frozen=True, kw_only=True, tag="expect_close"):
    """The server closes the connection of an application or a TCP SIP peer, and sends nothing before."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "of"
    of: Name = "app"
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)

    def words(self) -> str:
        return f"the server closes the connection of {self.of}"

    async def carry_out(self, stage: Stage) -> Finding:
        patience = stage.patience(self.within)
        expected = "the server closes the connection"
        kinds = (MutationKind.DROP, MutationKind.INJECT)
        stage.asserts([*self.mutate, *(Mutation(kind=kind) for kind in kinds)])

        def judge(item: Arrival) -> Finding:
            if isinstance(item, Closed):
                return Finding(expected=expected, actual="reset" if item.reset else "closed")
            raise CheckFailed(expected, _told(item))

        try:
            if self.of in stage.peers:
                peer = stage.peer(self.of)
                return sip_expect.judged(
                    stage, peer, await peer.endpoint.incoming.take(patience), judge=judge
                )
            application = stage.application(self.of)
            return answers.judged(stage, application, await application.incoming.take(patience), judge=judge)
        except NothingCame:
            raise CheckFailed(expected, f"still open after {patience:g} s") from None


def _told(item: Arrival) -> str:
    match item:
        case Frame():
            return item.payload
        case Damage():
            return item.octets
        case Received():
            return item.raw
        case Closed():
            return "the connection was reset" if item.reset else "the connection was closed"
