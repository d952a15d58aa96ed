"""What the site is made of: the documents cut into pages, clause ids turned into links, ladders put in as drawings.

In the documents a clause is named by its id alone; on the site each id is a link to ``CHAPTER.md#route-3``. A page is
Markdown for MkDocs, its path relative to the site's root.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from protocol_book.suite import ROOT, Clause, Specification
from protocol_book.tables import table

DOCS: Final = ROOT / "docs"
CHAPTERS: Final = "specification"
"""folder of the chapters of docs/protocol.md"""
INDEX: Final = f"{CHAPTERS}/clauses.md"
_HEADING: Final = re.compile(r"^(#{1,3}) (.+)$")
_CLAUSE: Final = re.compile(r"^### ([A-Z]+-\d+) · ")
_ID: Final = re.compile(r"(?<![\w`\[/#-])([A-Z]{2,}-\d+)(?![\w`-])")
_LINK: Final = re.compile(r"(!?\[[^]]*\])\(([^)\s]+)\)")
_CODE: Final = re.compile(r"(`[^`]+`)")


class BrokenLink(ValueError):
    """A document has a link that leads to nothing on the site; the message names both."""


class Chapter(Struct, frozen=True):
    """A part of docs/protocol.md that is a page."""

    title: str
    path: str
    lines: tuple[str, ...]
    part: str
    """``1: The wire protocol``; empty for the introduction"""


class Links(Struct, frozen=True):
    """Where things of the documents are on the site."""

    clauses: Mapping[str, str]
    """by id: ``specification/routing.md#route-3``; deviations as well"""
    protocol: Mapping[str, str]
    """by anchor in docs/protocol.md: ``specification/framing.md#the-texts-of-failures``"""
    files: Mapping[Path, str]
    """by source: ``guides/concepts.md``"""


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def chapters(document: str) -> list[Chapter]:
    """docs/protocol.md as an introduction and its chapters."""
    found: list[Chapter] = []
    title, part, lines, fenced = "Introduction", "", list[str](), False
    introduction = True

    def finished() -> None:
        if any(line.strip() for line in lines):
            found.append(Chapter(title, f"{CHAPTERS}/{slug(title)}.md", tuple(lines), part))

    for line in document.splitlines():
        fenced ^= line.startswith("```")
        match = None if fenced else _HEADING.match(line)
        if match and match[1] == "#" and match[2].startswith("Part "):
            finished()
            part, title, lines, introduction = match[2].removeprefix("Part "), match[2], [], False
        elif match and match[1] == "##" and not introduction:
            if not title.startswith("Part "):
                finished()
            title, lines = match[2], []
        else:
            lines.append(line)
    finished()
    return [chapter for chapter in found if not chapter.title.startswith("Part ")]


def links(specification: Specification, parts: list[Chapter], files: Mapping[Path, str]) -> Links:
    """Where everything is."""
    pages = {chapter.title: chapter.path for chapter in parts}
    clauses = {
        clause.id: f"{pages[clause.section]}#{clause.id.lower()}" for clause in specification.clauses.values()
    }
    clauses |= {name: f"deviations.md#{name.lower()}" for name in specification.deviations}
    anchors: dict[str, str] = {"": parts[0].path}
    for chapter in parts:
        anchors[slug(chapter.title)] = chapter.path
        anchors |= {
            slug(match[2]): f"{chapter.path}#{slug(match[2])}"
            for line in chapter.lines
            if (match := _HEADING.match(line))
        }
        anchors.setdefault(slug(f"Part {chapter.part}"), chapter.path)
    return Links(clauses=clauses, protocol=anchors, files=files)


def chapter_page(chapter: Chapter, specification: Specification, where: Links) -> str:
    """A chapter as a page: clauses are second-level headings with short anchors."""
    lines = [] if chapter.part == "" else [f"# {chapter.title}"]
    fenced = False
    for line in chapter.lines:
        fenced ^= line.startswith("```")
        match = None if fenced else _CLAUSE.match(line)
        if match:
            clause = specification.clauses[match[1]]
            lines += [f"## {clause.id} · {clause.title} {{ #{clause.id.lower()} }}", "", _about(clause)]
        elif not fenced and line.startswith("### ") and chapter.part:
            lines.append(line[1:])
        elif not line.startswith("<!-- "):
            lines.append(line)
    return linked("\n".join(lines) + "\n", DOCS / "protocol.md", chapter.path, where)


def _about(clause: Clause) -> str:
    words = {"both": "server and application"}.get(clause.party, clause.party)
    return f'<p class="clause-about">{clause.level} · {words} · since {clause.since}</p>'


