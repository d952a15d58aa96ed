"""Carries out the steps of SIP peers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_compose import Changes, crlf
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import Incoming, Received, Reply
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.admin_steps import exact_octets, filled, report, whole_message
from drachtio_conformance.steps.checks import Mismatch, SipExpectation, check_sip, sip_mutants
from drachtio_conformance.steps.mutation import FOREIGN_SIP, Mutation, MutationKind, rewrite_sip
from drachtio_conformance.steps.patterns import describe
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.vocabulary import (
    HeaderFields,
    SipAck,
    SipCancel,
    SipExpect,
    SipRequest,
    SipRespond,
    SipRetransmit,
    SipSend,
    Split,
)
from msgtrace import sip
from msgtrace.sip import SipMessage


def _changes(stage: Stage, headers: HeaderFields, without: list[str] | None = None) -> Changes:
    return Changes(tuple(filled(stage.variables, headers)), tuple(without or ()))


def _body(stage: Stage, text: str | None) -> str | None:
    return None if text is None else crlf(stage.variables.fill(text))


def request(stage: Stage, step: SipRequest) -> Finding:
    """Send a request."""
    fill = stage.variables.fill
    stage.peer(step.peer).request(
        fill(step.method),
        uri=None if step.uri is None else fill(step.uri),
        changes=_changes(stage, step.headers, step.without),
        body=_body(stage, step.body),
        in_dialog=step.in_dialog,
        save=step.save,
    )
    return Finding()


def send(stage: Stage, step: SipSend) -> Finding:
    """Send octets."""
    if step.sip is not None:
        if step.text is not None or step.hex is not None:
            raise StepError("expected one of sip, text and hex")
        data = whole_message(stage.variables.fill(step.sip))
    else:
        data = exact_octets(stage.variables, step.text, step.hex)
    stage.peer(step.peer).send_raw(data, step.split)
    return Finding()


def respond(stage: Stage, step: SipRespond) -> Finding:
    """Answer a request that came."""
    stage.peer(step.peer).respond(
        step.status,
        None if step.reason is None else stage.variables.fill(step.reason),
        to=step.to,
        changes=_changes(stage, step.headers, step.without),
        body=_body(stage, step.body) or "",
    )
    return Finding()


def ack(stage: Stage, step: SipAck) -> Finding:
    """Acknowledge."""
    body = _body(stage, step.body) or ""
    stage.peer(step.peer).ack(step.of, _changes(stage, step.headers), body)
    return Finding()


def cancel(stage: Stage, step: SipCancel) -> Finding:
    """Cancel."""
    stage.peer(step.peer).cancel(step.of, _changes(stage, step.headers))
    return Finding()


def retransmit(stage: Stage, step: SipRetransmit) -> Finding:
    """Send again."""
    stage.peer(step.peer).retransmit(step.of)
    return Finding()


async def expect(stage: Stage, step: SipExpect) -> Finding:
    """Compare the next message that is neither a repeat nor may be skipped."""
    peer = stage.peer(step.peer)
    expected = _wanted(step, stage.variables)
    received = await _next(stage, peer, step, expected)
    expectation = SipExpectation.of(step)
    message = sip.parse(received.raw)
    stage.asserts(_mutants(step, expectation, message, stage.variables))
    item = altered(stage, peer, received)
    if isinstance(item, Closed):
        raise CheckFailed(expected, "the connection was closed")
    message = sip.parse(item.raw)
    trial = Variables(stage.variables.values)
    mismatches = check_sip(expectation, message, trial)
    if step.retransmission and not peer.is_repeat(item.raw):
        mismatches.append(Mismatch("message", "byte-equal to an earlier one", "another message"))
    if step.of is not None and not peer.belongs(message, step.of):
        mismatches.append(Mismatch("transaction", step.of, f"branch {message.branch}"))
    report(mismatches, item.raw)
    stage.variables.values.update(trial.values)
    peer.learn(item, save=step.save)
    return Finding(expected=expected, actual=item.raw)


def _mutants(
    step: SipExpect, expectation: SipExpectation, message: SipMessage, variables: Variables
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


async def _next(stage: Stage, peer: SipPeer, step: SipExpect, expected: str) -> Received:
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


def altered(stage: Stage, peer: SipPeer, item: Incoming) -> Incoming:
    """The item as the present mutation makes it. Raises :class:`CheckFailed` where it never comes."""
    return stage.seen(peer.endpoint.incoming, item, foreign_message(), _rewritten)


def _rewritten(item: Incoming, mutation: Mutation) -> Incoming:
    return item if isinstance(item, Closed) else Received(rewrite_sip(item.raw, mutation), item.reply)


def foreign_message() -> Received:
    """A message that no server sends."""
    nowhere: Reply = _Nowhere()
    return Received(FOREIGN_SIP, nowhere)
