"""Ladders as Mermaid and SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from msgtrace.cli import main
from msgtrace.drawings import mermaid, svg
from msgtrace.rows import Row
from tests.msgtrace import call_set
from tests.msgtrace.browser import PROGRAM, browser

ROWS = [
    Row(
        at=0.0,
        kind="sip",
        source="192.0.2.9:5060",
        target="server",
        summary="INVITE sip:b#1;<x>@h",
        times=3,
        until=1.5,
    ),
    Row(at=0.1, kind="frame", source="server", target="app", summary='sip INVITE "a" & b'),
    Row(at=0.2, kind="note", source="server", target="server", summary="could not be sent"),
    Row(
        at=0.3,
        kind="sip",
        source="server",
        target="192.0.2.9:5060",
        summary="486 Busy Here",
        bad=True,
        status=486,
    ),
]


def test_mermaid_has_a_line_for_each_row_and_nothing_that_it_takes_for_its_own() -> None:
    assert mermaid(ROWS).splitlines() == [
        "sequenceDiagram",
        "    participant p0 as 192.0.2.9:5060",
        "    participant p1 as server",
        "    participant p2 as app",
        "    p0->>p1: 0.000 INVITE sip:b#35;1#59;#60;x#62;@h ×3 until 1.5",
        "    p1-->>p2: 0.100 sip INVITE #34;a#34; #38; b",
        "    Note over p1: 0.200 could not be sent",
        "    p1->>p0: 0.300 486 Busy Here",
    ]


def test_the_drawing_is_well_formed_and_escaped() -> None:
    root = ElementTree.fromstring(svg(ROWS))
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "486 Busy Here" in texts
    assert any(text and text.endswith(" ×3 until 1.5") for text in texts)
    assert "<x>" not in svg(ROWS)


@pytest.mark.parametrize("style", ["--mermaid", "--svg"])
def test_of_a_recording(style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_bytes(call_set.trace(call_set.played()[0]))
    assert main(["decode", style, "--call", "1", str(log)]) == 0
    out = capsys.readouterr().out
    assert "INVITE" in out
    assert "192.0.2.9:5060" in out


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_a_browser_shows_the_drawing(tmp_path: Path) -> None:
    path = tmp_path / "ladder.svg"
    path.write_text(svg(ROWS), "utf-8")
    with browser(tmp_path) as page:
        page.open(path)
        box = "document.querySelector('svg').getBoundingClientRect().width"
        assert page.run(f"{box} > 500")
        assert page.problems == []
