"""Compares what came with what a case expects, and derives the broken twins of each comparison.

A comparison returns mismatches, each with what was expected and what came; none means that it holds. The
derived mutations each break exactly one thing that the comparison asserts.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from msgspec import Struct, field

from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.patterns import counterexample, describe, matches
from drachtio_conformance.steps.terms import HeaderFields
from msgtrace.sip import SipMessage, canonical

_NAME = re.compile(r"[^:\s]+[ \t]*:[ \t]*")


class Mismatch(Struct, frozen=True):
    """One thing that is not as expected; wire text."""

    what: str
    """``token 3``, ``header Via``, ``status`` …"""
    expected: str
    actual: str


class SipExpectation(Struct, frozen=True, kw_only=True):
    """What a SIP message must be like; every text a pattern."""

    status: int | None = None
    method: str | None = None
    start: str | None = None
    headers: HeaderFields = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    body: str | None = None
    whole: str | None = None
    """the complete message, one pattern for each line"""

    @property
    def demands_message(self) -> bool:
        """Whether a frame without a SIP message fails."""
        return bool(
            self.start or self.headers or self.order or self.absent or self.whole or self.body is not None
        )


def check_tokens(patterns: list[str], tokens: list[str], variables: Variables) -> list[Mismatch]:
    """Compare tokens; ``**`` as last pattern stands for all that remain."""
    open_ended = patterns[-1:] == ["**"]
    fixed = patterns[:-1] if open_ended else patterns
    found: list[Mismatch] = []
    for index, pattern in enumerate(fixed):
        if index >= len(tokens):
            found.append(Mismatch(f"token {index}", describe(pattern, variables), "(no such token)"))
        elif not matches(pattern, tokens[index], variables):
            found.append(Mismatch(f"token {index}", describe(pattern, variables), tokens[index]))
    if not open_ended and len(tokens) > len(fixed):
        surplus = "|".join(tokens[len(fixed) :])
        found.append(Mismatch("number of tokens", str(len(fixed)), f"{len(tokens)} (surplus: {surplus!r})"))
    return found


def token_mutants(patterns: list[str], tokens: list[str], variables: Variables) -> Iterator[Mutation]:
    """One mutation for each asserted token, and for their number."""
    open_ended = patterns[-1:] == ["**"]
    fixed = patterns[:-1] if open_ended else patterns
    for index, pattern in enumerate(fixed[: len(tokens)]):
        value = counterexample(pattern, tokens[index], variables)
        if value is not None:
            yield Mutation(kind=MutationKind.TOKEN, index=index, value=_text(value))
    if not open_ended:
        yield Mutation(kind=MutationKind.ADD_TOKEN, value="mutant")
    if len(tokens) == len(fixed) and len(tokens) > 1:
        yield Mutation(kind=MutationKind.DROP_TOKEN)


def check_sip(expected: SipExpectation, message: SipMessage, variables: Variables) -> list[Mismatch]:
    """Compare a SIP message."""
    return [
        *_check_start(expected, message, variables),
        *_check_headers(expected, message, variables),
        *_check_order(expected.order, message),
        *_check_body(expected.body, message.body, variables),
        *_check_whole(expected, message, variables),
    ]


def _check_start(expected: SipExpectation, message: SipMessage, variables: Variables) -> Iterator[Mismatch]:
    if expected.status is not None and message.status != expected.status:
        yield Mismatch("status", str(expected.status), message.start_line)
    elif expected.status is None and expected.method is not None and not message.is_request:
        yield Mismatch("start line", f"the request {expected.method}", message.start_line)
    elif expected.method is not None and message.method != expected.method:
        yield Mismatch("method", expected.method, message.method)
    if expected.start is not None and not matches(expected.start, message.start_line, variables):
        yield Mismatch("start line", describe(expected.start, variables), message.start_line)


def _check_headers(expected: SipExpectation, message: SipMessage, variables: Variables) -> Iterator[Mismatch]:
    for name, pattern in expected.headers.items():
        values = message.all(name)
        shown = " / ".join(values) if values else "(not there)"
        if isinstance(pattern, list):
            if len(values) != len(pattern):
                yield Mismatch(f"header {name}", f"{len(pattern)} lines", f"{len(values)}: {shown}")
                continue
            pairs = list(zip(pattern, values, strict=True))
        else:
            if not values:
                yield Mismatch(f"header {name}", describe(pattern, variables), shown)
                continue
            pairs = [(pattern, values[0])]
        for one, value in pairs:
            if not matches(one, value, variables):
                yield Mismatch(f"header {name}", describe(one, variables), value)
    for name in expected.absent:
        if message.has(name):
            yield Mismatch(f"header {name}", "(not there)", message.first(name) or "(there, empty)")


def _check_order(order: list[str], message: SipMessage) -> Iterator[Mismatch]:
    wanted = [canonical(name) for name in order]
    came = [canonical(item.name) for item in message.fields]
    firsts = [name for index, name in enumerate(came) if name in wanted and name not in came[:index]]
    if firsts != wanted:
        actual = ", ".join(item.name for item in message.fields)
        yield Mismatch("header order", ", ".join(order), actual)


def _check_body(pattern: str | None, body: str, variables: Variables) -> Iterator[Mismatch]:
    if pattern is None:
        return
    if not matches(_wire_lines(pattern), body, variables):
        yield Mismatch("body", describe(_wire_lines(pattern), variables) or "(none)", body or "(none)")


def _wire_lines(pattern: str) -> str:
    """Line feeds of a body pattern stand for CRLF; a regular expression is left alone."""
    return pattern if pattern.startswith("~") else pattern.replace("\r\n", "\n").replace("\n", "\r\n")


def _whole(text: str) -> tuple[list[str], str]:
    head, _, body = text.partition("\n\n")
    return _unfolded(head.rstrip("\n").split("\n")), body


def _check_whole(expected: SipExpectation, message: SipMessage, variables: Variables) -> Iterator[Mismatch]:
    if expected.whole is None:
        return
    (start, *patterns), body = _whole(expected.whole)
    if not matches(start, message.start_line, variables):
        yield Mismatch("start line", describe(start, variables), message.start_line)
    lines = _lines(message)
    for index, pattern in enumerate(patterns):
        if index >= len(lines):
            yield Mismatch(f"header line {index + 1}", describe(pattern, variables), "(no more headers)")
            break
        name, value = _halves(pattern)
        if not lines[index].startswith(name) or not matches(value, lines[index][len(name) :], variables):
            yield Mismatch(f"header line {index + 1}", describe(pattern, variables), lines[index])
    for surplus in lines[len(patterns) :]:
        yield Mismatch("header lines", str(len(patterns)), f"also {surplus}")
    if expected.body is None:
        yield from _check_body(body, message.body, variables)


def _lines(message: SipMessage) -> list[str]:
    """The header lines as they were sent; a folded one is one text with CRLF in it."""
    return _unfolded(message.raw.partition("\r\n\r\n")[0].split("\r\n"))[1:]


def _unfolded(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if joined and line[:1] in (" ", "\t"):
            joined[-1] += f"\r\n{line}"
        else:
            joined.append(line)
    return joined


def _halves(line: str) -> tuple[str, str]:
    """A header line cut behind the blanks that follow its colon; the first half is compared literally."""
    match = _NAME.match(line)
    return (match[0], line[match.end() :]) if match else ("", line)


def sip_mutants(expected: SipExpectation, message: SipMessage, variables: Variables) -> Iterator[Mutation]:
    """One mutation for each thing that the expectation asserts about this message."""
    yield from _start_mutants(expected, message, variables)
    for name, pattern in expected.headers.items():
        yield from _header_mutants(name, pattern, message.all(name), variables=variables)
    for name in expected.absent:
        yield Mutation(kind=MutationKind.ADD_HEADER, name=name, value="mutant")
    for first, second in itertools.pairwise(expected.order):
        yield Mutation(kind=MutationKind.SWAP_HEADERS, name=first, value=second)
    if expected.body is not None:
        yield from _body_mutant(expected.body, message.body, variables)
    if expected.whole is not None:
        yield from _whole_mutants(expected, expected.whole, message, variables=variables)


def _start_mutants(expected: SipExpectation, message: SipMessage, variables: Variables) -> Iterator[Mutation]:
    if expected.status is not None:
        status = 598 if expected.status == 599 else 599
        yield Mutation(kind=MutationKind.START, value=f"SIP/2.0 {status} Mutant")
    if expected.method is not None:
        if message.is_request:
            yield Mutation(kind=MutationKind.START, value=f"MUTANT {_text(message.uri)} SIP/2.0")
        else:
            yield Mutation(kind=MutationKind.HEADER, name="CSeq", value="1 MUTANT")
    if expected.start is not None:
        value = counterexample(expected.start, message.start_line, variables)
        if value is not None:
            yield Mutation(kind=MutationKind.START, value=_text(value))


def _header_mutants(
    name: str, pattern: str | list[str], values: list[str], *, variables: Variables
) -> Iterator[Mutation]:
    yield Mutation(kind=MutationKind.DROP_HEADER, name=name)
    if isinstance(pattern, list):
        yield Mutation(kind=MutationKind.ADD_HEADER, name=name, value="mutant")
    first = pattern if isinstance(pattern, str) else (pattern[0] if pattern else "*")
    value = counterexample(first, values[0], variables) if values else None
    if value is not None:
        yield Mutation(kind=MutationKind.HEADER, name=name, value=_text(value))


def _body_mutant(pattern: str, body: str, variables: Variables) -> Iterator[Mutation]:
    value = counterexample(_wire_lines(pattern), body, variables)
    if value is not None:
        yield Mutation(kind=MutationKind.BODY, value=_text(value))


def _whole_mutants(
    expected: SipExpectation, text: str, message: SipMessage, *, variables: Variables
) -> Iterator[Mutation]:
    (start, *patterns), body = _whole(text)
    value = counterexample(start, message.start_line, variables)
    if value is not None:
        yield Mutation(kind=MutationKind.START, value=_text(value))
    for pattern, line in zip(patterns, _lines(message), strict=False):
        name, wanted = _halves(pattern)
        value = counterexample(wanted, line[len(name) :], variables)
        if value is not None and name:
            yield Mutation(kind=MutationKind.HEADER, name=name.partition(":")[0], value=_text(value))
    names = [item.name for item in message.fields]
    for name in names:
        yield Mutation(kind=MutationKind.DROP_HEADER, name=name)
    yield Mutation(kind=MutationKind.ADD_HEADER, name="X-Mutant", value="mutant")
    for first, second in itertools.pairwise(names):
        if canonical(first) != canonical(second):
            yield Mutation(kind=MutationKind.SWAP_HEADERS, name=first, value=second)
    if expected.body is None:
        yield from _body_mutant(body, message.body, variables)


def _text(wire: str) -> str:
    """Wire text as the text of a mutation, which becomes UTF-8 again."""
    return wire.encode("latin-1").decode("utf-8", "surrogateescape")
