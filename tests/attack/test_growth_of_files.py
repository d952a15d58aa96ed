"""Configuration, cases, recordings and a callback's answers are read in time in proportion to their size, too."""

from __future__ import annotations

import pytest

from tests.attack.test_growth import grows_too_fast
from tests.fuzz.targets import TARGETS

BEGINNINGS = {
    "configuration": ("<drachtio>", "<drachtio><sip><contacts>"),
    "cases": ("title: T\ncases:\n", "[", '"', "a: "),
    "recordings": ("", "===>\r\n9#", '{"kind":"start"}\n', "2026-11-29 00:00:00.000000 "),
    "answers": (
        "",
        '{"action":',
        '{"action": "redirect", "data": {"contact": "',
        '{"action": "reject", "data": ',
    ),
}
UNITS = {
    "configuration": ("a", "\n", "<a/>", "<admin>", "&#97;"),
    "cases": ("a", " ", "[", '"', "- a\n", "&a "),
    "recordings": ("a", " ", "\r\n", "[", '"', "===>\r\n", '{"a":', "1#a", "sip:a@b,"),
    "answers": ("a", " ", "[", '"', '{"a":', "sip:a@b,"),
}


@pytest.mark.parametrize(
    ("name", "beginning"), [(name, beginning) for name, all_ in BEGINNINGS.items() for beginning in all_]
)
def test_time_grows_with_the_size_and_no_faster(name: str, beginning: str) -> None:
    def read(text: str) -> None:
        TARGETS[name](text.encode("latin-1"))

    assert [why for unit in UNITS[name] if (why := grows_too_fast(read, beginning, unit))] == []
