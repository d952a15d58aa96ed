"""Which case tests which clause: checks it, and writes docs/traceability.md from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from drachtio_conformance import data
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.selection import near
from drachtio_conformance.cases.specification import Specification

_TAG = re.compile(r"@clause\(([A-Z][A-Z0-9]*-\d+)\)|@([A-Z][A-Z0-9]*-\d+)\b")
_SCENARIO = re.compile(r"\s*(?:Scenario|Scenario Outline|Example):\s*(.*)")
_FEATURE = re.compile(r"\s*Feature:")


class Scenario(Struct, frozen=True, kw_only=True):
    """One Gherkin scenario that names clauses by tags, ``@PING-1``."""

    title: str
    clauses: tuple[str, ...]
    source: str
    """``features/ping.feature:7``"""


def scenarios(folder: Path | None = None) -> list[Scenario]:
    """The scenarios of all feature files; tags of a feature hold for each of its scenarios."""
    found: list[Scenario] = []
    for file in sorted((folder or data.folder("features")).rglob("*.feature")):
        found += parse_feature(file.read_text("utf-8"), data.shown(file))
    return found


def parse_feature(text: str, name: str) -> list[Scenario]:
    """The scenarios of one file's text; ``name`` is the file for ``source``."""
    found: list[Scenario] = []
    shared: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("@"):
            tags += [plain or called for called, plain in _TAG.findall(line)]
        elif _FEATURE.match(line):
            shared, tags = tags, []
        elif match := _SCENARIO.match(line):
            clauses = tuple(dict.fromkeys([*shared, *tags]))
            found.append(Scenario(title=match[1].strip(), clauses=clauses, source=f"{name}:{number}"))
            tags = []
    return found


def problems(
    specification: Specification, cases: Sequence[Case], features: Sequence[Scenario] = ()
) -> list[str]:
    """What is wrong between specification and tests, one sentence each, with its place; empty if all is well."""
    found: list[str] = []
    tested: set[str] = set()
    named: Iterable[tuple[str, tuple[str, ...]]] = [
        *((case.source, case.clauses) for case in cases),
        *((scenario.source, scenario.clauses) for scenario in features),
    ]
    for source, clauses in named:
        for clause in clauses:
            if clause not in specification.clauses:
                found.append(
                    f"{source}: names the unknown clause {clause}{near(clause, specification.clauses)}"
                )
        tested.update(clauses)
    covered_by_cases = {clause for case in cases for clause in case.clauses}
    for clause_id, each in specification.clauses.items():
        if each.untestable and clause_id in tested:
            found.append(f"{each.source}: {clause_id} is called untestable, but is tested")
        elif not each.untestable and clause_id not in covered_by_cases:
            found.append(f"{each.source}: no case tests {clause_id}")
    return found


def render(specification: Specification, cases: Sequence[Case], features: Sequence[Scenario] = ()) -> str:
    """docs/traceability.md."""
    testable = [clause for clause in specification.clauses.values() if not clause.untestable]
    lines = [
        "# Traceability",
        "",
        "Which cases (`scenarios/`) and which stories (`features/`) test which clause of [protocol.md](protocol.md).",
        "Written by `drachtio-conformance traceability`; `make test` fails when it is stale.",
        "",
        f"{len(specification.clauses)} clauses, {len(specification.clauses) - len(testable)} of them untestable; "
        f"{len(cases)} cases, {len(features)} feature scenarios.",
    ]
    for family, clauses in specification.families().items():
        lines += [
            "",
            f"## {family}: {specification.chapters(family)}",
            "",
            "| clause | title | cases | features |",
            "|---|---|---|---|",
        ]
        for clause in clauses:
            tests = "<br>".join(f"`{case.name}`" for case in cases if clause.id in case.clauses)
            told = "<br>".join(
                f"{scenario.title} (`{scenario.source.rpartition(':')[0]}`)"
                for scenario in features
                if clause.id in scenario.clauses
            )
            if clause.untestable:
                tests = f"untestable: {clause.untestable}"
            lines.append(f"| {clause.id} | {_cell(clause.title)} | {tests} | {_cell(told)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """``text`` as it may stand in a cell of a table."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)
