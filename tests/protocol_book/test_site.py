"""The site: every link leads somewhere, every clause has its anchor, nothing is fetched from the network."""

from __future__ import annotations

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from protocol_book import site, site_pages, suite

SPECIFICATION = suite.load()


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attributes if value is not None}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe") and "src" in found:
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(found["href"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    assert site.main([str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in folder.rglob("*.html") if path.name != "404.html"}


def test_every_link_leads_somewhere(folder: Path, pages: dict[Path, Page]) -> None:
    broken: list[str] = []
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                broken += [] if parts.scheme == "https" else [f"{path.name}: {link}"]
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            checked += 1
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and target in pages and parts.fragment not in known):
                broken.append(f"{path.relative_to(folder)}: {link}")
    assert broken == []
    assert checked > 5000


def test_every_page_is_in_the_menu(folder: Path) -> None:
    chapters = site_pages.chapters((suite.ROOT / "docs" / "protocol.md").read_text("utf-8"))
    menu = json.dumps(site.navigation(chapters))
    written = {str(path.relative_to(folder).with_suffix(".md")) for path in folder.rglob("*.html")}
    assert {page for page in written if f'"{page}"' not in menu} == {"404.md"}


def test_every_clause_and_deviation_has_an_anchor_of_its_name(pages: dict[Path, Page]) -> None:
    anchors = {anchor for page in pages.values() for anchor in page.anchors}
    wanted = {name.lower() for name in (*SPECIFICATION.clauses, *SPECIFICATION.deviations)}
    assert wanted <= anchors


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    assert [load for page in pages.values() for load in page.loads if urlsplit(load).scheme] == []


def test_arrows_of_ladders_are_links_to_clauses(folder: Path) -> None:
    page = Page((folder / "guides" / "how-to" / "answer.html").read_text("utf-8"))
    assert "../../specification/a-call-from-beginning-to-end.html#call-1" in page.links


def test_the_search_finds_clauses_by_id_and_title(folder: Path) -> None:
    index = json.loads((folder / "search" / "search_index.json").read_text("utf-8"))
    titles = {document["title"] for document in index["docs"]}
    assert "ROUTE-3 · Verbs are compared in lower case" in titles


def test_the_search_works_from_files(folder: Path) -> None:
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]
    address = f"file://{folder}/index.html?q=glare"
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=100, check=False)
    assert "DLG-15" in done.stdout.partition("md-search-result__list")[2]


QUESTIONS = {
    "how do I put a call on hold": "guides/how-to/hold.html",
    "how do I transfer a call": "guides/how-to/transfer.html",
    "how do I hang up": "guides/how-to/hang-up.html",
    "how do I authenticate": "guides/frames/authenticate.html",
    "what does token 7 of sip mean": "guides/tokens.html",
    "which errors can proxy give": "guides/frames/proxy.html",
    "what does NOK mean": "guides/failure-texts.html",
    "when is a dialog over": "guides/how-to/hang-up.html#when-is-a-dialog-over-and-who-tells-me",
    "what happens when my application disconnects": "specification/the-end-of-a-connection.html",
    "how long may an application take to answer": "guides/timers.html",
    "who gets a request when two applications route it": "specification/routing.html",
    "what is in a call detail record": "specification/call-detail-records.html",
    "how does a client find out the server's version": "guides/changes.html",
    "what do I do when the connection is lost": "guides/how-to/reconnect.html",
    "how do I call somebody": "guides/how-to/call.html",
    "how do I cancel my INVITE": "specification/calls-of-the-application.html",
    "what can the genuine server not take": "guides/portable-clients.html",
    "how do I test my application without docker": "guides/test-without-docker.html",
}
"""what a stranger types into the search, and where the answer is"""
NONSENSE = "zzyzx"


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, list[list[str]]]:
    """What the site's own search finds for each question: pages, best first, each with its best places."""
    command = ["node", str(Path(__file__).with_name("search.mjs")), str(folder), *QUESTIONS, NONSENSE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    answers: dict[str, list[list[str]]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_its_answer_among_the_first_three(
    found: dict[str, list[list[str]]], question: str
) -> None:
    first = [place for page in found[question][:3] for place in page]
    answer = QUESTIONS[question]
    assert any(place == answer or place.startswith(f"{answer}#") for place in first), first[:9]


def test_a_question_about_nothing_finds_nothing(found: dict[str, list[list[str]]]) -> None:
    """The broken twin: what is found depends on what is asked."""
    assert found[NONSENSE] == []


def test_each_answer_is_two_clicks_from_the_front_page(folder: Path, pages: dict[Path, Page]) -> None:
    near = {folder / "index.html"}
    for _ in range(2):
        near |= {
            (path.parent / unquote(urlsplit(link).path)).resolve()
            for path in near & set(pages)
            for link in pages[path].links
            if not urlsplit(link).scheme and urlsplit(link).path
        }
    far = {answer for answer in QUESTIONS.values() if folder / answer.partition("#")[0] not in near}
    assert far == set()


def test_a_clause_is_reached_by_its_id(folder: Path) -> None:
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]
    address = f"file://{folder}/index.html#call-9"
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=100, check=False)
    assert 'id="call-9"' in done.stdout


