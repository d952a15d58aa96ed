"""What long runs counted, for the documents."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("figures.json")

Figures = dict[str, dict[str, int | float | str]]
"""by run and by name of the figure, for instance ``{"soak": {"calls": 180000}}``"""


def read_figures(file: Path = FILE) -> Figures:
    """All figures; json.JSONDecodeError if the file was damaged."""
    figures: Figures = json.loads(file.read_text("utf-8"))
    return figures


def record(run: str, counted: dict[str, int | float | str], file: Path = FILE) -> None:
    """Put what ``run`` counted in the place of what it counted before."""
    figures = {**read_figures(file), run: counted}
    file.write_text(json.dumps(figures, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
