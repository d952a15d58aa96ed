"""``explain [ID]``: what there is, what a clause says and what tests it, or what a case does, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import cache

from drachtio_conformance.cases.case import Case, ExpectUnder, position
from drachtio_conformance.cases.selection import near
from drachtio_conformance.cases.specification import Clause, Specification
from drachtio_conformance.cases.traceability import Scenario
from drachtio_conformance.engine.profile import Profile, load_profile, shipped
from drachtio_conformance.steps.step import sentence


class NothingToExplain(ValueError):
    """Neither a clause nor a case has that name; the message names what is near."""


def explain(
    what: str,
    specification: Specification,
    cases: Sequence[Case],
    *,
    scenarios: Sequence[Scenario],
    width: int,
) -> str:
    """The explanation of a clause id, a family of clauses, a deviation's id, or a case's name.

    Raises NothingToExplain.
    """
    upper = what.upper()
    if upper in specification.clauses:
        return clause(specification.clauses[upper], specification, cases, scenarios=scenarios, width=width)
    if upper in specification.families():
        return _family(upper, specification)
    if upper in specification.deviations:
        return _deviation(upper, specification, width)
    for case in cases:
        if case.name == what.strip("/"):
            return _case(case, specification, width)
    known = [
        *specification.clauses,
        *specification.families(),
        *specification.deviations,
        *(c.name for c in cases),
    ]
    raise NothingToExplain(f"no clause, deviation or case is called '{what}'{near(what, known)}")


def contents(specification: Specification) -> str:
    """The families of clauses, and what each is about."""
    lines = [
        f"{family:8} {len(clauses):3} clauses  {specification.chapters(family)}"
        for family, clauses in specification.families().items()
    ]
    return "\n".join([*lines, "\none of them: drachtio-conformance explain FRAME"])


def clause(
    clause: Clause,
    specification: Specification,
    cases: Sequence[Case],
    *,
    scenarios: Sequence[Scenario],
    width: int,
) -> str:
    """A clause: its text, its example, the deviations, and what tests it."""
    parts = [
        f"{clause.id} · {clause.title}",
        f"{clause.level} · {clause.party} · since {clause.since}    {clause.section}, {clause.source}\n",
        _wrap(clause.text, width),
        "\n" + textwrap.indent(clause.example.rstrip("\n"), "    "),
    ]
    if clause.remark:
        parts += ["", _wrap(clause.remark, width)]
    for deviation in specification.deviations_of(clause.id):
        parts.append(_deviation(deviation.id, specification, width))
    if clause.untestable:
        parts += ["", _wrap(f"No case tests it: {clause.untestable}", width)]
    tests = [(case.name, case.title) for case in cases if clause.id in case.clauses]
    tests += [(scenario.source, scenario.title) for scenario in scenarios if clause.id in scenario.clauses]
    if tests:
        column = max(len(name) for name, _ in tests)
        parts.append("\ntested by")
        parts += [f"  {name:{column}}  {title}" for name, title in tests]
        parts.append(f"\nrun them: drachtio-conformance server --clause {clause.id}")
    return "\n".join(parts)


def _family(name: str, specification: Specification) -> str:
    clauses = specification.families()[name]
    lines = [f"{each.id:10} {each.level:10} {each.title}" for each in clauses]
    return "\n".join([specification.chapters(name), "", *lines])


def _deviation(deviation_id: str, specification: Specification, width: int) -> str:
    deviation = specification.deviations[deviation_id]
    rows = [("genuine server", deviation.theirs), ("this server", deviation.ours), ("why", deviation.why)]
    lines = [f"\n{deviation.id} · {', '.join(deviation.clauses)}"]
    for title, value in rows:
        lines += textwrap.wrap(f"  {title:15} {value}", width, subsequent_indent=" " * 18)
    return "\n".join(lines)


def _case(case: Case, specification: Specification, width: int) -> str:
    lines = [f"{case.name}    {case.source}", case.title, ""]
    for clause_id in case.clauses:
        each = specification.clauses.get(clause_id)
        lines.append(f"{clause_id} · {each.title}" if each else clause_id)
        if each:
            lines.append(_indented(f"{each.level}: {each.text}", width))
    if case.level == "should":
        lines.append("A failure is a warning only.")
    if case.requires:
        lines.append(f"Needs a peer that declares: {', '.join(case.requires)}.")
    if case.slow:
        lines.append("Takes real time; runs with --slow.")
    lines += [_wrap(text, width) for text in _elsewhere(case)]
    lines += ["", "steps"]
    for number, located in enumerate(case.steps, 1):
        line = located.source.rpartition(":")[2]
        lines.append(f"  {number:2}  {sentence(located.step)}    (line {line})")
    lines.append(f"\nrun it: drachtio-conformance server --filter '{case.name}'")
    return "\n".join(lines)


def _elsewhere(case: Case) -> Iterator[str]:
    """What servers of known profiles do, by the case itself and by the profiles that come with the suite."""
    for line, under in case.expect_under.items():
        yield f"On {line}: {_done(case, under)}"
    for line, reason in case.danger.items():
        yield f"Not run on {line}: {reason}"
    for profile in _profiles():
        known = profile.expected().get(case.name)
        if known is not None:
            yield f"On {profile.name}, by its profile: {_done(case, known)}"
        if why := profile.danger.get(case.name) or profile.not_applicable.get(case.name):
            yield f"Not run on {profile.name}, by its profile: {why}"


@cache
def _profiles() -> list[Profile]:
    return [load_profile(name, [], strict=False) for name in shipped()]


def _done(case: Case, under: ExpectUnder) -> str:
    if not under.at:
        return under.reason
    return f"{under.reason}; at step {position(case.steps, under.at) + 1} comes {under.got}"


def _indented(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  "))


def _wrap(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))
