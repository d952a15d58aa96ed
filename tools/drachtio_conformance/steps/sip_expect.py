"""The SIP messages that come to a peer, compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec import field
from msgspec.structs import replace

from drachtio_conformance.peers.admin_peer import Split
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import Incoming, Received, Reply
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.comparison import Mismatch, SipExpectation, check_sip, sip_mutants
from drachtio_conformance.steps.message_check import MessageCheck, report
from drachtio_conformance.steps.mutation import FOREIGN_SIP, Mutation, MutationKind, rewrite_sip
from drachtio_conformance.steps.patterns import describe
from drachtio_conformance.steps.stage import CheckFailed, Finding, Judged, Stage
from drachtio_conformance.steps.terms import Name
from msgtrace import sip
from msgtrace.sip import SipMessage


class SipExpect(MessageCheck, frozen=True, kw_only=True, tag="sip_expect"):
    """The next SIP message at a peer must match everything that is given.

    Byte-equal repeats of messages already taken are passed over, unless ``retransmission`` is true.
    """

    peer: Name = "phone"
    status: int | None = None
    method: str | None = None
    """method of a request, or of the CSeq where ``status`` is given"""
    skip: list[str] = field(default_factory=list)
    """status codes and methods that may come before it"""
    retransmission: bool = False
    """the message must be byte-equal to one that was already taken"""
    of: Name | None = None
    """the transaction (``save`` of a sip_request) whose response it must be"""
    save: Name | None = None
    """a name for a request that came in, for ``to:`` of sip_respond"""

    def words(self) -> str:
        parts = [
            str(self.status) if self.status is not None else "",
            f"({self.method})" if self.status is not None and self.method else self.method or "",
            self.start or "",
            "again" if self.retransmission else "",
        ]
        return f"{self.peer} gets {' '.join(part for part in parts if part) or 'a SIP message'}"

    def expectation(self) -> SipExpectation:
        """What the message must be like."""
        return replace(MessageCheck.expectation(self), status=self.status, method=self.method)

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.peer(self.peer)
        expected = _wanted(self, stage.variables)
        received = await _next(stage, peer, self, expected=expected)
        expectation = self.expectation()
        message = sip.parse(received.raw)
        stage.asserts(_mutants(self, expectation, message, variables=stage.variables))

        def judge(item: Incoming) -> tuple[Received, Variables]:
            if isinstance(item, Closed):
                raise CheckFailed(expected, "the connection was closed")
            message, trial = sip.parse(item.raw), Variables(stage.variables.values)
            mismatches = check_sip(expectation, message, trial)
            if self.retransmission and not peer.is_repeat(item.raw):
                mismatches.append(Mismatch("message", "byte-equal to an earlier one", "another message"))
            if self.of is not None and not peer.belongs(message, self.of):
                mismatches.append(Mismatch("transaction", self.of, f"branch {message.branch}"))
            report(mismatches, item.raw)
            return item, trial

        item, trial = judged(stage, peer, received, judge=judge)
        stage.variables.values.update(trial.values)
        peer.learn(item, save=self.save)
        return Finding(expected=expected, actual=item.raw)


def _mutants(
    step: SipExpect, expectation: SipExpectation, message: SipMessage, *, variables: Variables
) -> Iterator[Mutation]:
    yield from step.mutate
    yield Mutation(kind=MutationKind.DROP)
    yield from sip_mutants(expectation, message, variables)
    if step.retransmission:
        yield Mutation(kind=MutationKind.ADD_HEADER, name="X-Mutant", value="mutant")
    if step.of is not None:
        yield Mutation(kind=MutationKind.HEADER, name="Via", value="SIP/2.0/UDP mutant")


def _wanted(step: SipExpect, variables: Variables) -> str:
    """What is expected, in a few words."""
    parts: list[str] = []
    if step.status is not None:
        parts.append(str(step.status))
        if step.method is not None:
            parts.append(f"to {step.method}")
    elif step.method is not None:
        parts.append(f"the request {step.method}")
    if step.start is not None:
        parts.append(describe(step.start, variables))
    if step.retransmission:
        parts.append("sent again")
    return " ".join(parts) or "a SIP message"


async def _next(stage: Stage, peer: SipPeer, step: SipExpect, *, expected: str) -> Received:
    patience = stage.patience(step.within)
    deadline = time.monotonic() + patience
    while True:
        try:
            item = await peer.endpoint.incoming.take(max(0.0, deadline - time.monotonic()))
        except NothingCame:
            raise CheckFailed(expected, f"nothing came within {patience:g} s") from None
        if isinstance(item, Closed):
            raise CheckFailed(expected, "the connection was closed")
        if peer.is_repeat(item.raw) and not step.retransmission:
            continue
        if _may_be_skipped(sip.parse(item.raw), step.skip):
            peer.learn(item)
            continue
        return item


def _may_be_skipped(message: SipMessage, skip: list[str]) -> bool:
    return (message.method if message.is_request else str(message.status)) in skip


class _Nowhere:
    """Answers to an injected message go nowhere."""

    def send(self, data: bytes, split: Split | None = None) -> None:
        """Discard."""


def judged(stage: Stage, peer: SipPeer, item: Incoming, *, judge: Callable[[Incoming], Judged]) -> Judged:
    """What a check makes of what came to a SIP peer (:meth:`Stage.judged`)."""
    return stage.judged(peer.endpoint.incoming, item, foreign_message(), rewrite=_rewritten, judge=judge)


def _rewritten(item: Incoming, mutation: Mutation) -> Incoming:
    return item if isinstance(item, Closed) else Received(rewrite_sip(item.raw, mutation), item.reply)


def foreign_message() -> Received:
    """A message that no server sends."""
    nowhere: Reply = _Nowhere()
    return Received(FOREIGN_SIP, nowhere)
