"""An SDK in an hour."""

from __future__ import annotations

import re

import pytest

from protocol_book import sdk_page

PROGRAM = "# [one]\na = 1\n\n# [two]\nclass B:\n    # [three]\n    def c(self):\n        pass\n    # [end]\n"


@pytest.mark.parametrize(
    ("name", "code"), [("one", "a = 1"), ("two", "class B:"), ("three", "def c(self):\n    pass")]
)
def test_a_part_is_what_stands_behind_its_mark(name: str, code: str) -> None:
    assert sdk_page.part(PROGRAM, name) == code


def test_a_part_that_is_not_marked_is_an_error() -> None:
    with pytest.raises(sdk_page.NoSuchPart, match=r"no part of the program is marked \[four\]"):
        sdk_page.part(PROGRAM, "four")


def test_the_page_has_all_of_the_client_in_both_languages_and_a_part_of_the_app() -> None:
    page = sdk_page.page()
    assert re.search("^(CODE|APP)", page, re.MULTILINE) is None
    for program in (sdk_page.CLIENT, sdk_page.JAVASCRIPT):
        text = program.read_text("utf-8")
        for name in re.findall(r"^ *(?:#|//) \[(?!end)(\w+)\]$", text, re.MULTILINE):
            assert sdk_page.part(text, name) in page, name
    assert page.count("```python\n") == page.count("```js\n") + 1
    assert sdk_page.part(sdk_page.APP.read_text("utf-8"), "requests") in page
    assert [f"python steps.py {number} " in page for number in range(1, 8)] == [True] * 7