def test_a_site_that_cannot_be_built_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stage_one_page(folder: Path) -> list[object]:
        folder.mkdir()
        (folder / "index.md").write_text("# A page\n", "utf-8")
        return ["nowhere.md"]

    monkeypatch.setattr(site, "stage", stage_one_page)
    assert site.main([str(tmp_path / "site")]) == 1
    assert "nowhere.md" in capsys.readouterr().err


def test_chapters_are_cut_at_second_level_headings_outside_examples() -> None:
    text = "# T\nintro\n## A first session\nx\n# Part 1: The wire\nabout\n## One\n```\n## no\n```\n## Two\n"
    found = site_pages.chapters(text + "last\n")
    assert [(each.title, each.part) for each in found] == [
        ("Introduction", ""),
        ("One", "1: The wire"),
        ("Two", "1: The wire"),
    ]
    assert found[1].lines == ("```", "## no", "```")


def test_a_link_that_leads_nowhere_is_an_error() -> None:
    where = site_pages.Links(clauses={}, protocol={"": "x.md"}, files={})
    source = site_pages.DOCS / "deviations.md"
    for target in ("nowhere.md", "protocol.md#nothing"):
        with pytest.raises(site_pages.BrokenLink, match=f"docs/deviations.md: {target} leads to nothing"):
            site_pages.linked(f"[x]({target})", source, "deviations.md", where)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("see PING-1.", "see [PING-1](ping.md#ping-1)."),
        ("`PING-1` and RFC-1", "`PING-1` and RFC-1"),
        ("| `a\\|b` | c |", "| `a|b` | c |"),
        ("[DEV-1](deviations.md)", "[DEV-1](../deviations.md#dev-1)"),
        ("[`x`](guides/concepts.md)", "[`x`](../guides/concepts.md)"),
        ("[ids](#framing)", "[ids](framing.md)"),
        ("[two\nlines](#framing) and PING-1", "[two\nlines](framing.md) and [PING-1](ping.md#ping-1)"),
    ],
)
def test_ids_and_links_become_links_of_the_site(line: str, expected: str) -> None:
    docs = site_pages.DOCS
    where = site_pages.Links(
        clauses={"PING-1": "specification/ping.md#ping-1", "DEV-1": "deviations.md#dev-1"},
        protocol={"framing": "specification/framing.md"},
        files={
            docs / "deviations.md": "deviations.md",
            docs / "guides" / "concepts.md": "guides/concepts.md",
        },
    )
    assert site_pages.linked(line, docs / "protocol.md", "specification/routing.md", where) == expected
