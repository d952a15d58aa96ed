"""What is demanded of the layers' coverage."""

from __future__ import annotations

import pytest

from tests.coverage.demands import File, Report, Summary, missed, percent_by_layer


def report(**layers: tuple[int, int, int, int]) -> Report:
    return Report(
        {f"reference_server/{layer}/deep/file.py": File(Summary(*counts)) for layer, counts in layers.items()}
    )


def test_statements_and_branches_count_alike() -> None:
    percent = percent_by_layer(report(wire=(6, 6, 4, 4), sip=(6, 6, 4, 3), core=(10, 9, 10, 10)))
    assert percent == {"wire": 100.0, "sip": 90.0, "core": 95.0}
    assert missed(percent) == [
        "reference_server/sip: expected 100 % of statements and branches, got 90 %",
    ]


def test_nearly_all_is_not_all() -> None:
    percent = percent_by_layer(report(wire=(100_000, 99_999, 0, 0), sip=(1, 1, 0, 0), core=(1, 1, 0, 0)))
    assert percent["wire"] == 99.99
    assert len(missed(percent)) == 1


def test_a_layer_that_was_not_measured_is_no_success() -> None:
    with pytest.raises(ValueError, match="reference_server/core in the report, got none"):
        percent_by_layer(report(wire=(1, 1, 0, 0), sip=(1, 1, 0, 0)))
