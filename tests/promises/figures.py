"""What long runs counted, for the documents."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("figures.json")

LEAST_MINUTES = 10.0
"""A run that was shorter says too little to stand in a document."""

Figure = int | float | str
Figures = dict[str, dict[str, Figure]]
"""by run and by name of the figure, for instance ``{"soak": {"calls": 180000}}``"""


def read_figures(file: Path = FILE) -> Figures:
    """All figures; json.JSONDecodeError if the file was damaged."""
    figures: Figures = json.loads(file.read_text("utf-8"))
    return figures


def record(run: str, counted: dict[str, Figure], file: Path = FILE) -> None:
    """Put what ``run`` counted in the place of what it counted before."""
    figures = {**read_figures(file), run: counted}
    file.write_text(json.dumps(figures, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def record_run(run: str, minutes: float, counted: dict[str, Figure], file: Path = FILE) -> None:
    """The same with how many ``minutes`` it took, unless they were too few to say anything."""
    if minutes >= LEAST_MINUTES:
        record(run, {**counted, "minutes": round(minutes)}, file)
