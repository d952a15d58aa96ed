"""The application in the README, as somebody gets it who copies it: it runs, and its caller is content."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drachtio_load.cli import main

ROOT = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The application, in a file."""
    code = re.search(r"```js\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert code is not None
    path = tmp_path / "app.js"
    path.write_text(code[1], "utf-8")
    return path


def run(script: Path, **environment: str) -> subprocess.Popen[str]:
    """The application as a process in a group of its own."""
    node = shutil.which("node")
    assert node is not None, "node is not installed; make setup says what is needed"
    return subprocess.Popen(
        [node, script],
        env={
            **os.environ,
            "NODE_PATH": str(ROOT / "node_modules"),
            "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_application_in_the_readme_turns_a_caller_away(script: Path) -> None:
    with run(script) as application:
        try:
            assert application.stdout is not None
            told = application.stdout.readline()  # the suite's own time limit bounds this
            found = re.match(r"call me at \[ 'udp/(127\.0\.0\.1:\d+)', 'tcp/", told)
            assert found is not None, told
            assert main(["run", "reject", found[1]]) == 0
        finally:
            os.killpg(application.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            {"PATH": "/nowhere"},
            r"drachtio-reference-server cannot be run: spawn drachtio-reference-server ENOENT\n",
        ),
        (
            {"DRACHTIO_ADMIN_ADDRESS": "192.0.2.1"},
            r"drachtio-reference-server: error: .*192\.0\.2\.1.*\ndrachtio-reference-server has ended with status 3\n",
        ),
        (
            {"DRACHTIO_LOGLEVEL": "loud"},
            r"drachtio-reference-server: error: .*'loud'\ndrachtio-reference-server has ended with status 2\n",
        ),
    ],
)
def test_if_there_is_no_server_it_says_why(script: Path, environment: dict[str, str], reason: str) -> None:
    with run(script, **environment) as application:
        _, complaints = application.communicate(timeout=60)
    assert application.returncode == 1
    assert re.search(reason, complaints), complaints
