"""Carries out the steps of applications: what they send, and the checks of what they get."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from drachtio_conformance.peers.admin_peer import AdminPeer, Incoming, new_id
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_compose import computed_length, crlf, status_line
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.checks import (
    Mismatch,
    SipExpectation,
    check_sip,
    check_tokens,
    sip_mutants,
    token_mutants,
)
from drachtio_conformance.steps.mutation import FOREIGN_FRAME, Mutation, MutationKind, rewrite_frame
from drachtio_conformance.steps.patterns import cut_tokens, describe
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.vocabulary import (
    Authenticate,
    Expect,
    HeaderFields,
    Ping,
    RemoveRoute,
    Respond,
    Route,
    Send,
    SendBytes,
    Tokens,
)
from msgtrace import messages, sip
from msgtrace.frames import Damage, Frame
from msgtrace.messages import MessageKind

OK_ECHO = (
    "{uuid}|response|${id}|OK|application|{number}|*|*|{number}|{time}|${answered.transaction}|*||Msg sent:|"
)
"""What a ``respond`` expects unless it says otherwise (clause family RSP)."""


async def authenticate(stage: Stage, step: Authenticate) -> Finding:
    """Connect if need be, authenticate, learn hostports and version."""
    known = stage.applications.get(step.app)
    peer = await stage.connect(step.app) if known is None or known.closed else known
    fill = stage.variables.fill
    tokens = await _asked(stage, peer, f"authenticate|{fill(step.secret)}|{fill(step.tags)}", "OK|**")
    stage.variables["server.hostports"] = "".join(tokens[4:5])
    if len(tokens) > 5:
        stage.variables["server.version"] = tokens[5]
    return Finding(expected="OK", actual="|".join(tokens[3:]))


async def route(stage: Stage, step: Route | RemoveRoute) -> Finding:
    """Ask for each verb, or no longer."""
    word = "route" if isinstance(step, Route) else "remove_route"
    verbs = [step.verb] if isinstance(step.verb, str) else step.verb
    for verb in verbs:
        await _asked(stage, stage.application(step.app), f"{word}|{stage.variables.fill(verb)}", "OK")
    return Finding(expected="OK", actual="OK")


async def ping(stage: Stage, step: Ping) -> Finding:
    """Ask for a pong."""
    tokens = await _asked(stage, stage.application(step.app), "ping", "OK|pong")
    return Finding(expected="OK|pong", actual="|".join(tokens[3:]))


async def _asked(stage: Stage, peer: AdminPeer, request: str, answer: str) -> list[str]:
    """Send a control message and compare its answer; other frames stay queued."""
    message_id = await _send(stage, peer, new_id(), request)
    return await answered(stage, peer, message_id, answer)


async def answered(stage: Stage, peer: AdminPeer, message_id: str, answer: Tokens) -> list[str]:
    """Check the ``response`` to a message, ``answer`` being the patterns behind its id; other frames stay queued.

    Returns all its tokens. Raises :class:`CheckFailed`.
    """
    patterns = ["{uuid}", "response", f"={message_id}", *cut_tokens(answer)]
    frame = await first_answer(stage, peer, message_id, stage.patience(None))
    tokens, _ = messages.split(frame.payload)
    stage.asserts([Mutation(kind=MutationKind.DROP), *token_mutants(patterns, tokens, stage.variables)])
    frame = frame_of(altered(stage, peer, frame), f"{answer} to message {message_id}")
    tokens, _ = messages.split(frame.payload)
    report(check_tokens(patterns, tokens, Variables(stage.variables.values)), frame.payload)
    return tokens


async def first_answer(stage: Stage, peer: AdminPeer, message_id: str, seconds: float) -> Frame:
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


async def _send(stage: Stage, peer: AdminPeer, message_id: str, rest: str) -> str:
    await peer.send_message(f"{message_id}|{rest}")
    _remember(stage, peer, message_id)
    return message_id


def _remember(stage: Stage, peer: AdminPeer, message_id: str) -> None:
    stage.variables["id"] = message_id
    stage.variables[f"{peer.name}.id"] = message_id


async def send(stage: Stage, step: Send) -> Finding:
    """Send one frame."""
    peer = stage.application(step.app)
    fill = stage.variables.fill
    message_id = new_id() if step.id is None else fill(step.id)
    tokens = [] if step.tokens is None else [fill(token) for token in cut_tokens(step.tokens)]
    payload = "|".join([message_id, *tokens])
    if step.sip is not None:
        payload += "\r\n" + whole_message(fill(step.sip))
    await peer.send_message(payload + "x" * step.pad, split=step.split, with_next=step.with_next)
    _remember(stage, peer, message_id)
    if step.save:
        stage.variables[step.save] = message_id
    return Finding()


def whole_message(text: str) -> str:
    """A SIP message as a case writes it: LF becomes CRLF, a missing blank line is added, length computed."""
    message = crlf(text)
    if "\r\n\r\n" not in message:
        message = message.rstrip("\r\n") + "\r\n\r\n"
    return computed_length(message)


async def send_bytes(stage: Stage, step: SendBytes) -> Finding:
    """Send octets."""
    data = exact_octets(stage.variables, step.text, step.hex)
    await stage.application(step.app).send_octets(data * step.times, split=step.split)
    return Finding()


def exact_octets(variables: Variables, text: str | None, hexadecimal: str | None) -> str:
    """Octets given as text or in hexadecimal. Raises :class:`StepError`."""
    if (text is None) == (hexadecimal is None):
        raise StepError("expected either text or hex")
    if text is not None:
        return variables.fill(text)
    try:
        return binascii.unhexlify("".join((hexadecimal or "").split())).decode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise StepError(f"expected octets in hexadecimal: {error}") from None


async def expect(stage: Stage, step: Expect) -> Finding:
    """Compare the next frame."""
    peer = stage.application(step.app)
    patterns = cut_tokens(step.tokens)
    expected = "|".join(describe(pattern, stage.variables) for pattern in patterns)
    expectation = SipExpectation.of(step)

    def fits(item: Incoming) -> bool:
        if not step.unordered or not isinstance(item, Frame):
            return True
        return not _compare(step, patterns, expectation, item, Variables(stage.variables.values))

    try:
        item = await peer.incoming.take_first(fits, stage.patience(step.within))
    except NothingCame as error:
        actual = str(error)
        if step.unordered and len(peer.incoming):
            actual += f" that fits ({len(peer.incoming)} other frames came)"
        raise CheckFailed(expected, actual) from None
    stage.asserts(_mutants(step, patterns, expectation, item, stage.variables))
    frame = frame_of(altered(stage, peer, item), expected)
    trial = Variables(stage.variables.values)
    mismatches = _compare(step, patterns, expectation, frame, trial)
    report(mismatches, frame.payload)
    stage.variables.values.update(trial.values)
    _learn(stage, peer, frame)
    return Finding(expected=expected, actual=frame.payload)


def _compare(
    step: Expect, patterns: list[str], expectation: SipExpectation, frame: Frame, trial: Variables
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
    step: Expect, patterns: list[str], expectation: SipExpectation, item: Incoming, variables: Variables
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


def altered(stage: Stage, peer: AdminPeer, item: Incoming) -> Incoming:
    """The item as the present mutation makes it. Raises :class:`CheckFailed` where it never comes."""
    return stage.seen(peer.incoming, item, FOREIGN_FRAME, _rewritten)


def _rewritten(item: Incoming, mutation: Mutation) -> Incoming:
    return rewrite_frame(item, mutation) if isinstance(item, Frame) else item


def _learn(stage: Stage, peer: AdminPeer, frame: Frame) -> None:
    message = messages.decode(frame.payload, from_server=True)
    if message.kind in (MessageKind.NETWORK_REQUEST, MessageKind.NETWORK_RESPONSE):
        stage.variables[f"{peer.name}.transaction"] = message.get("transaction-id")
        stage.variables[f"{peer.name}.dialog"] = message.get("dialog-id")


async def respond(stage: Stage, step: Respond) -> Finding:
    """An application answers a request."""
    peer = stage.application(step.app)
    fill = stage.variables.fill
    transaction = fill(step.transaction.replace("${APP.", f"${{{step.app}."))
    start = status_line(step.status, None if step.reason is None else fill(step.reason))
    headers = "".join(f"{name}: {value}\r\n" for name, value in filled(stage.variables, step.headers))
    body = crlf(fill(step.body or ""))
    message_id = await _send(stage, peer, new_id(), f"sip|{transaction}|\r\n{start}\r\n{headers}\r\n{body}")
    stage.variables["answered.transaction"] = transaction
    stage.variables["answered.start"] = start
    check = Expect(
        app=step.app,
        tokens=OK_ECHO if step.answer is None else step.answer,
        start="=${answered.start}" if step.answer is None else None,
        within=step.within,
        mutate=step.mutate,
    )
    finding = await expect(stage, check)
    _remember(stage, peer, message_id)
    return finding


def filled(variables: Variables, headers: HeaderFields) -> list[tuple[str, str]]:
    """Header lines with their variables replaced."""
    return [
        (name, variables.fill(value))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]


def report(mismatches: list[Mismatch], actual: str) -> None:
    """Raise :class:`CheckFailed` if there are mismatches: each of them, and all that came."""
    if mismatches:
        expected = "; ".join(f"{item.what}: {item.expected}" for item in mismatches)
        got = "; ".join(f"{item.what}: {item.actual}" for item in mismatches)
        raise CheckFailed(expected, f"{got}\n{actual}")
