"""What make does for all that it starts."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


STEPS = ("python", "ruff", "mypy", "lint-imports", "drachtio-conformance", "pythons")
"""what make test starts, pytest as ``python``"""


def environment(**more: str) -> dict[str, str]:
    """As of a terminal, whatever make has started these tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | more


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which everything is installed, and programs only say that they ran, and fail if FAILS names them."""
    program = '#!/bin/sh\necho "${0##*/} ran"\n[ "$FAILS" != "${0##*/}" ]\n'
    programs = [".ci/debian-packages", ".ci/make-environment", ".ci/pythons"]
    programs += [f".venv/bin/{name}" for name in STEPS[:-1]]
    files = dict.fromkeys(
        [
            "pyproject.toml",
            "package.json",
            "package-lock.json",
            ".npmrc",
            "requirements/run.txt",
            "requirements/test.txt",
        ],
        "",
    )
    files |= dict.fromkeys(programs, program)
    files[".venv/made-in"] = str(tmp_path.resolve())
    files |= dict.fromkeys([".venv/run-installed", ".venv/test-installed", "node_modules/.installed"], "")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("broken", ["", *STEPS])
def test_whatever_fails_make_test_fails_and_says_what_ran(clone: Path, broken: str) -> None:
    done = subprocess.run(
        ["make", "test"], cwd=clone, env=environment(FAILS=broken), capture_output=True, text=True
    )
    ran = {line.removesuffix(" ran") for line in done.stdout.splitlines() if line.endswith(" ran")}
    assert (done.returncode != 0) == bool(broken), done.stdout + done.stderr
    assert {"python", "drachtio-conformance", broken or "pythons"} <= ran, done.stdout
    named = {"": "pythons ran", "python": "== failed: tests"}.get(broken, "== failed: lint or suite")
    assert done.stdout.splitlines()[-1] == named


def test_who_interrupts_it_leaves_nothing_behind(clone: Path) -> None:
    said = [clone / "python-said", clone / "ruff-said"]
    for path in said:
        os.mkfifo(path)
        program = clone / ".venv" / "bin" / path.name.removesuffix("-said")
        program.write_text('#!/bin/sh\necho $$ >"${0##*/}-said"\nexec sleep 100\n')
    making = subprocess.Popen(["make", "test"], cwd=clone, env=environment(), start_new_session=True)
    started = [int(path.read_text()) for path in said]
    os.killpg(making.pid, signal.SIGINT)
    assert making.wait(20) != 0
    for one in started:
        _ends(one)


def _ends(process: int) -> None:
    """Returns once there is no such process; the test's time-out ends a wait in vain."""
    try:
        watch = os.pidfd_open(process)
    except ProcessLookupError:
        return
    select.select([watch], [], [])
    os.close(watch)


def test_programs_keep_bytecode_whatever_the_environment_says() -> None:
    told = subprocess.run(
        ["make", "--eval", 'told: ; @echo "[$${PYTHONDONTWRITEBYTECODE-}$$OTHER]"', "told"],
        cwd=ROOT,
        env=environment(PYTHONDONTWRITEBYTECODE="1", OTHER="kept"),
        capture_output=True,
        text=True,
    )
    assert (told.stdout, told.stderr) == ("[kept]\n", "")
