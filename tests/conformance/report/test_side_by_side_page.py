"""The page of several runs: what stands in it, and what a reader does with it in a browser, offline."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.report import side_by_side_page
from tests.conformance.report.test_side_by_side import RUNS
from tests.msgtrace.browser import PROGRAM, Browser, browser

PAGE = side_by_side_page.render(RUNS, specification.load(), title="Two <runs>")


class Tags(html.parser.HTMLParser):
    """What a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unlabelled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found.append((tag, given))
        if tag in ("input", "select") and "aria-label" not in given and "label" not in self.open:
            self.unlabelled.append(str(given.get("id")))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def all(self, wanted: str) -> list[dict[str, str | None]]:
        return [given for tag, given in self.found if tag == wanted]


@pytest.fixture(scope="module")
def tags() -> Tags:
    """Of the page."""
    parsed = Tags()
    parsed.feed(PAGE)
    return parsed


def test_a_row_for_each_case(tags: Tags) -> None:
    rows = [given for given in tags.all("tr") if given.get("class") == "row"]
    assert [(row["data-verdicts"], row["data-differ"], row["data-failing"]) for row in rows] == [
        ("pass pass", "0", "0"),
        ("fail pass", "1", "1"),
        ("absent warn", "1", "1"),
    ]


def test_behind_a_row_are_clause_difference_ladder_and_octets() -> None:
    assert "PING-1 · ping is answered pong" in PAGE
    assert "<code>token 4: <mark>pong</mark></code>" in PAGE
    assert "<code>token 4: <mark>PONG &lt;x&gt;</mark></code>" in PAGE
    assert re.search(r'<svg class="ladder".*?<a class="frame" href="#c1-0-0">', PAGE)
    assert re.search(r'id="c1-0-0".*?<pre>.*a&lt;b&gt;', PAGE)


def test_what_comes_from_a_peer_is_text() -> None:
    assert "<x>" not in PAGE
    assert "<b>a" not in PAGE
    assert "Two &lt;runs&gt;" in PAGE


def test_it_needs_no_network(tags: Tags) -> None:
    assert not [given for _, given in tags.found if "src" in given]
    assert all(str(given["href"]).startswith(("#", "data:")) for _, given in tags.found if "href" in given)
    assert any("default-src 'none'" in str(given.get("content")) for given in tags.all("meta"))


def test_who_cannot_see_it_finds_the_way(tags: Tags) -> None:
    assert tags.all("html")[0]["lang"] == "en"
    assert len(tags.all("h1")) == len(tags.all("caption")) == len(tags.all("main")) == 1
    assert tags.unlabelled == []
    assert all("scope" in given for given in tags.all("th"))
    ids = {given.get("id") for _, given in tags.found}
    for button in tags.all("button"):
        assert button["aria-expanded"] == "false"
        assert button["aria-controls"] in ids
    assert all(given["role"] == "img" for given in tags.all("svg"))


@pytest.mark.parametrize(
    ("expected", "got", "left", "right"),
    [
        ("token 4: pong", "token 4: ping", "token 4: <mark>pong</mark>", "token 4: <mark>ping</mark>"),
        ("a & b", "a & b c", "a &amp; b", "a &amp; b<mark> c</mark>"),
        ("{uuid}|*", "nothing came", "<mark>{uuid}|*</mark>", "<mark>nothing came</mark>"),
        ("nothing", "", "<mark>nothing</mark>", ""),
    ],
)
def test_what_differs_is_marked(expected: str, got: str, left: str, right: str) -> None:
    assert side_by_side_page.marked(expected, got) == (left, right)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Browser]:
    """The page, opened."""
    path = tmp_path / "page.html"
    path.write_text(PAGE, "utf-8")
    with browser(tmp_path / "chromium") as opened:
        opened.open(path)
        yield opened


ROWS = (
    "[...document.querySelectorAll('.row')].filter((row) => row.offsetParent)"
    ".map((row) => row.querySelector('button span').textContent).join()"
)


def enter(shown: Browser, id: str, value: str) -> None:
    shown.run(f"document.getElementById('{id}').value = '{value}'")
    shown.run(f"document.getElementById('{id}').dispatchEvent(new Event('input'))")


@pytest.mark.skipif(PROGRAM is None, reason="no chromium here")
def test_a_reader_filters(shown: Browser) -> None:
    assert shown.run(ROWS) == "ping/a,ping/b,ping/c"
    shown.click("#differ")
    shown.until(f"{ROWS} === 'ping/b,ping/c'")
    enter(shown, "verdict", "fail")
    shown.until(f"{ROWS} === 'ping/b'")
    enter(shown, "run", "1")
    shown.until(f"{ROWS} === ''")
    assert shown.run("document.querySelector('.none').hidden") is False
    enter(shown, "verdict", "pass")
    shown.until(f"{ROWS} === 'ping/b'")
    shown.click("#differ")
    enter(shown, "verdict", "")
    shown.press("/")
    assert shown.run("document.activeElement.id") == "search"
    enter(shown, "search", "ping-1 late")
    shown.until(f"{ROWS} === 'ping/c'")
    assert shown.run("document.getElementById('shown').value") == "1 of 3 cases"
    enter(shown, "search", "ping-12")
    shown.until(f"{ROWS} === ''")
    assert shown.problems == []


@pytest.mark.skipif(PROGRAM is None, reason="no chromium here")
@pytest.mark.parametrize("width", [360, 1440])
def test_a_reader_opens_a_case_and_a_message(shown: Browser, width: int) -> None:
    shown.size(width, 800, dark=width > 1000)
    shown.click("[aria-controls=c1]")
    shown.until("document.querySelector('#c1 mark').offsetParent !== null")
    assert shown.run("document.querySelector('[aria-controls=c1]').ariaExpanded") == "true"
    shown.click("#c1 .ladder a")
    shown.until("document.getElementById('c1-0-0').open")
    shown.until("document.querySelector('#c1-0-0 pre').offsetParent !== null")
    assert shown.run("document.documentElement.scrollWidth <= innerWidth")
    shown.click("[aria-controls=c1]")
    shown.until("document.getElementById('c1').hidden")
    assert shown.problems == []


@pytest.mark.skipif(PROGRAM is None, reason="no chromium here")
def test_on_paper_there_is_what_was_open_and_no_form(shown: Browser) -> None:
    shown.click("[aria-controls=c1]")
    shown.ask("Emulation.setEmulatedMedia", media="print")
    shown.until("document.querySelector('.tools').offsetParent === null")
    assert shown.run("document.querySelector('#c1 mark').offsetParent !== null")
    assert shown.run("document.querySelector('#c0').offsetParent === null")
