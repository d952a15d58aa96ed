"""What a run leaves behind, from a run that really was; and the plots from figures that were not."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
from pathlib import Path
from xml.dom import minidom

import pytest

from drachtio_load.cli import main
from drachtio_load.plots import Line, line_plot
from drachtio_load.progress import RunProgress, seconds_left, told
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan
from drachtio_load.statistics import CallStatistics
from tests.load.callee import Callee
from tests.msgtrace.browser import PROGRAM, browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    with Callee("udp") as callee:
        arguments = ["run", "answered", f"127.0.0.1:{callee.port}", "--calls", "120", "--rate", "100"]
        outputs = [text for kind in ("json", "csv") for text in (f"--{kind}", str(made / f"run.{kind}"))]
        outputs += ["--auth", "1001:kolibri"]
        assert main([*arguments, *outputs, "--report", str(made / "run.html")]) == 0
    return made


def test_the_json_has_the_seconds_and_the_percentiles(folder: Path) -> None:
    document = json.loads((folder / "run.json").read_text())
    times = document["response_milliseconds"]
    assert times["count"] == 120
    assert times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert sum(second["begun"] for second in document["seconds"]) == 120
    assert sum(second["successful"] for second in document["seconds"]) == 120


def test_the_csv_is_a_line_for_each_second(folder: Path) -> None:
    rows = list(csv.DictReader((folder / "run.csv").read_text().splitlines()))
    assert sum(int(row["begun"]) for row in rows) == 120
    assert [float(row["at"]) for row in rows] == sorted(float(row["at"]) for row in rows)


def test_the_page_needs_no_other_file(folder: Path) -> None:
    page = (folder / "run.html").read_text()
    assert not re.findall(r"(?:src|href)=|@import|url\(", page)
    assert page.count("<svg ") == 7
    assert "120 calls of answered" in page
    assert "all successful" in page


def test_the_command_line_is_told_without_its_password(folder: Path) -> None:
    command = json.loads((folder / "run.json").read_text())["command"]
    assert re.match(r"drachtio-load run answered 127\.0\.0\.1:\d+ --calls 120 --rate 100 ", command)
    assert command.partition("--auth ")[2].startswith("'1001:***' ")
    assert command in html.unescape((folder / "run.html").read_text())
    assert not [path for path in folder.iterdir() if "kolibri" in path.read_text()]


def test_the_answers_are_told_by_status(folder: Path) -> None:
    answers = json.loads((folder / "run.json").read_text())["answers"]
    assert answers == [
        {"name": "180", "awaited": 120, "unawaited": 0},
        {"name": "200", "awaited": 240, "unawaited": 0},
    ]
    page = (folder / "run.html").read_text()
    assert '<td class="name">200<td>240<td>–' in page


def test_a_server_on_this_machine_is_measured(folder: Path) -> None:
    document = json.loads((folder / "run.json").read_text())
    assert document["server"]["pid"] == os.getpid()  # the callee is a thread of ours
    last = document["seconds"][-1]
    assert last["server_cpu"] > 0
    assert last["server_memory"] > 1
    assert "CPU of the server" in (folder / "run.html").read_text()


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_the_page_fits_a_telephone_and_a_desk_light_and_dark(folder: Path, tmp_path: Path) -> None:
    grounds = set()
    with browser(tmp_path) as shown:
        shown.open(folder / "run.html")
        for width, dark in ((360, False), (360, True), (1440, False)):
            shown.size(width, 800, dark=dark)
            assert shown.run("document.documentElement.scrollWidth <= innerWidth")
            grounds.add(
                shown.run(
                    "getComputedStyle(document.documentElement).backgroundColor"
                    " + getComputedStyle(document.body).backgroundColor"
                )
            )
        assert shown.problems == []
    assert len(grounds) == 2


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Callee("udp") as callee:
        nowhere = str(tmp_path / "none" / "run.csv")
        assert main(["run", "options", f"127.0.0.1:{callee.port}", "--csv", nowhere]) == 2
    assert f"{nowhere}: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("points", [[], [(1.0, 0.0)], [(1.0, 3.0), (2.0, 1e6)]])
def test_a_plot_is_well_formed_whatever_it_shows(points: list[tuple[float, float]]) -> None:
    svg = line_plot("A & B", "ms", [Line(name="p<50>", style="a", points=points)])
    root = minidom.parseString(svg).documentElement
    assert root is not None
    assert root.getAttribute("aria-label") == "A & B"
    assert len(root.getElementsByTagName("circle")) == len(points)
    heights = [float(dot.getAttribute("cy")) for dot in root.getElementsByTagName("circle")]
    assert all(0 <= height <= 200 for height in heights)


def figures(created: int, ended: int, seconds: float) -> CallStatistics:
    return CallStatistics(
        created=created,
        successful=ended,
        failed=0,
        unfinished=created - ended,
        retransmissions=3,
        unexpected=0,
        began=0.0,
        seconds=seconds,
        response_milliseconds=1.0,
        failures={},
    )


def plan() -> LoadPlan:
    scenario = find_scenario("answered")
    return LoadPlan(scenario=scenario, host="127.0.0.1", port=5060, calls=1000, rate=100, hold=2)


def test_how_long_it_will_take_follows_the_rate_that_is_reached() -> None:
    assert seconds_left(plan(), figures(100, 90, 2.0)) == 900 / 50 + 2
    assert seconds_left(plan(), figures(1000, 1000, 20.0)) == 0
    assert told(plan(), figures(100, 90, 2.0)) == "50.0/s, 0 failed, 10 open, 3 repeated, 20 s left"
    assert told(plan(), figures(10, 0, 2.0)).endswith("3 min 20 s left")


def test_in_a_log_progress_is_a_line_now_and_then() -> None:
    log = io.StringIO()
    with RunProgress(plan(), log, every=0.0) as progress:
        progress.report(figures(100, 90, 2.0))
    assert log.getvalue() == "  90 of 1000 calls, 50.0/s, 0 failed, 10 open, 3 repeated, 20 s left\n"
