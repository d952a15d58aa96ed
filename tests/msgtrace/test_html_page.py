"""The page: what it holds, what it must not do, and a walk through it in Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgtrace.cli import main
from msgtrace.sdp import summary
from tests.bench import msgtrace as bench
from tests.msgtrace import call_set, samples
from tests.msgtrace.browser import PROGRAM, Browser, browser
from tests.msgtrace.test_call_table import b2bua

needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")


def written(folder: Path, data: bytes, *options: str) -> Path:
    """The page of a recording."""
    log, out = folder / "calls.log", folder / "page.html"
    log.write_bytes(data)
    assert main(["decode", "--html", str(out), *options, str(log)]) == 0
    return out


def data_of(path: Path) -> dict[str, list[dict[str, object]]]:
    """What the page knows."""
    text = re.search(
        r'<script id="data" type="application/json">(.*?)</script>', path.read_text("utf-8"), re.DOTALL
    )
    assert text is not None
    found: dict[str, list[dict[str, object]]] = json.loads(text[1])
    return found


def test_the_page_holds_calls_rows_and_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data_of(written(tmp_path, call_set.trace(call_set.played()[0])))
    assert capsys.readouterr().out == ""
    assert [call["number"] for call in found["calls"]] == [*range(1, 17), 0]
    assert (
        found["calls"][3]["text"] == "486 Busy Here by the application; before that 503 Service Unavailable"
    )
    assert len(found["messages"]) == len(call_set.played()[0].steps)


def test_filters_choose_the_calls_of_a_page(tmp_path: Path) -> None:
    found = data_of(written(tmp_path, call_set.trace(call_set.played()[0]), "--method", "MESSAGE"))
    assert [call["method"] for call in found["calls"]] == ["MESSAGE", ""]


def test_secrets_are_not_in_the_page(tmp_path: Path) -> None:
    text = written(tmp_path, samples.client().encode()).read_text("utf-8")
    assert "s3cret" not in text
    assert "abcdef" not in text
    assert "s3cret" in written(tmp_path, samples.client().encode(), "--show-secrets").read_text("utf-8")


HOSTILE = (
    "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\x1b]0;x\x07\u202e"
)


def hostile() -> bytes:
    """A call whose parties and reason are markup."""
    scene = call_set.Scene()
    text = call_set.message("INVITE sip:bob@h SIP/2.0", "c<b>", "1 INVITE", extra=f"Subject: {HOSTILE}")
    text = text.replace("sip:alice@", "sip:<i>a@").replace(
        "sip:bob@example.com", f"sip:{HOSTILE}@example.com"
    )
    scene.relayed(False, text)
    scene.relayed(True, call_set.message(f"SIP/2.0 486 {HOSTILE}", "c<b>", "1 INVITE", ("a", "b")))
    return call_set.trace(scene)


def test_what_a_peer_sent_is_no_markup(tmp_path: Path) -> None:
    text = written(tmp_path, hostile()).read_text("utf-8")
    assert text.count("<script") == 2
    assert "\x1b" not in text
    assert "<img" not in text


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_bytes(samples.client().encode())
    assert main(["decode", "--html", "/nowhere/page.html", str(log)]) == 1
    assert "/nowhere/page.html cannot be written: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 40000 RTP/AVP 0 8\r\n", "audio 40000 PCMU, PCMA at 192.0.2.9"),
        (
            "v=0\r\nm=audio 4 RTP/SAVPF 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=sendonly\r\n",
            "audio 4 opus, telephone-event, sendonly",
        ),
        ("v=0\r\nm=audio 0 RTP/AVP 0\r\nm=video 9 RTP/AVP 96\r\n", "audio refused; video 9 96"),
        ("v=0\r\n", "no media"),
        ("hello", ""),
    ],
)
def test_a_body_of_sdp_in_a_few_words(body: str, told: str) -> None:
    assert summary(body) == told


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def rows(page: Browser) -> object:
    """Calls that the list shows."""
    return page.run("[...document.querySelectorAll('#list tbody tr')].map((row) => Number(row.dataset.call))")


def shown(page: Browser) -> str:
    """The text of the message that is open."""
    return str(page.run("document.querySelector('#message pre').textContent"))


@needs_chromium
def test_a_walk_through_the_page(chromium: Browser, tmp_path: Path) -> None:
    page = chromium
    page.open(written(tmp_path, call_set.trace(call_set.played()[0])))
    page.size(1440, 900)
    assert rows(page) == [*range(1, 17), 0]
    for ending in ("good", "open", "warn"):
        page.click(f"#endings .{ending}")
    assert rows(page) == [4, 5, 7, 8, 9, 10, 14, 15]
    page.press("/")
    for letter in "forbidden":
        page.press(letter)
    page.until("document.querySelectorAll('#list tbody tr').length === 2")
    assert rows(page) == [5, 10]
    page.press("Escape")
    for key in ("j", "ArrowDown", "Enter"):
        page.press(key)
    page.until("!document.getElementById('call').hidden")
    heading = page.run("document.querySelector('#call h2').textContent")
    assert heading == "Call 10: INVITE alice → bob"
    names = page.run("[...document.querySelectorAll('svg .head')].map((name) => name.textContent)")
    assert names == ["192.0.2.9:5060", "server", "app 1"]
    page.click("[data-row='5']")
    assert (
        page.run("document.querySelector('#message h2').textContent") == "143: INVITE sip:bob@192.0.2.1:5060"
    )
    assert shown(page).startswith("INVITE sip:bob@192.0.2.1:5060 SIP/2.0\n")
    page.press("j")
    tokens = page.run("[...document.querySelectorAll('.tokens th')].map((name) => name.textContent)")
    assert isinstance(tokens, list)
    assert tokens[:3] == ["id", "type", "source"]
    page.click("#hex")
    assert shown(page).startswith("000000  49 4e 56 49 54 45 20")
    page.press("t")
    assert page.run("document.querySelector('svg .time').textContent") == "07:00:13.700"
    page.press("Escape")
    page.press("Escape")
    assert page.run("document.getElementById('list').hidden") is False
    assert page.problems == []


@needs_chromium
@pytest.mark.parametrize("size", [(1440, 900), (800, 1000), (360, 740)])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_runs_out_of_the_window(
    chromium: Browser, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    page = chromium
    path = written(tmp_path, call_set.trace(call_set.played()[0]))
    for anchor in ("", "#call-3"):
        page.open(path, anchor)
        page.size(*size, dark=dark)
        if anchor:
            page.click("[data-row='2']")
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), (anchor, size)
    ground = str(page.run("getComputedStyle(document.body).backgroundColor"))
    assert (ground == "rgb(255, 255, 255)") is not dark
    assert page.problems == []


@needs_chromium
def test_the_legs_of_one_call_are_one_ladder(chromium: Browser, tmp_path: Path) -> None:
    page = chromium
    page.open(written(tmp_path, call_set.trace(b2bua(body="v=0\r\n"))), "#call-1")
    names = page.run("[...document.querySelectorAll('svg .head')].map((name) => name.textContent)")
    assert names == ["192.0.2.9:5060", "192.0.2.20:5060", "server", "app 1"]
    page.click(".legs button")
    page.until("document.querySelector('#call h2').textContent.startsWith('Call 2')")
    assert page.problems == []


@needs_chromium
def test_it_can_be_printed(chromium: Browser, tmp_path: Path) -> None:
    """Without what cannot be clicked on paper, and with the ladder, in which waiting is drawn."""
    page = chromium
    page.open(written(tmp_path, call_set.trace(call_set.played()[0])), "#call-3")
    page.ask("Emulation.setEmulatedMedia", media="print")
    shown_on_paper = (
        "[...document.querySelectorAll('#controls, #back, footer')].filter((one) => one.offsetHeight).length"
    )
    assert page.run(shown_on_paper) == 0
    assert page.run("document.querySelectorAll('#ladder svg .row').length") == page.run(
        "calls.get(3).rows.length"
    )
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.ask("Emulation.setEmulatedMedia", media="")
    assert page.problems == []


@needs_chromium
def test_why_calls_failed_stands_before_them(chromium: Browser, tmp_path: Path) -> None:
    page = chromium
    page.open(written(tmp_path, call_set.trace(call_set.played()[0])))
    page.size(1440, 900)
    listed = "[...document.querySelectorAll('#causes button')].map((one) => one.textContent)"
    causes = page.run(listed)
    assert isinstance(causes, list)
    assert [int(cause.split(" × ")[0]) for cause in causes] == [2, *[1] * (len(causes) - 1)]
    assert causes[0] == "2 × 403 Forbidden by the application"
    page.click("#causes button")
    assert rows(page) == [5, 10]
    page.click("#causes button")
    assert rows(page) == [*range(1, 17), 0]
    assert page.problems == []


@needs_chromium
def test_markup_of_a_peer_does_nothing(chromium: Browser, tmp_path: Path) -> None:
    page = chromium
    page.open(written(tmp_path, hostile()), "#call-1")
    page.click("[data-row='0']")
    assert page.run("window.hacked") is None
    assert page.run("document.querySelectorAll('img').length") == 0
    assert "<img src=x" in shown(page)
    assert "\\x1b" in shown(page)
    assert page.problems == []


@needs_chromium
def test_ten_thousand_messages_do_not_choke_it(chromium: Browser, tmp_path: Path) -> None:
    parts = [part for number in range(1200) for part in bench.exchange(number)]
    path = written(tmp_path, bench.written("client log", parts).encode())
    page = chromium
    page.open(path)
    page.size(1440, 900)
    assert page.run("data.messages.length") == len(parts) > 10_000
    search = "const t = performance.now(); $('search').value = 'bob'; list(); return performance.now() - t;"
    took = page.run(f"(() => {{ {search} }})()")
    assert isinstance(took, int | float)
    assert took < 5000, "milliseconds, also on a busy machine"
    assert page.run("state.shown.length") == 1200
    assert page.run("document.querySelectorAll('#list tbody tr').length") == 300
    page.run("window.scrollTo(0, document.body.scrollHeight)")
    page.until("document.querySelectorAll('#list tbody tr').length >= 600")
