"""What share of each layer's statements and branches has to be reached, and whether it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from msgspec import Struct

DEMANDED = {"wire": 100.0, "sip": 100.0, "core": 95.0}
"""percent, by folder of ``reference_server/``"""


class Summary(Struct):
    """Of one file, as ``coverage json`` counts."""

    num_statements: int
    covered_lines: int
    num_branches: int = 0
    covered_branches: int = 0


class File(Struct):
    """One file of such a report."""

    summary: Summary


class Report(Struct):
    """The part of it that is needed; files by their path."""

    files: Mapping[str, File]


def percent_by_layer(report: Report) -> dict[str, float]:
    """Percent of statements and branches, by folder; cut to hundredths, so that 100 means all.

    ValueError if the report has nothing of a layer: then it was not measured.
    """
    percent: dict[str, float] = {}
    for layer in DEMANDED:
        files = [file.summary for path, file in report.files.items() if layer == PurePath(path).parts[1]]
        there = sum(file.num_statements + file.num_branches for file in files)
        reached = sum(file.covered_lines + file.covered_branches for file in files)
        if not there:
            raise ValueError(f"expected files of reference_server/{layer} in the report, got none")
        percent[layer] = reached * 10_000 // there / 100
    return percent


def missed(percent: Mapping[str, float]) -> list[str]:
    """A sentence for each layer of which too little is reached."""
    return [
        f"reference_server/{layer}: expected {demanded:g} % of statements and branches, got {percent[layer]:g} %"
        for layer, demanded in DEMANDED.items()
        if percent[layer] < demanded
    ]
