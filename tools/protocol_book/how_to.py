"""docs/guides/how-to: for each question a page with a call that took place, drawn, each arrow with its clause."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import yaml
from msgspec import Struct

from msgtrace import ladder
from protocol_book import arrows, recorded
from protocol_book.recorded import SERVER, Event, Play
from protocol_book.suite import Specification
from protocol_book.suite import picture as _picture
from protocol_book.tables import table

SOURCES: Final = Path(__file__).resolve().parent / "how_to"
WIDTH: Final = 96
"""columns of a ladder of three lifelines"""
NOTICE: Final = (
    "<!-- made by python -m protocol_book from tools/protocol_book/how_to/{} and a run of the call -->\n"
)


class Guide(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source file."""

    title: str
    question: str
    intro: str
    outro: str
    steps: list[object]
    setup: list[object] = []
    after: list[object] = []
    file: str = ""

    @property
    def name(self) -> str:
        """``answer`` of ``01-answer.yaml``"""
        return Path(self.file).stem.partition("-")[2]


def load() -> list[Guide]:
    """The guides, in their order. Raises msgspec.ValidationError, yaml.YAMLError."""
    guides: list[Guide] = []
    for file in sorted(SOURCES.glob("*.yaml")):
        written = yaml.load(file.read_text("utf-8"), yaml.BaseLoader)
        guides.append(msgspec.convert({**written, "file": file.name}, Guide, strict=False))
    return guides


def record(guides: Sequence[Guide]) -> dict[str, list[Event]]:
    """What happened in each. Raises RunFailed."""
    return recorded.run(
        [Play(name=each.name, setup=each.setup, steps=each.steps, after=each.after) for each in guides]
    )


def page(guide: Guide, events: Sequence[Event], specification: Specification) -> str:
    """The page of a guide, in Markdown."""
    drawn = drawing(events)
    rows: list[tuple[str, ...]] = []
    for number, (event, clause) in enumerate(zip(drawn, arrows.clauses(events), strict=True), 1):
        title = specification.clauses[clause].title
        way = event.source if event.source == event.target else f"{event.source} → {event.target}"
        rows.append((str(number), way, event.summary, f"{clause} {title}"))
    parts = [
        NOTICE.format(guide.file),
        f"# {guide.title}\n",
        guide.intro,
        "```text\n" + _ladder(drawn) + "```\n",
        table(("", "from → to", "message", "clause"), rows),
        "What the application sends (the count in front of each frame is left out, `⏎` is CR LF):\n",
        "```text\n" + "\n".join(frames_of(events)) + "\n```\n",
        guide.outro,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def picture(guide: Guide, events: Sequence[Event]) -> str:
    """The ladder as SVG, each arrow a link to ``#CLAUSE`` in lower case."""
    rows = [(each.at, each.kind, each.source, each.target, each.summary) for each in drawing(events)]
    drawn = _picture(rows, guide.name)
    for number, clause in enumerate(arrows.clauses(events)):
        drawn = drawn.replace(f'href="#{guide.name}-{number}"', f'href="#{clause.lower()}"')
    return re.sub(r'(<text class="time"[^>]*>\d+)\.000', r"\1", drawn) + "\n"


def _ladder(events: Sequence[Event]) -> str:
    """The drawing as text, with the number of each arrow where its time would stand."""
    drawn = ladder.text(events, server=SERVER, width=_width(events))
    return re.sub(r"^( +\d+)\.000", r"\1    ", drawn, flags=re.MULTILINE)


def _width(events: Sequence[Event]) -> int:
    lifelines = {name for event in events for name in (event.source, event.target)}
    return WIDTH + 36 * max(0, len(lifelines) - 3)


def drawing(events: Sequence[Event]) -> list[Event]:
    """The events with what changes from run to run taken out."""
    return [
        Event(
            at=float(number),
            kind=event.kind,
            source=event.source,
            target=event.target,
            summary=_PORT.sub("", event.summary),
        )
        for number, event in enumerate(events, 1)
    ]


_PORT: Final = re.compile(r" (to )?sip:\S+(, sip:\S+)*|:\d{4,5}\b")


def frames_of(events: Sequence[Event]) -> list[str]:
    """The application's frames on paper."""
    ports = peers(events)
    return [
        textwrap.indent(arrows.on_paper(event, ports), "   ")[3:]
        for event in events
        if event.kind == "frame" and event.target == SERVER
    ]


def peers(events: Sequence[Event]) -> dict[str, str]:
    """The name of each SIP peer by the address that it gives in its messages, or that the server sends to."""
    found: dict[str, str] = {}
    for event in events:
        if event.kind != "sip":
            continue
        if event.source == SERVER:
            uri = re.match(r"[A-Z]+ sip:[^@ ]+@(127\.0\.0\.1:\d+) ", event.data)
            if uri:
                found.setdefault(uri[1], event.target)
        else:
            contact = re.search(r"^Contact: <sip:[^@>]+@(127\.0\.0\.1:\d+)", event.data, re.MULTILINE)
            if contact:
                found.setdefault(contact[1], event.source)
    return found
