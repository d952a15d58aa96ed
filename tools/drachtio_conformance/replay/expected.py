"""The list of known differences between recorded traces and what the reference server does (``expect.yaml``).

Each entry names a trace, the entry in its files, the row of docs/deviations.md that says why, and the steps that
show what we do: ``instead`` of the entry, or ``besides`` it (behind it)::

    differences:
      - trace: final-response-twice
        entry: log 12
        deviation: DEV-21
        instead:
          - expect: {tokens: "{uuid}|response|*|NOK|Response not sent due to unknown transaction"}

In those steps the variables of the trace can be used; ``drachtio-conformance replay --steps`` prints them. What a
recording does not show although it happened (an endpoint that hung up its connection, what a callback was asked and
answered) stands in ``unrecorded``::

    unrecorded:
      - {trace: f-tcp-close-before-response, entry: log 7, besides: [{close: t}]}

A trace whose course hangs on what the protocol leaves open stands in ``unspecified`` and is not replayed::

    unspecified:
      - {trace: route-twice-same-client, clause: ROUTE-5, why: the order of a round is not specified}

and one that shows a fault of ours, until it is mended, in ``known_failing`` (a trace that passes all the same fails)::

    known_failing:
      - {trace: tcp-uac-call, reason: the answer to a request over TCP tells the wrong address}
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from msgspec import Struct, field

from drachtio_conformance.cases import loader
from drachtio_conformance.cases.loader import LoadError, Reader
from drachtio_conformance.peers.variables import UnknownVariable, Variables
from drachtio_conformance.replay.conversion import Listed
from drachtio_conformance.replay.files import Frame, SipOctets, Trace
from drachtio_conformance.steps.comparison import check_sip, check_tokens
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.patterns import cut_tokens
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.step import Step
from msgtrace import messages, sip


class Difference(Struct, frozen=True, kw_only=True):
    """One entry of the list."""

    trace: str
    deviation: str
    """empty: the recording does not show it, but it happened"""
    source: str
    """``file:line``"""
    listed: Listed


class Unspecified(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trace that cannot be compared, and the clause that leaves its course open."""

    trace: str
    clause: str
    why: str


class KnownFailing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trace that our server does not follow yet, though it should."""

    trace: str
    reason: str


class Expectations(Struct, frozen=True):
    """The whole list."""

    differences: tuple[Difference, ...] = ()
    unspecified: tuple[Unspecified, ...] = ()
    known_failing: tuple[KnownFailing, ...] = ()

    def of(self, trace: str) -> tuple[Difference, ...]:
        """The differences of one trace."""
        return tuple(one for one in self.differences if one.trace == trace)


class _Fields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    trace: str
    entry: str
    deviation: str
    instead: list[object] | None = None
    besides: list[object] | None = None


class _Unrecorded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    trace: str
    entry: str
    besides: list[object]


class _Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    differences: list[object] = field(default_factory=list)
    unrecorded: list[object] = field(default_factory=list)
    unspecified: list[Unspecified] = field(default_factory=list)
    known_failing: list[KnownFailing] = field(default_factory=list)


def load(file: Path, deviations: Collection[str]) -> Expectations:
    """Read the list; ``deviations`` are the known ids. Raises :class:`LoadError`."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{file}:1: cannot be read: {error}") from None
    node = loader.compose(text, str(file))
    reader = Reader(str(file))
    document = reader.typed(node, _Document)
    listed, unrecorded = loader.member(node, "differences"), loader.member(node, "unrecorded")
    differences = (
        *(_difference(reader, item, deviations) for item in _items(reader, listed)),
        *(_supplement(reader, item) for item in _items(reader, unrecorded)),
    )
    return Expectations(differences, tuple(document.unspecified), tuple(document.known_failing))


def _items(reader: Reader, node: yaml.Node | None) -> list[yaml.Node]:
    return [] if node is None else reader.items(node, "a list", node)


def _supplement(reader: Reader, node: yaml.Node) -> Difference:
    fields = reader.typed(node, _Unrecorded)
    steps = tuple(reader.steps(loader.member(node, "besides")))
    listed = Listed(entry=fields.entry, instead=False, steps=steps)
    return Difference(trace=fields.trace, deviation="", source=reader.source(node), listed=listed)


def _difference(reader: Reader, node: yaml.Node, deviations: Collection[str]) -> Difference:
    fields = reader.typed(node, _Fields)
    if (fields.instead is None) == (fields.besides is None):
        raise reader.error(node, "expected either instead or besides")
    if fields.deviation not in deviations:
        raise reader.error(node, f"expected a row of docs/deviations.md, got {fields.deviation!r}")
    word = "besides" if fields.instead is None else "instead"
    return Difference(
        trace=fields.trace,
        deviation=fields.deviation,
        source=reader.source(node),
        listed=Listed(
            entry=fields.entry,
            instead=fields.instead is not None,
            steps=tuple(reader.steps(loader.member(node, word))),
        ),
    )


def unfounded(differences: Sequence[Difference], trace: Trace, recorded: dict[str, str]) -> list[str]:
    """Complaints about entries that do not differ: no such entry, or the recording itself would pass.

    ``recorded`` are the values that the trace's variables had when it was recorded.
    """
    entries: dict[str, Frame | SipOctets] = {frame.entry: frame for frame in trace.frames}
    entries |= {message.entry: message for message in trace.messages}
    found: list[str] = []
    for difference in differences:
        entry = entries.get(difference.listed.entry)
        if entry is None:
            found.append(f"{difference.source}: {trace.name} has no entry {difference.listed.entry!r}")
        elif difference.listed.instead and _passes(difference, entry, recorded):
            found.append(
                f"{difference.source}: no difference: the recorded {difference.listed.entry} of {trace.name}"
                " is what is said to come instead"
            )
    return found


def _passes(difference: Difference, entry: Frame | SipOctets, recorded: dict[str, str]) -> bool:
    """Whether the recorded entry would pass the check that stands for it; steps before it may capture more."""
    step = difference.listed.steps[0].step if difference.listed.steps else None
    variables = Variables(recorded)
    if isinstance(entry, Frame):
        variables["id"] = "".join(entry.payload.split("|")[2:3])
    with suppress(UnknownVariable):
        return _compared(entry, step, variables)
    return False


def _compared(entry: Frame | SipOctets, step: Step | None, variables: Variables) -> bool:
    match entry, step:
        case Frame(), Expect() if entry.from_server and step.app == entry.application:
            tokens, content = messages.split(entry.payload)
            found = check_tokens(cut_tokens(step.tokens), tokens, variables)
            return not found and not check_sip(step.expectation(), sip.parse(content), variables)
        case SipOctets(), SipExpect() if entry.from_server:
            return not check_sip(step.expectation(), sip.parse(entry.raw), variables)
        case _:
            return False
