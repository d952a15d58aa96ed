"""Every file that is made here, with its content."""

from __future__ import annotations

from pathlib import Path

from protocol_book import frame_pages, how_to, machine, machines, reference_pages, sdk_page, suite, tables
from protocol_book.frames import FRAMES
from protocol_book.suite import ROOT, Specification

GUIDES = ROOT / "docs" / "guides"
TABLES = {
    "frames": frame_pages.overview,
    "failures-no": lambda: tables.failures("NO"),
    "failures-nok": lambda: tables.failures("NOK"),
    "releases": tables.releases,
}
"""the tables of docs/protocol.md"""


def quick_files(specification: Specification) -> dict[Path, str]:
    """What is made of tables alone."""
    docs = ROOT / "docs"
    found = {
        docs / "protocol.md": tables.fill((docs / "protocol.md").read_text("utf-8"), TABLES),
        docs / "protocol.json": machine.text(specification),
        docs / "protocol.schema.json": machine.schema(),
        GUIDES / "state-machines.md": machines.page(specification),
        GUIDES / "failure-texts.md": reference_pages.failure_texts(),
        GUIDES / "timers.md": reference_pages.timers(),
        GUIDES / "tokens.md": frame_pages.by_verb(),
        GUIDES / "records.md": reference_pages.records(),
        GUIDES / "changes.md": reference_pages.changes(),
        GUIDES / "an-sdk-in-an-hour.md": sdk_page.page(),
    }
    for frame in FRAMES:
        found[GUIDES / "frames" / frame_pages.file_name(frame)] = frame_pages.page(frame, specification)
    return found


def recorded_files(specification: Specification) -> dict[Path, str]:
    """What is made of calls that are run for it. Raises RunFailed."""
    guides = how_to.load()
    runs = how_to.record(guides)
    found: dict[Path, str] = {}
    for guide in guides:
        folder = GUIDES / "how-to"
        found[folder / f"{guide.name}.md"] = how_to.page(guide, runs[guide.name], specification)
        found[folder / f"{guide.name}.svg"] = how_to.picture(guide, runs[guide.name])
    return found


def all_files() -> dict[Path, str]:
    """All of them. Raises RunFailed."""
    specification = suite.load()
    return quick_files(specification) | recorded_files(specification)


def stale(wanted: dict[Path, str]) -> list[Path]:
    """The files that are missing, that have another content, or that nothing makes any more."""
    changed = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    made = [GUIDES / "frames", GUIDES / "how-to"]
    left = [path for folder in made if folder.is_dir() for path in folder.iterdir() if path not in wanted]
    return [*changed, *sorted(left)]


def write(path: Path, wanted: dict[Path, str]) -> None:
    """Write a file of ``wanted``, or remove one that nothing makes any more."""
    if path not in wanted:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(wanted[path], "utf-8")
