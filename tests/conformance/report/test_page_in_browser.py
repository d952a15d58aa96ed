"""The page as a browser shows it: packed cases unpacked, narrow and wide, without a word from anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.report import html_page
from tests.conformance.sample_run import sample_run, sample_specification
from tests.msgtrace.browser import PROGRAM, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")


def test_on_a_telephone_and_on_a_desk(tmp_path: Path) -> None:
    run = sample_run()
    passed = [structs.replace(one, verdict=Verdict.PASS) for one in run.cases if one.events] * 3
    page = tmp_path / "index.html"
    html_page.write(structs.replace(run, cases=[*run.cases, *passed]), sample_specification(), page)
    first = f"#c{len(run.cases)}"
    with browser(tmp_path) as shown:
        shown.open(page)
        for width in (360, 1440):
            shown.size(width, 800, dark=width > 1000)
            shown.until(f"document.querySelectorAll('.case').length === {len(run.cases) + len(passed)}")
            shown.run("for (const one of document.querySelectorAll('details')) one.open = true")
            shown.until(f"!!document.querySelector('{first} svg a')")
            assert shown.run("document.documentElement.scrollWidth <= innerWidth")
        assert shown.problems == []
        shown.run("document.getElementById('search').value = 'no such case'")
        shown.run("document.getElementById('search').dispatchEvent(new Event('input'))")
        shown.until("!document.querySelector('.none').hidden")
