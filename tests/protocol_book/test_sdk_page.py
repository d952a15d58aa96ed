"""An SDK in an hour."""

from __future__ import annotations

import pytest

from protocol_book import sdk_page

PROGRAM = (
    "# [step 1]\na = 1\n\n# [step 2]\nclass B:\n    # [step 3]\n    def c(self):\n        pass\n    # [end]\n"
)


@pytest.mark.parametrize(
    ("number", "code"), [("1", "a = 1"), ("2", "class B:"), ("3", "def c(self):\n    pass")]
)
def test_a_step_is_what_stands_behind_its_mark(number: str, code: str) -> None:
    assert sdk_page.step(PROGRAM, number) == code


def test_a_step_that_is_not_marked_is_an_error() -> None:
    with pytest.raises(sdk_page.NoSuchStep, match=r"no part of the program is marked \[step 4\]"):
        sdk_page.step(PROGRAM, "4")


def test_the_page_has_the_code_of_every_step_in_both_languages() -> None:
    page = sdk_page.page()
    assert "CODE" not in page
    assert page.count("```python\n") == page.count("```js\n") == 6
    assert [f"python steps.py {number} " in page for number in range(1, 8)] == [True] * 7
