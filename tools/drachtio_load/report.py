"""What a run leaves behind: figures as JSON, seconds as CSV, and one HTML page with plots that needs no other file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from drachtio_load.plots import Line, line_plot
from drachtio_load.series import Interval, ResponseTime, milliseconds, percentiles
from drachtio_load.sipp import LoadRun
from drachtio_load.verdict import Judgement

_COLUMNS = ("at", "begun", "successful", "failed", "retransmissions", "open", "p50", "p90", "p99")


class Second(Struct, frozen=True, kw_only=True):
    """One interval with the response times measured in it (milliseconds)."""

    at: float
    begun: int
    successful: int
    failed: int
    retransmissions: int
    open: int
    p50: float
    p90: float
    p99: float


class _Plot(Struct, frozen=True):
    title: str
    legend: list[Line]
    svg: Markup


def seconds(run: LoadRun) -> list[Second]:
    """The run second by second."""
    return [_second(interval, _within(interval, run.responses)) for interval in run.intervals]


def _within(interval: Interval, responses: Sequence[ResponseTime]) -> list[ResponseTime]:
    return [one for one in responses if interval.at - interval.length < one.at <= interval.at]


def _second(interval: Interval, responses: Sequence[ResponseTime]) -> Second:
    times = percentiles(responses)
    return Second(
        at=round(interval.at, 3),
        begun=interval.begun,
        successful=interval.successful,
        failed=interval.failed,
        retransmissions=interval.retransmissions,
        open=interval.open,
        p50=times.p50,
        p90=times.p90,
        p99=times.p99,
    )


def document(run: LoadRun, judgement: Judgement) -> dict[str, object]:
    """The run as plain values, for JSON."""
    plan = run.plan
    return {
        "scenario": plan.scenario.name,
        "target": f"{plan.host}:{plan.port}",
        "transport": plan.transport,
        "rate": plan.rate,
        "calls": plan.calls,
        "concurrent": plan.concurrent,
        "exit_code": int(judgement.code),
        "sentence": judgement.sentence,
        "ended_by_deadline": run.ended_by_deadline,
        "received_messages": run.received,
        "statistics": run.statistics,
        "response_milliseconds": percentiles(run.responses),
        "seconds": seconds(run),
    }


def write_json(path: Path, run: LoadRun, judgement: Judgement) -> None:
    """All figures. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document(run, judgement)), indent=2) + b"\n")


def write_csv(path: Path, run: LoadRun) -> None:
    """One line for each second. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for second in seconds(run):
            writer.writerow([getattr(second, column) for column in _COLUMNS])


def write_html(path: Path, run: LoadRun, judgement: Judgement, at: datetime) -> None:
    """The page; ``at`` is when the run began. Raises OSError."""
    environment = Environment(
        loader=PackageLoader("drachtio_load"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = (
        Markup(environment.loader.get_source(environment, "load.css")[0])
        if environment.loader
        else Markup("")
    )
    page = environment.get_template("load.html.j2").render(
        run=run,
        plan=run.plan,
        judgement=judgement,
        good=int(judgement.code) == 0,
        figures=run.statistics,
        times=percentiles(run.responses),
        plots=_plots(run),
        seconds=seconds(run),
        milliseconds=milliseconds,
        style=style,
        at=f"{at:%Y-%m-%d %H:%M:%S}",
    )
    path.write_text(page, "utf-8")


def _plots(run: LoadRun) -> list[_Plot]:
    rows = seconds(run)
    lengths = [interval.length for interval in run.intervals]

    def each_second(values: Sequence[int]) -> list[tuple[float, float]]:
        pairs = zip(rows, values, lengths, strict=True)
        return [(row.at, value / length) for row, value, length in pairs]

    end = rows[-1].at if rows else 1.0
    begun = Line(name="begun", style="a", points=each_second([row.begun for row in rows]))
    target = Line(name="asked for", style="target", points=[(0.0, run.plan.rate), (end, run.plan.rate)])
    failed = Line(name="failed", style="c", points=each_second([row.failed for row in rows]))
    repeated = Line(name="repeated", style="b", points=each_second([row.retransmissions for row in rows]))
    measured = [
        row for row, interval in zip(rows, run.intervals, strict=True) if _within(interval, run.responses)
    ]
    times = [
        Line(name="p50", style="a", points=[(row.at, row.p50) for row in measured]),
        Line(name="p90", style="b", points=[(row.at, row.p90) for row in measured]),
        Line(name="p99", style="c", points=[(row.at, row.p99) for row in measured]),
    ]
    return [
        _plot("Calls begun in a second", "calls/s", [begun, target]),
        _plot("Failed calls in a second", "calls/s", [failed]),
        _plot("Retransmissions in a second", "messages/s", [repeated]),
        _plot("Response time, milliseconds", "ms", times),
    ]


def _plot(title: str, unit: str, lines: list[Line]) -> _Plot:
    return _Plot(title, lines, Markup(line_plot(title, unit, lines)))
