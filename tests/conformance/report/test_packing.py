"""What the page's script draws of a packed case is what the page shows of one that is not packed."""

from __future__ import annotations

import gzip
import html.parser
import json
import re
import subprocess
import uuid
from base64 import b85decode
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from drachtio_conformance.engine.results import CaseResult, StepOutcome, Verdict
from drachtio_conformance.report import html_page
from drachtio_conformance.report.packing import EVENTS, Numbered, Packer, marked
from tests.conformance.sample_run import case, event, sample_run, sample_specification

TEMPLATES = Path(html_page.__file__).parent / "templates"
ODD = "8#\x00\xff\xc3\xa9|ok\r\nx\ny\rz\x1b[0m<b>"


def packed(*cases: CaseResult) -> str:
    return Packer(sample_specification()).pack([Numbered(number, one) for number, one in enumerate(cases)])


def columns(*cases: CaseResult) -> Any:
    """What is packed, read without the script."""
    length, digits = packed(*cases).split(" ")
    octets = b85decode(digits.replace(",", "<"))
    assert len(octets) == int(length)
    return json.loads(gzip.decompress(octets))


def drawn(*cases: CaseResult) -> list[str]:
    """What the scripts make of them."""
    scripts = "\n".join((TEMPLATES / name).read_text("utf-8") for name in ("unpack.js", "case.js"))
    program = (
        f"{scripts}\nunpack.columns(require('fs').readFileSync(0, 'utf-8')).then((data) => console.log("
        "JSON.stringify(unpack.cases(data).map((one) => draw.inside(one, `c${one.n}`, data.clauses)))));"
    )
    ended = subprocess.run(
        ["node", "-e", program], input=packed(*cases), capture_output=True, text=True, check=True
    )
    found = json.loads(ended.stdout)
    assert isinstance(found, list)
    return found


class Elements(html.parser.HTMLParser):
    """The elements with their attributes, and the text without blanks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: re.sub(r"\s", "", value or "") for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += re.sub(r"\s", "", data)


def shown(one: CaseResult) -> str:
    """What the page shows of the case if it stands there as it is."""
    known = structs.replace(one, verdict=Verdict.KNOWN_FAILING)
    page = html_page.render(structs.replace(sample_run(), cases=[known]), sample_specification())
    inside = page.partition('<div class="inside">')[2].partition("\n    </div>\n  </details>")[0]
    return inside.replace("known-failing", str(one.verdict))


HELD = (StepOutcome.OK, StepOutcome.NOT_RUN)
CASES = [one for one in sample_run().cases if all(step.outcome in HELD for step in one.steps)]
"""those that could have passed"""


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_a_packed_case_is_drawn_as_one_in_the_page(one: CaseResult) -> None:
    passed = structs.replace(one, verdict=Verdict.PASS)
    theirs, ours = Elements(drawn(passed)[0]), Elements(shown(passed))
    assert theirs.text == ours.text
    kept = [each for each in ours.elements if each[0] not in ("div", "p")]
    assert [each for each in theirs.elements if each[0] not in ("div", "p")] == kept


def test_odd_octets_are_drawn_as_in_the_page() -> None:
    one = case("x/y", Verdict.PASS, events=[event(0, "app", "server", "odd", ODD)])
    assert Elements(drawn(one)[0]).text == Elements(shown(one)).text


def test_each_message_is_kept_once() -> None:
    twice = [event(number, "app", "server", "ping", "6#p|ping") for number in range(3)]
    document = columns(case("x/y", Verdict.PASS, events=twice), case("x/z", Verdict.PASS, events=twice))
    assert document["messages"]["text"] == ["6#p|ping"]


def call(number: int) -> CaseResult:
    """Of many that differ in what is new in each; the last words of each are none of its own."""
    sent = f"61#{uuid.UUID(int=number)}|sip|127.0.0.1|{40_000 + number}|tag=f{number:07}\r\n"
    heard = f"12:00:{number % 60:02}.{number:06} {number:05}0z z0{number}0 INVITE sip:bob@127.0.0.1:5060"
    return case(
        f"x/{number}",
        Verdict.PASS,
        events=[event(0, "app", "server", f"sip f{number:07}", sent), event(1, "server", "app", "in", heard)],
    )


def test_messages_that_differ_in_ids_ports_and_times_are_kept_once() -> None:
    document = columns(*map(call, range(1, 60)))
    assert len(document["messages"]["text"]) == 2
    assert document["messages"]["text"][1].endswith(" INVITE sip:bob@127.0.0.1:5060")


def test_each_case_gets_its_own_words_back() -> None:
    calls = [call(number) for number in (1, 10, 2, 100, 101, 3, 999_999, *range(300, 360))]
    for theirs, ours in zip(drawn(*calls), calls, strict=True):
        assert Elements(theirs).text == Elements(shown(ours)).text


def test_more_words_than_there_are_characters_for_stay_in_the_text() -> None:
    many = case("x/y", Verdict.PASS, events=[event(0, "app", "server", "many", "")])
    words = " ".join(f"a{number:04}" for number in range(1600))
    for place in range(5):
        many.events.append(event(place, "app", "server", f"{place}", words.replace("a", "abcde"[place])))
    assert Elements(drawn(many)[0]).text == Elements(shown(many)).text


def test_a_step_that_looked_at_a_message_names_it() -> None:
    passing = next(one for one in sample_run().cases if one.verdict is Verdict.PASS)
    seen = structs.replace(passing.steps[-1], actual="91cd59c5|response|25b03a10|OK")
    one = structs.replace(passing, steps=[seen])
    document = columns(one)
    place = document["steps"]["actual"][0]
    assert one.events[place].data == "29#91cd59c5|response|25b03a10|OK"
    assert "91cd59c5|response|25b03a10|OK</code>" in drawn(one)[0]


def test_the_page_of_a_run_is_small() -> None:
    """Most of it all is what differs in each case; 1,000 calls took 2.5 MB before words were taken out."""
    assert len(packed(*map(call, range(1000)))) < 30_000


def test_a_very_long_case_is_packed_from_both_ends() -> None:
    events = [event(number, "app", "server", f"ping {number}", "6#p|ping") for number in range(1000)]
    text = drawn(case("x/y", Verdict.PASS, events=events))[0]
    assert f"{1000 - EVENTS} more, see report.json" in text
    assert "<b>ping 149</b>" in text
    assert "<b>ping 150</b>" not in text


def test_a_huge_message_is_packed_from_both_ends() -> None:
    text = marked("1000000#" + "a" * 1_000_000 + "the end")
    assert "\ue002991,823\ue003" in text
    assert text.endswith("the end")
    assert len(text) < 10_000
