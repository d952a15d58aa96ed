"""The guides for testers, followed literally from an empty folder: what they show is what is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
_FILE = re.compile(r"^\*\*(\S+)\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def unpack(guide: str, folder: Path) -> list[str]:
    """Write the files of a guide to ``folder``; its commands."""
    text = (GUIDES / guide).read_text("utf-8")
    for name, content in _FILE.findall(text):
        (folder / name).write_text(content, "utf-8")
    return [line for block in _SHELL.findall(text) for line in block.strip().splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, with this environment's programs first, and its Node packages."""
    programs = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NODE_PATH": str(ROOT / "node_modules"),
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        },
        capture_output=True,
        text=True,
    )


def test_an_application_tested_from_an_empty_folder(tmp_path: Path) -> None:
    commands = unpack("test-your-application.md", tmp_path)
    assert commands[-1] == "pytest"
    done = run("pytest -n 2", tmp_path)
    assert "5 passed" in done.stdout, done.stdout + done.stderr


def test_a_failure_shows_its_ladder(tmp_path: Path) -> None:
    unpack("test-your-application.md", tmp_path)
    test = tmp_path / "test_app.py"
    test.write_text(test.read_text().replace('call("carol").status == 486', 'call("carol").status == 200'))
    done = run("pytest -k carol", tmp_path)
    assert done.returncode == 1
    ladder = done.stdout.partition("drachtio: what crossed the wires")[2]
    assert "486 Busy Here" in ladder
    assert "authenticate" in ladder
    assert "app 1" in ladder


def test_an_sdk_tested_from_an_empty_folder(tmp_path: Path) -> None:
    commands = unpack("test-your-sdk.md", tmp_path)
    both, _, one, two, in_ci, *_ = [line for line in commands if " client " in line]
    (compare,) = [line for line in commands if " compare " in line]
    done = run(both, tmp_path)
    assert "2 pass" in done.stdout, done.stdout + done.stderr
    done = run(f"{one}; {two}; {compare}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answering/rejected/options" in (tmp_path / "matrix.html").read_text()
    done = run(in_ci, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 pass, 1 known-failing" in done.stdout
    assert (tmp_path / "results.xml").is_file()


@pytest.mark.parametrize("guide", ["test-your-application.md", "test-your-sdk.md"])
def test_every_command_is_one_that_there_is(guide: str, tmp_path: Path) -> None:
    for line in unpack(guide, tmp_path):
        program, *arguments = shlex.split(line, comments=True)
        if program == "drachtio-conformance":
            assert run(f"{program} {arguments[0]} --help", tmp_path).returncode == 0
