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

from drachtio_conformance.report.visible import in_a_page
from drachtio_load.local_server import between
from drachtio_load.plots import Line, line_plot
from drachtio_load.series import Interval, milliseconds, percentiles
from drachtio_load.sipp import LoadRun
from drachtio_load.verdict import Judgement

_COLUMNS = (
    *("at", "begun", "successful", "failed", "retransmissions", "open"),
    *("p50", "p90", "p99", "server_cpu", "server_memory"),
)


class Second(Struct, frozen=True, kw_only=True):
    """One interval with what was measured in it; None is what was not."""

    at: float
    begun: int
    successful: int
    failed: int
    retransmissions: int
    open: int
    """calls under way at its end"""
    p50: float | None
    """response times in milliseconds"""
    p90: float | None
    p99: float | None
    server_cpu: float | None
    """percent of one core; of a server on this machine"""
    server_memory: float | None
    """MiB"""


class _Plot(Struct, frozen=True):
    title: str
    legend: list[Line]
    svg: Markup


def seconds(run: LoadRun) -> list[Second]:
    """The run second by second."""
    began = run.statistics.began if run.statistics is not None else 0.0
    return [_second(interval, run, began) for interval in run.intervals]


def _second(interval: Interval, run: LoadRun, began: float) -> Second:
    begin = interval.at - interval.length
    times = percentiles([one for one in run.responses if begin < one.at <= interval.at])
    measured = times.count > 0
    used = between(run.samples, began + begin, began + interval.at)
    return Second(
        at=round(interval.at, 3),
        begun=interval.begun,
        successful=interval.successful,
        failed=interval.failed,
        retransmissions=interval.retransmissions,
        open=interval.open,
        p50=times.p50 if measured else None,
        p90=times.p90 if measured else None,
        p99=times.p99 if measured else None,
        server_cpu=round(used[0], 1) if used else None,
        server_memory=round(used[1], 1) if used else None,
    )


def document(run: LoadRun, judgement: Judgement, command: str) -> dict[str, object]:
    """The run as plain values, for JSON. What was not measured is null."""
    plan = run.plan
    times = percentiles(run.responses)
    return {
        "command": command,
        "scenario": plan.scenario.name,
        "target": f"{plan.host}:{plan.port}",
        "transport": plan.transport,
        "rate": plan.rate,
        "calls": plan.calls,
        "concurrent": plan.concurrent,
        "exit_code": int(judgement.code),
        "sentence": judgement.sentence,
        "ended_by_deadline": run.ended_by_deadline,
        "interrupted": run.interrupted,
        "received_messages": run.received,
        "answers": run.answers,
        "statistics": run.statistics,
        "response_milliseconds": times if times.count else None,
        "server": run.server,
        "seconds": seconds(run),
    }


def write_json(path: Path, run: LoadRun, judgement: Judgement, command: str) -> None:
    """All figures; ``command`` is the command line, without passwords. Raises OSError."""
    plain = msgspec.json.encode(document(run, judgement, command))
    path.write_bytes(msgspec.json.format(plain, indent=2) + b"\n")


def write_csv(path: Path, run: LoadRun) -> None:
    """One line for each second. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for second in seconds(run):
            writer.writerow([getattr(second, column) for column in _COLUMNS])


def write_html(path: Path, run: LoadRun, judgement: Judgement, at: datetime, command: str) -> None:
    """The page; ``at`` is when the run began, ``command`` the command line without passwords. Raises OSError."""
    rows = seconds(run)
    environment = Environment(
        loader=PackageLoader("drachtio_load"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=in_a_page,
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
        plots=_plots(run, rows),
        seconds=rows,
        command=command,
        milliseconds=milliseconds,
        style=style,
        at=f"{at:%Y-%m-%d %H:%M:%S}",
    )
    path.write_text(page, "utf-8")


def _plots(run: LoadRun, rows: Sequence[Second]) -> list[_Plot]:
    lengths = [interval.length for interval in run.intervals]

    def each_second(values: Sequence[int]) -> list[tuple[float, float]]:
        pairs = zip(rows, values, lengths, strict=True)
        return [(row.at, value / length) for row, value, length in pairs]

    def measured(values: Sequence[float | None]) -> list[tuple[float, float]]:
        return [(row.at, value) for row, value in zip(rows, values, strict=True) if value is not None]

    end = rows[-1].at if rows else 1.0
    begun = Line(name="begun", style="a", points=each_second([row.begun for row in rows]))
    target = Line(name="asked for", style="target", points=[(0.0, run.plan.rate), (end, run.plan.rate)])
    failed = Line(name="failed", style="c", points=each_second([row.failed for row in rows]))
    repeated = Line(name="repeated", style="b", points=each_second([row.retransmissions for row in rows]))
    under_way = Line(name="open", style="a", points=[(row.at, row.open) for row in rows])
    times = [
        Line(name="p50", style="a", points=measured([row.p50 for row in rows])),
        Line(name="p90", style="b", points=measured([row.p90 for row in rows])),
        Line(name="p99", style="c", points=measured([row.p99 for row in rows])),
    ]
    plots = [
        _plot("Calls begun in a second", "calls/s", [begun, target]),
        _plot("Calls open at once", "calls", [under_way]),
        _plot("Failed calls in a second", "calls/s", [failed]),
        _plot("Retransmissions in a second", "messages/s", [repeated]),
    ]
    if run.responses:
        plots.append(_plot("Response time, milliseconds", "ms", times))
    if run.server is not None and run.samples:
        cpu = Line(name="CPU", style="a", points=measured([row.server_cpu for row in rows]))
        memory = Line(name="memory", style="b", points=measured([row.server_memory for row in rows]))
        plots.append(_plot("CPU of the server, percent of a core", "%", [cpu]))
        plots.append(_plot("Memory of the server, MiB", "MiB", [memory]))
    return plots


def _plot(title: str, unit: str, lines: list[Line]) -> _Plot:
    return _Plot(title, lines, Markup(line_plot(title, unit, lines)))
