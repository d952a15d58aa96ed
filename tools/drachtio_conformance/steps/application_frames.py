"""The frames that the application under test sends, compared; and that it sends none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drachtio_conformance.peers.admin_peer import Incoming
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.variables import Variables, octets
from drachtio_conformance.steps.comparison import (
    Mismatch,
    check_sip,
    check_tokens,
    sip_mutants,
    token_mutants,
)
from drachtio_conformance.steps.message_check import MessageCheck, report
from drachtio_conformance.steps.mutation import FOREIGN_FRAME, Mutation, MutationKind, rewrite_frame
from drachtio_conformance.steps.patterns import cut_tokens, describe
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Tokens
from msgtrace import messages, sip
from msgtrace.frames import Damage, Frame

_ASIDE = ("ping", "route", "remove_route", "authenticate")
"""what an application may send at any time"""
_BARRIER = 413
"""the status by which the answer to the barrier is known"""


async def next_frame(
    stage: Stage, patterns: list[str], within: str | None = None, *, check: MessageCheck | None = None
) -> Frame:
    """The first frame of the application that fits; those before it stay. Raises CheckFailed."""
    check = check or MessageCheck()
    channel = stage.client.link.incoming
    expected = "|".join(describe(pattern, stage.variables) for pattern in patterns)

    def fits(item: Incoming) -> bool:
        return isinstance(item, Frame) and not _compare(stage, patterns, check, frame=item)[0]

    try:
        item = await channel.take_first(fits, stage.patience(within))
    except NothingCame as error:
        raise CheckFailed(expected, f"{error} that fits{_others(channel.waiting())}") from None
    stage.asserts(_mutants(stage, patterns, check, item=item))

    def judge(item: Incoming) -> tuple[Frame, Variables]:
        assert isinstance(item, Frame)
        mismatches, trial = _compare(stage, patterns, check, frame=item)
        report(mismatches, item.payload)
        return item, trial

    seen, trial = stage.judged(channel, item, FOREIGN_FRAME, rewrite=_rewritten, judge=judge)
    stage.variables.values.update(trial.values)
    return seen


def _compare(
    stage: Stage, patterns: list[str], check: MessageCheck, *, frame: Frame
) -> tuple[list[Mismatch], Variables]:
    trial = Variables(stage.variables.values)
    tokens, content = messages.split(frame.payload)
    mismatches = check_tokens(patterns, tokens, trial)
    if check.expectation().demands_message:
        mismatches += check_sip(check.expectation(), sip.parse(content), trial)
    return mismatches, trial


def _mutants(stage: Stage, patterns: list[str], check: MessageCheck, *, item: Incoming) -> Iterator[Mutation]:
    yield from check.mutate
    yield Mutation(kind=MutationKind.DROP)
    if isinstance(item, Frame):
        tokens, content = messages.split(item.payload)
        yield from token_mutants(patterns, tokens, stage.variables)
        if check.expectation().demands_message:
            yield from sip_mutants(check.expectation(), sip.parse(content), stage.variables)


def _rewritten(item: Incoming, mutation: Mutation) -> Incoming:
    return rewrite_frame(item, mutation) if isinstance(item, Frame) else item


def _others(items: list[Incoming]) -> str:
    """What came instead, in a few words."""
    told = [_told(item) for item in items]
    return f"; others came: {', '.join(told[-4:])}" if told else ""


def _told(item: Incoming) -> str:
    match item:
        case Frame():
            return octets(messages.decode(item.payload, from_server=False).summary())
        case Damage():
            return item.explanation
        case Closed():
            return "the end of the connection"


class AppSends(MessageCheck, frozen=True, kw_only=True, tag="app_sends"):
    """The application sends a frame that matches all that is given; others, before it, stay for later checks."""

    shorthand: ClassVar[str] = "tokens"
    tokens: Tokens
    """patterns for all tokens, from 0"""

    def words(self) -> str:
        about = f": {self.start}" if self.start else ""
        return f"the application sends {'|'.join(cut_tokens(self.tokens))}{about}"

    async def carry_out(self, stage: Stage) -> Finding:
        frame = await next_frame(stage, cut_tokens(self.tokens), self.within, check=self)
        tokens = cut_tokens(self.tokens)
        expected = "|".join(describe(pattern, stage.variables) for pattern in tokens)
        return Finding(expected=expected, actual=frame.payload)


class AppSendsNothing(Step, frozen=True, kw_only=True, tag="app_sends_nothing"):
    """The application sends nothing but what was checked: an OPTIONS that comes now is what it answers next.

    ``but`` are start lines of what it may send besides; pings and routes do not count.
    """

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "but"
    but: list[str] | None = None

    def words(self) -> str:
        return "the application sends nothing else"

    async def carry_out(self, stage: Stage) -> Finding:
        channel = stage.client.link.incoming
        stage.asserts([Mutation(kind=MutationKind.INJECT)])
        if stage.take_mutation() is not None:
            channel.put_back(FOREIGN_FRAME)
        peer = stage.peers.get("barrier") or await stage.open_peer("barrier", "udp", "ipv4")
        peer.request("OPTIONS", uri=f"sip:respond-{_BARRIER}@{stage.variables['sip.udp']}")
        await SipExpect(peer="barrier", status=_BARRIER, method="OPTIONS").carry_out(stage)
        others = [item for item in channel.waiting() if not self._allowed(item)]
        if others:
            raise CheckFailed("nothing", ", ".join(_told(item) for item in others))
        return Finding(expected="nothing", actual="nothing")

    def _allowed(self, item: Incoming) -> bool:
        if not isinstance(item, Frame):
            return False
        tokens, content = messages.split(item.payload)
        aside = "".join(tokens[1:2]) in _ASIDE
        return aside or content.startswith((f"SIP/2.0 {_BARRIER}", *(self.but or ())))


class AppNeverSends(Step, frozen=True, kw_only=True, tag="app_never_sends"):
    """The application sends no frame of some kind for a while: where there is nothing that could be waited for."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "tokens"
    tokens: Tokens
    """patterns for all tokens"""
    quiet: Duration = "500ms"
    """watch this long (scaled by ``--slow``)"""

    def words(self) -> str:
        return f"the application does not send {'|'.join(cut_tokens(self.tokens))}"

    async def carry_out(self, stage: Stage) -> Finding:
        channel, patterns = stage.client.link.incoming, cut_tokens(self.tokens)
        stage.asserts([Mutation(kind=MutationKind.INJECT)])

        def unwanted(item: Incoming) -> bool:
            return item is FOREIGN_FRAME or (
                isinstance(item, Frame) and not _compare(stage, patterns, MessageCheck(), frame=item)[0]
            )

        if stage.take_mutation() is not None:
            channel.put_back(FOREIGN_FRAME)
        try:
            item = await channel.take_first(unwanted, stage.patience(self.quiet))
        except NothingCame as silence:
            return Finding(expected="nothing", actual=str(silence))
        raise CheckFailed("nothing", _told(item))


class AppCloses(Step, frozen=True, kw_only=True, tag="app_closes"):
    """The application ends its connection."""

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "within"
    within: Duration | None = None

    def words(self) -> str:
        return "the application ends its connection"

    async def carry_out(self, stage: Stage) -> Finding:
        channel, expected = stage.client.link.incoming, "the end of the connection"
        try:
            item = await channel.take_first(
                lambda item: isinstance(item, Closed), stage.patience(self.within)
            )
        except NothingCame as error:
            raise CheckFailed(expected, str(error)) from None
        stage.asserts([Mutation(kind=MutationKind.DROP)])
        stage.judged(channel, item, FOREIGN_FRAME, rewrite=_rewritten, judge=lambda item: item)
        return Finding(expected=expected, actual="the end of the connection")
