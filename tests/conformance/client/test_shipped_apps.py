"""The conformance apps that are shipped: each fails where its list of known failures says, and nowhere else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import load
from tests.conformance.client import interop
from tests.conformance.client.reference_app import SCENARIOS
from tests.conformance.client.shipped_apps import APPS, FOLDER, App

FILES = sorted({case.name.rpartition("/")[0] for case in load([SCENARIOS])})


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(
            app,
            id=app.name,
            marks=pytest.mark.skipif(bool(app.missing), reason=f"{app.name}: {app.missing}"),
        )
        for app in APPS[1:]  # the reference client is judged in test_twins.py and test_client_command.py
    ],
)
def test_it_fails_where_it_is_known_to(app: App, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    often = [word for file in FILES if file not in app.seldom for word in ("--filter", file)]
    # An app may be slow here, where all the other tests are its neighbours.
    code = app.judge(app.built(tmp_path), *often, "--slow", "3", "--jobs", "6", "--json", str(report))
    bad = [
        f"{case['name']}: {case['reason']}"
        for case in json.loads(report.read_text())["cases"]
        if case["verdict"] not in ("pass", "known-failing", "not-applicable")
    ]
    assert bad == []
    assert code == 0


@pytest.mark.skipif(shutil.which("gofmt") is None, reason="apt-get install golang-go")
def test_the_app_in_go_is_formatted_and_reads_the_vectors() -> None:
    folder = FOLDER / "go"
    assert subprocess.run(["gofmt", "-l", "."], cwd=folder, capture_output=True, text=True).stdout == ""
    tested = subprocess.run(["go", "test", "-count=1", "."], cwd=folder, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_what_is_seldom_run_is_named_as_it_is() -> None:
    assert {file for app in APPS for file in app.seldom} <= set(FILES)


def test_a_machine_without_the_program_is_told_what_to_install() -> None:
    app = App(
        name="x", folder="go", command=["x"], needs={"no-such-program-here": "its-package", "sh": "dash"}
    )
    assert app.missing == "apt-get install its-package"


@pytest.mark.skipif(any(app.missing for app in APPS), reason="; ".join(app.missing for app in APPS))
def test_the_matrix_has_a_column_for_each(tmp_path: Path) -> None:
    page = tmp_path / "interop.md"
    assert interop.write(page, "--filter", "frames/answers/nok-is-reported") == 0
    text = page.read_text()
    assert f"| case | {' | '.join(app.name for app in APPS)} | why |" in text
    assert "| `frames/answers/nok-is-reported` | pass | pass | not-applicable | not-applicable |" in text


def test_the_page_is_of_these_apps_and_cases() -> None:
    text = interop.PAGE.read_text()
    assert f"{len(load([SCENARIOS]))} cases." in text
    assert f"| case | {' | '.join(app.name for app in APPS)} | why |" in text
