"""The frames that an application gets, compared; and its answers to requests, with the echo they must have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from msgspec import field

from drachtio_conformance.peers.admin_peer import AdminPeer, Incoming
from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.sip_compose import crlf, status_line
from drachtio_conformance.peers.variables import Variables, new_id
from drachtio_conformance.steps.answers import frame_of, judged, remember, tell
from drachtio_conformance.steps.comparison import (
    Mismatch,
    SipExpectation,
    check_sip,
    check_tokens,
    sip_mutants,
    token_mutants,
)
from drachtio_conformance.steps.message_check import MessageCheck, report
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.octets import filled
from drachtio_conformance.steps.patterns import cut_tokens, describe
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, HeaderFields, Name, Tokens
from msgtrace import messages, sip
from msgtrace.frames import Frame
from msgtrace.messages import MessageKind

OK_ECHO = (
    "{uuid}|response|${id}|OK|application|{number}|*|*|{number}|{time}|${answered.transaction}|*||Msg sent:|"
)
"""What a ``respond`` expects unless it says otherwise (clause family RSP)."""


class Expect(MessageCheck, frozen=True, kw_only=True, tag="expect"):
    """The next frame on an application's connection must match everything that is given."""

    app: Name = "app"
    tokens: Tokens
    """patterns for all tokens, from 0"""
    unit: Literal["bytes", "code-points", "utf-16"] | None = None
    """what the frame's length counts (matters with non-ASCII text)"""
    unordered: bool = False
    """take the first frame that matches; those before it stay for later steps"""

    def words(self) -> str:
        return f"{self.app} gets {'|'.join(cut_tokens(self.tokens))}" + (
            f": {self.start}" if self.start else ""
        )

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.application(self.app)
        patterns = cut_tokens(self.tokens)
        expected = "|".join(describe(pattern, stage.variables) for pattern in patterns)
        expectation = self.expectation()

        def fits(item: Incoming) -> bool:
            if not self.unordered or not isinstance(item, Frame):
                return True
            return not _compare(
                self, patterns, expectation, frame=item, trial=Variables(stage.variables.values)
            )

        try:
            item = await peer.incoming.take_first(fits, stage.patience(self.within))
        except NothingCame as error:
            actual = str(error)
            if self.unordered and len(peer.incoming):
                actual += f" that fits ({len(peer.incoming)} other frames came)"
            raise CheckFailed(expected, actual) from None
        stage.asserts(_mutants(self, patterns, expectation, item=item, variables=stage.variables))

        def judge(item: Incoming) -> tuple[Frame, Variables]:
            frame, trial = frame_of(item, expected), Variables(stage.variables.values)
            report(_compare(self, patterns, expectation, frame=frame, trial=trial), frame.payload)
            return frame, trial

        frame, trial = judged(stage, peer, item, judge=judge)
        stage.variables.values.update(trial.values)
        _learn(stage, peer, frame)
        return Finding(expected=expected, actual=frame.payload)


def _compare(
    step: Expect, patterns: list[str], expectation: SipExpectation, *, frame: Frame, trial: Variables
) -> list[Mismatch]:
    tokens, content = messages.split(frame.payload)
    found = check_tokens(patterns, tokens, trial)
    if expectation.demands_message:
        if content:
            found += check_sip(expectation, sip.parse(content), trial)
        else:
            found.append(Mismatch("SIP message", "a SIP message behind the tokens", "(none)"))
    elif step.sip == "" and content:
        found.append(Mismatch("SIP message", "(none)", content))
    if step.unit is not None and step.unit not in frame.units:
        counted = " or ".join(frame.units)
        found.append(Mismatch("length", f"counts {step.unit}", f"{frame.length} counts {counted}"))
    return found


def _mutants(
    step: Expect, patterns: list[str], expectation: SipExpectation, *, item: Incoming, variables: Variables
) -> Iterator[Mutation]:
    yield from step.mutate
    yield Mutation(kind=MutationKind.DROP)
    if not isinstance(item, Frame):
        return
    tokens, content = messages.split(item.payload)
    yield from token_mutants(patterns, tokens, variables)
    if expectation.demands_message:
        yield from sip_mutants(expectation, sip.parse(content), variables)
    if step.unit is not None:
        yield Mutation(kind=MutationKind.LENGTH)


def _learn(stage: Stage, peer: AdminPeer, frame: Frame) -> None:
    message = messages.decode(frame.payload, from_server=True)
    if message.kind in (MessageKind.NETWORK_REQUEST, MessageKind.NETWORK_RESPONSE):
        stage.variables[f"{peer.name}.transaction"] = message.get("transaction-id")
        stage.variables[f"{peer.name}.dialog"] = message.get("dialog-id")


class Respond(Step, frozen=True, kw_only=True, tag="respond"):
    """An application answers a network request (``sip|TRANSACTION|``) and gets the answer it expects.

    Default expectation: ``OK|application|…|Msg sent:|`` with the transaction id, and the status line sent.
    """

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "status"
    status: int
    reason: str | None = None
    app: Name = "app"
    transaction: str = "${APP.transaction}"
    """default: of the latest request frame on this application's connection"""
    headers: HeaderFields = field(default_factory=dict)
    body: str | None = None
    answer: Tokens | None = None
    """patterns for all tokens of the answer"""
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)

    def words(self) -> str:
        return f"{self.app} answers {self.status}" + (
            "" if self.answer is None else f" and gets {self.answer}"
        )

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.application(self.app)
        fill = stage.variables.fill
        transaction = fill(self.transaction.replace("${APP.", f"${{{self.app}."))
        start = status_line(self.status, None if self.reason is None else fill(self.reason))
        headers = "".join(f"{name}: {value}\r\n" for name, value in filled(stage.variables, self.headers))
        body = crlf(fill(self.body or ""))
        message_id = new_id()
        await tell(stage, peer, message_id, rest=f"sip|{transaction}|\r\n{start}\r\n{headers}\r\n{body}")
        stage.variables["answered.transaction"] = transaction
        stage.variables["answered.start"] = start
        check = Expect(
            app=self.app,
            tokens=OK_ECHO if self.answer is None else self.answer,
            start="=${answered.start}" if self.answer is None else None,
            within=self.within,
            mutate=self.mutate,
        )
        finding = await check.carry_out(stage)
        remember(stage, peer, message_id)
        return finding
