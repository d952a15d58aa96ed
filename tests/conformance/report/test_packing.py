"""What the page's script draws of a packed case is what the page shows of one that is not packed."""

from __future__ import annotations

import gzip
import html.parser
import json
import re
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from msgspec import structs

from drachtio_conformance.engine.results import CaseResult, StepOutcome, Verdict
from drachtio_conformance.report import html_page
from drachtio_conformance.report.packing import EVENTS, Numbered, Packer, marked
from tests.conformance.sample_run import case, event, sample_run, sample_specification

SCRIPT = Path(html_page.__file__).parent / "templates" / "case.js"
ODD = "8#\x00\xff\xc3\xa9|ok\r\nx\ny\rz\x1b[0m<b>"


def packed(*cases: CaseResult) -> dict[str, object]:
    numbered = [Numbered(number, one) for number, one in enumerate(cases)]
    text = Packer(sample_specification()).pack(numbered)
    document = json.loads(gzip.decompress(b64decode(text)))
    assert isinstance(document, dict)
    return document


def drawn(*cases: CaseResult) -> list[str]:
    """What the script makes of them."""
    program = (
        f"{SCRIPT.read_text('utf-8')}\nconst data = JSON.parse(require('fs').readFileSync(0, 'utf-8'));"
        "console.log(JSON.stringify(data.cases.map((one) => draw.inside(one, `c${one.n}`, data))));"
    )
    ended = subprocess.run(
        ["node", "-e", program], input=json.dumps(packed(*cases)), capture_output=True, text=True, check=True
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
    document = packed(case("x/y", Verdict.PASS, events=twice), case("x/z", Verdict.PASS, events=twice))
    assert document["frames"] == ["6#p|ping"]


def test_a_step_that_looked_at_a_message_names_it() -> None:
    passing = next(one for one in sample_run().cases if one.verdict is Verdict.PASS)
    seen = structs.replace(passing.steps[-1], actual="91cd59c5|response|25b03a10|OK")
    one = structs.replace(passing, steps=[seen])
    document = packed(one)
    frames, cases = document["frames"], document["cases"]
    assert isinstance(frames, list)
    assert isinstance(cases, list)
    assert frames[cases[0]["steps"][0][5]] == "29#91cd59c5|response|25b03a10|OK"
    assert "91cd59c5|response|25b03a10|OK</code>" in drawn(one)[0]


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
