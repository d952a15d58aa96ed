"""Tables in docs/protocol.md."""

from __future__ import annotations

import pytest

from protocol_book import tables


def test_a_place_is_filled_and_the_rest_stays() -> None:
    text = "a\n<!-- table: one; made by python -m protocol_book -->\nold\n<!-- end of table -->\nb\n"
    filled = tables.fill(text, {"one": lambda: tables.table(("x", "y"), [("1", "a|b")])})
    assert filled.splitlines() == [
        "a",
        "<!-- table: one; made by python -m protocol_book -->",
        "",
        "| x | y |",
        "|---|---|",
        "| 1 | a\\|b |",
        "",
        "<!-- end of table -->",
        "b",
    ]
    assert tables.fill(filled, {"one": lambda: tables.table(("x", "y"), [("1", "a|b")])}) == filled


def test_an_unknown_table_is_an_error() -> None:
    text = "<!-- table: two; made by python -m protocol_book -->\n\n<!-- end of table -->"
    with pytest.raises(tables.UnknownTable, match="no table is called 'two'; there are one"):
        tables.fill(text, {"one": str})
