"""The GitHub action: its script run as the runner would, and its description."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "packages" / "github-action"


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    return subprocess.run(
        ["bash", str(ACTION / "run.sh")],
        cwd=folder,
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
    )


def test_a_client_library(tmp_path: Path) -> None:
    app = ROOT / "conformance_apps" / "python" / "app.py"
    summary = tmp_path / "summary.md"
    done = run(
        tmp_path,
        COMMAND=f"python '{app}'",
        OPTIONS="--filter 'answering/rejected/options'",
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 pass" in done.stdout
    assert "1 pass" in summary.read_text()
    assert (tmp_path / "drachtio-conformance-report" / "index.html").is_file()


def test_a_failure_is_annotated_at_its_line(tmp_path: Path) -> None:
    done = run(
        tmp_path, COMMAND="false", OPTIONS="--filter answering/rejected/options", GITHUB_ACTIONS="true"
    )
    assert done.returncode == 1
    assert re.search(
        r"^::error file=\S*client_scenarios/answering/rejected.yaml,line=\d+", done.stdout, re.MULTILINE
    )


def test_neither_command_nor_server(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert "expected the input command" in done.stderr


def test_the_description() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    assert action["runs"]["using"] == "composite"
    used = str(action["runs"]["steps"])
    assert all(f"inputs.{name}" in used for name in action["inputs"])