def index_page(specification: Specification, where: Links) -> str:
    """All clauses by id and title."""
    lines = [
        "# All clauses",
        "",
        f"{len(specification.clauses)} clauses, by family. Type an id into the search box to go there.",
    ]
    for family, clauses in specification.families().items():
        lines += ["", f"## {family}: {specification.chapters(family)}", ""]
        rows = [
            (
                f"[{clause.id}]({relative(where.clauses[clause.id], INDEX)})",
                clause.title,
                clause.level,
                clause.party,
            )
            for clause in clauses
        ]
        lines.append(table(("clause", "title", "force", "binds"), rows))
    return "\n".join(lines)


def addresses(where: Links) -> str:
    """A script that says where each clause and deviation is, for ``jump.js``."""
    pages = {name: _html(target) for name, target in where.clauses.items()}
    return f"window.CLAUSES = {json.dumps(pages)};\n"


def deviations_page(text: str, where: Links) -> str:
    """docs/deviations.md with an anchor for each row."""
    anchored = re.sub(
        r"^\| (DEV-\d+) \|", lambda m: f'| <a id="{m[1].lower()}"></a>`{m[1]}` |', text, flags=re.MULTILINE
    )
    return linked(anchored, DOCS / "deviations.md", "deviations.md", where)


def guide_page(text: str, source: Path, path: str, where: Links) -> str:
    """A guide; its ladder, if it has one, as a drawing."""
    picture = source.with_suffix(".svg")
    if picture.is_file():
        drawn = re.sub(
            r'href="#([a-z]+-\d+)"',
            lambda match: f'href="{_html(relative(where.clauses[match[1].upper()], path))}"',
            picture.read_text("utf-8"),
        )
        text = re.sub(
            r"```text\n.*?```\n",
            lambda _: f'<div class="ladder-box">{drawn}</div>\n',
            text,
            count=1,
            flags=re.DOTALL,
        )
    text = re.sub(r"^<!-- made by .*? -->\n+", "", text)
    return linked(text, source, path, where)


def linked(text: str, source: Path, path: str, where: Links) -> str:
    """The text with links that hold on the site, and with each id a link."""
    result: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        if fenced or line.startswith(("```", "<div", "<p ", "## ")):
            result.append(line)
            continue
        result.append(_links_of(line, source, path, where))
    return "\n".join(result)


def _links_of(line: str, source: Path, path: str, where: Links) -> str:
    pieces: list[str] = []
    for piece in _CODE.split(line):
        if _CODE.fullmatch(piece):
            # GitHub wants a bar in a table's code escaped; here the backslash would show.
            pieces.append(piece.replace("\\|", "|") if line.startswith("|") else piece)
            continue
        last = 0
        for match in _LINK.finditer(piece):
            pieces += [_ids(piece[last : match.start()], path, where), _link(match, source, path, where)]
            last = match.end()
        pieces.append(_ids(piece[last:], path, where))
    joined = "".join(pieces)
    # A link whose text is code was cut at the code, and one that began on the line before has no beginning here: their
    # targets are still to be translated.
    joined = re.sub(r"^([^\[\]]*\])\(([^)\s]+)\)", lambda match: _link(match, source, path, where), joined)
    return re.sub(r"(\[`[^`]+`\])\(([^)\s]+)\)", lambda match: _link(match, source, path, where), joined)


def _ids(text: str, path: str, where: Links) -> str:
    def known(match: re.Match[str]) -> str:
        target = where.clauses.get(match[1])
        return f"[{match[1]}]({relative(target, path)})" if target else match[1]

    return _ID.sub(known, text)


def _link(match: re.Match[str], source: Path, path: str, where: Links) -> str:
    label, target = match[1], match[2]
    inner = label[1:-1]
    if inner in where.clauses:
        return f"{label}({relative(where.clauses[inner], path)})"
    return f"{label}({translated(target, source, path, where)})"


def translated(target: str, source: Path, path: str, where: Links) -> str:
    """A link of a document as it is on the site. Raises BrokenLink."""
    if re.match(r"[a-z]+:", target):
        return target
    file, _, anchor = target.partition("#")
    wanted = Path(os.path.normpath(source.parent / file)) if file else source
    staged = where.protocol.get(anchor) if wanted == DOCS / "protocol.md" else where.files.get(wanted)
    if staged is None:
        raise BrokenLink(f"{source.relative_to(ROOT)}: {target} leads to nothing on the site")
    if anchor and "#" not in staged and wanted != DOCS / "protocol.md":
        staged = f"{staged}#{anchor}"
    return relative(staged, path)


def relative(target: str, page: str) -> str:
    """``target`` as seen from ``page``, both from the site's root."""
    file, _, anchor = target.partition("#")
    if file == page and anchor:
        return f"#{anchor}"
    found = os.path.relpath(file, os.path.dirname(page) or ".")
    return f"{found}#{anchor}" if anchor else found


def _html(link: str) -> str:
    return link.replace(".md", ".html")
