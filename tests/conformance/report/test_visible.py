"""What steers a terminal or a page is written out."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from drachtio_conformance.report.visible import in_a_page, visible, visible_on_one_line


@pytest.mark.parametrize(
    ("text", "shown", "on_one_line"),
    [
        ("café → 1", "café → 1", "café → 1"),
        ("\x1b[2J\x07\x9b\x7f\0", r"\x1b[2J\x07\x9b\x7f\x00", r"\x1b[2J\x07\x9b\x7f\x00"),
        ("a\r\nb\n\tc\rd", "a\nb\n\tc\\x0dd", "a\\nb\\n\tc\\x0dd"),
    ],
)
def test_control_characters_are_written_out_and_nothing_else(text: str, shown: str, on_one_line: str) -> None:
    assert visible(text) == shown
    assert visible_on_one_line(text) == on_one_line
    assert in_a_page(text) == shown


def test_markup_and_what_is_no_text_stay() -> None:
    markup = Markup("<b>\x1b</b>")
    assert in_a_page(markup) is markup
    assert in_a_page(7) == 7
