"""What long runs counted, for the documents."""

from __future__ import annotations

import json
from collections.abc import Collection
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


def added(
    before: dict[str, Figure], counted: dict[str, Figure], greatest: Collection[str]
) -> dict[str, Figure]:
    """What several runs counted together: numbers add up, of those in ``greatest`` the greatest counts."""
    figures = {**before, **counted}
    for name, now in counted.items():
        was = before.get(name)
        if isinstance(now, int) and isinstance(was, int):
            figures[name] = max(was, now) if name in greatest else was + now
    return figures
