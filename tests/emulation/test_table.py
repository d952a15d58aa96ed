"""Each row of docs/deviations.md is reproduced, or said to be left out; docs/emulation.md is what its source makes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from reference_server.emulation.page import page, rows
from reference_server.emulation.table import EDGES, LEFT_OUT, rows_in_core

ROOT = Path(__file__).parents[2]
DEVIATIONS = (ROOT / "docs/deviations.md").read_text("utf-8")


def test_each_row_is_reproduced_or_left_out() -> None:
    reproduced = set(EDGES) | set(rows_in_core())
    assert reproduced | set(LEFT_OUT) == set(rows(DEVIATIONS))
    assert not reproduced & set(LEFT_OUT)


def test_the_modules_that_are_named_are_there_and_name_their_rows() -> None:
    for row, module in EDGES.items():
        found = find_spec(f"reference_server.emulation.{module}")
        assert found is not None
        assert found.origin is not None
        assert row in Path(found.origin).read_text("utf-8"), row


def test_the_fields_name_their_rows() -> None:
    text = (ROOT / "reference_server/core/defects.py").read_text("utf-8")
    for row, field in rows_in_core().items():
        about = text.partition(f"    {field}: bool")[2].partition(": bool")[0]
        assert row in about, (field, row)


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert rows("| DEV-9 | die of `a\\|b` | we | why |") == {"DEV-9": "die of `a\\|b`"}


def test_the_page_is_what_its_source_makes() -> None:
    assert (ROOT / "docs/emulation.md").read_text("utf-8") == page(DEVIATIONS)
