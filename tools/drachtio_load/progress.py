"""How far a run is: a moving bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from drachtio_load.sipp import LoadPlan
from drachtio_load.statistics import CallStatistics


class RunProgress:
    """Shows reports while a ``with`` block lasts."""

    def __init__(self, plan: LoadPlan, file: TextIO, *, every: float = 5.0) -> None:
        """``every`` is the time between two lines where ``file`` is no terminal (seconds)."""
        self._every = every
        self._plan = plan
        self._console = Console(file=file, highlight=False)
        self._file = file
        self._told = time.monotonic()
        self._latest: CallStatistics | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("[bold]{task.percentage:3.0f}%"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
            )
            self._bar.add_task("starting", total=self._plan.calls)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def report(self, figures: CallStatistics) -> None:
        """Show the latest figures."""
        self._latest = figures
        ended = figures.successful + figures.failed
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=ended, description=told(self._plan, figures))
        elif time.monotonic() - self._told >= self._every:
            self._told = time.monotonic()
            self._file.write(f"  {ended} of {self._plan.calls} calls, {told(self._plan, figures)}\n")
            self._file.flush()

    def interrupted(self) -> None:
        """Say what a first Ctrl-C brings about."""
        open_calls = self._latest.unfinished if self._latest is not None else 0
        waiting = f"; {open_calls} open, their end is awaited (Ctrl-C again: not)" if open_calls else ""
        self._console.print(f"no more calls are begun{waiting}")


def told(plan: LoadPlan, figures: CallStatistics) -> str:
    """Rate, failures, open calls, and how long it will still take."""
    parts = [f"{figures.rate:.1f}/s", f"{figures.failed} failed", f"{figures.unfinished} open"]
    if figures.retransmissions:
        parts.append(f"{figures.retransmissions} repeated")
    return f"{', '.join(parts)}, {_duration(seconds_left(plan, figures))} left"


def seconds_left(plan: LoadPlan, figures: CallStatistics) -> float:
    """By the rate that is really reached; a call that has begun still needs its hold."""
    missing = plan.calls - figures.created
    begun = missing / (figures.rate or plan.rate)
    return begun + plan.hold if missing or figures.unfinished else 0.0


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02} s"
