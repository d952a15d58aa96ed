"""The documents as GitHub shows them: links between them lead somewhere, clauses that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from protocol_book import site_pages, suite

ROOT = suite.ROOT
SPECIFICATION = suite.load()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "vectors").glob("*.md")])
FAMILIES = {clause.family for clause in SPECIFICATION.clauses.values()}


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!\[)`[^`\n]+`(?!\])", "", text)


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        site_pages.slug(heading.replace("`", "")) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    broken: list[str] = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        wanted = (path.parent / file).resolve() if file else path
        if not wanted.exists() or (anchor and wanted.suffix == ".md" and anchor not in anchors(wanted)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_clauses_and_deviations_that_are_named_exist(path: Path) -> None:
    text = re.sub(
        r"Numbers that were never given: .*?\(", "", without_code(path.read_text("utf-8")), flags=re.DOTALL
    )
    named = {
        name
        for name in re.findall(r"\b[A-Z]{2,}-\d+\b", text)
        if name.partition("-")[0] in {*FAMILIES, "DEV"}
    }
    assert named <= {*SPECIFICATION.clauses, *SPECIFICATION.deviations}
