"""Reads docs/protocol.md and docs/deviations.md, so that every tool quotes the one specification.

A clause has one fixed form, and whatever looks like a clause but is not one is an error with its line::

    ### AUTH-3 · A wrong secret · MUST · server · since 0.2
    <!-- untestable: reason -->                       only where no case is possible

    The sentence (or paragraph) of the clause.

    ```text
    the example, in real bytes
    ```

    > a remark, for instance on the genuine server

A deviation is a row of a table: ``| DEV-1 | what they do | what we do | why | clauses |``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from drachtio_conformance import data

LEVELS = ("MUST NOT", "MUST", "SHOULD NOT", "SHOULD", "MAY")
PARTIES = ("server", "application", "both")
TITLE = 60
"""characters that a title may have"""

_HEADING = re.compile(r"^###\s+(?P<id>[A-Z][A-Z0-9]*-\d+)\b(?P<rest>.*)$")
_UNTESTABLE = re.compile(r"<!--\s*untestable:\s*(?P<reason>.*?)\s*-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CLAUSE_ID = re.compile(r"\b[A-Z][A-Z0-9]*-\d+\b")
_SEPARATOR = " · "


class SpecificationError(ValueError):
    """The text is not in the agreed form; the message names file and line."""


class Clause(Struct, frozen=True, kw_only=True):
    """One numbered rule of the protocol."""

    id: str
    """``AUTH-3``"""
    title: str
    """``A wrong secret``: what a reader would search for, plain text of at most :data:`TITLE` characters"""
    level: str
    """one of :data:`LEVELS`"""
    party: str
    """who has to obey: one of :data:`PARTIES`"""
    since: str
    """version of the specification that brought it"""
    text: str
    """the rule, in Markdown, one line"""
    example: str
    """the fenced example, without its fences"""
    section: str
    """title of the chapter it stands in"""
    source: str
    """``docs/protocol.md:LINE``"""
    remark: str = ""
    """what stands below the example, in Markdown, one line"""
    untestable: str = ""
    """why no case can test it; empty for a testable clause"""

    @property
    def family(self) -> str:
        """``AUTH`` of ``AUTH-3``."""
        return self.id.rpartition("-")[0]

    @property
    def number(self) -> int:
        """``3`` of ``AUTH-3``."""
        return int(self.id.rpartition("-")[2])


class Deviation(Struct, frozen=True, kw_only=True):
    """A place where the reference server differs from the genuine one on purpose."""

    id: str
    """``DEV-1``"""
    theirs: str
    ours: str
    why: str
    clauses: tuple[str, ...]


class Specification(Struct, frozen=True, kw_only=True):
    """Both documents, parsed."""

    clauses: dict[str, Clause]
    """by id, in the order of the document"""
    deviations: dict[str, Deviation]
    """by id, in the order of the table"""

    def families(self) -> dict[str, list[Clause]]:
        """The clauses of each family in the order of their numbers, the families in that of the document."""
        families: dict[str, list[Clause]] = {}
        for clause in self.clauses.values():
            families.setdefault(clause.family, []).append(clause)
        return {name: sorted(clauses, key=lambda clause: clause.number) for name, clauses in families.items()}

    def named(self, names: Sequence[str]) -> list[Clause]:
        """The clauses with these ids or of these families, in any case of letters; unknown names count for nothing."""
        wanted = {name.upper() for name in names}
        return [clause for clause in self.clauses.values() if wanted & {clause.id, clause.family}]

    def chapters(self, family: str) -> str:
        """The titles of the chapters in which clauses of the family stand."""
        sections = (clause.section for clause in self.clauses.values() if clause.family == family)
        return "; ".join(dict.fromkeys(sections))

    def deviations_of(self, clause_id: str) -> list[Deviation]:
        """The deviations that concern one clause."""
        return [deviation for deviation in self.deviations.values() if clause_id in deviation.clauses]


def load(docs: Path | None = None) -> Specification:
    """Read protocol.md and deviations.md from ``docs`` (default: the suite's own).

    Raises SpecificationError.
    """
    folder = docs or data.folder("docs")
    protocol, deviations = folder / "protocol.md", folder / "deviations.md"
    try:
        protocol_text, deviations_text = protocol.read_text("utf-8"), deviations.read_text("utf-8")
    except OSError as error:
        raise SpecificationError(
            f"cannot read the specification: {error.filename}: {error.strerror}"
        ) from None
    clauses = parse_protocol(protocol_text, data.shown(protocol))
    return Specification(
        clauses=clauses, deviations=parse_deviations(deviations_text, data.shown(deviations), clauses)
    )


def parse_protocol(text: str, name: str = "docs/protocol.md") -> dict[str, Clause]:
    """The clauses of a text in the form above, by id; ``name`` is for messages. Raises SpecificationError."""
    clauses: dict[str, Clause] = {}
    for line, section, heading, body in _blocks(text):
        clause = _clause(heading, body, section, source=f"{name}:{line}")
        if clause.id in clauses:
            raise SpecificationError(
                f"{name}:{line}: {clause.id} is defined twice, first at {clauses[clause.id].source}"
            )
        clauses[clause.id] = clause
    return clauses


def parse_deviations(
    text: str, name: str = "docs/deviations.md", clauses: dict[str, Clause] | None = None
) -> dict[str, Deviation]:
    """The rows of the table of deviations, by id.

    With ``clauses``, a row that names an unknown clause is an error. Raises SpecificationError.
    """
    deviations: dict[str, Deviation] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not re.match(r"\|\s*DEV-", line):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if len(cells) != 5 or not re.fullmatch(r"DEV-\d+", cells[0]):
            raise SpecificationError(
                f"{name}:{number}: expected a row '| DEV-n | they | we | why | clauses |' of 5 cells, "
                f"got {len(cells)} cells"
            )
        deviation = Deviation(
            id=cells[0],
            theirs=cells[1],
            ours=cells[2],
            why=cells[3],
            clauses=tuple(_CLAUSE_ID.findall(cells[4])),
        )
        if deviation.id in deviations:
            raise SpecificationError(f"{name}:{number}: {deviation.id} is listed twice")
        for clause in deviation.clauses:
            if clauses is not None and clause not in clauses:
                raise SpecificationError(f"{name}:{number}: {deviation.id} names the unknown clause {clause}")
        deviations[deviation.id] = deviation
    return deviations


def _blocks(text: str) -> Iterator[tuple[int, str, str, list[str]]]:
    """(line number, section title, heading, body lines) of each third-level heading that is a clause's."""
    section, heading, start, body, fenced = "", "", 0, list[str](), False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and re.match(r"#{1,3}\s", line):
            if heading:
                yield start, section, heading, body
            heading, body = "", []
            if line.startswith("## "):
                section = line[3:].strip()
            if _HEADING.match(line):
                heading, start = line, number
        elif heading:
            body.append(line)
    if heading:
        yield start, section, heading, body


def _clause(heading: str, body: list[str], section: str, *, source: str) -> Clause:
    match = _HEADING.match(heading)
    assert match is not None
    parts = [part.strip() for part in match["rest"].split(_SEPARATOR)]
    if len(parts) != 5 or parts[0] or not parts[1] or not parts[4].startswith("since "):
        raise SpecificationError(
            f"{source}: expected '### {match['id']} · TITLE · LEVEL · PARTY · since VERSION', got '{heading}'"
        )
    title, level, party, since = *parts[1:4], parts[4].removeprefix("since ").strip()
    if len(title) > TITLE:
        raise SpecificationError(
            f"{source}: expected a title of at most {TITLE} characters, got {len(title)}: '{title}'"
        )
    if level not in LEVELS:
        raise SpecificationError(f"{source}: expected a level ({', '.join(LEVELS)}), got '{level}'")
    if party not in PARTIES:
        raise SpecificationError(f"{source}: expected a party ({', '.join(PARTIES)}), got '{party}'")
    prose, examples = _split_fences(body, source)
    if len(examples) != 1:
        raise SpecificationError(f"{source}: {match['id']} needs one fenced example, got {len(examples)}")
    before, after = prose
    untestable = _UNTESTABLE.search(before)
    sentence = " ".join(_COMMENT.sub("", before).split())
    if not sentence:
        raise SpecificationError(f"{source}: {match['id']} has no sentence between heading and example")
    return Clause(
        id=match["id"],
        title=title,
        level=level,
        party=party,
        since=since,
        text=sentence,
        example=examples[0],
        remark=" ".join(line.removeprefix(">").strip() for line in after.splitlines()).strip(),
        section=section,
        source=source,
        untestable=" ".join(untestable["reason"].split()) if untestable else "",
    )


def _split_fences(body: list[str], source: str) -> tuple[list[str], list[str]]:
    """The prose around the fenced blocks (one piece more than there are blocks), and the blocks' contents."""
    prose: list[list[str]] = [[]]
    examples: list[str] = []
    inside: list[str] | None = None
    for line in body:
        if line.startswith("```"):
            if inside is None:
                inside = []
            else:
                examples.append("\n".join(inside))
                prose.append([])
                inside = None
        elif inside is None:
            prose[-1].append(line)
        else:
            inside.append(line)
    if inside is not None:
        raise SpecificationError(f"{source}: the fenced example is not closed")
    return ["\n".join(piece) for piece in prose], examples
