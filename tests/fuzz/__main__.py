"""``python -m tests.fuzz MINUTES``: the machines for half the time, the readers for the rest, or until one fails."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.calls import Calls
from tests.fuzz.session import Session
from tests.fuzz.targets import CORPUS, TARGETS
from tests.fuzz.test_targets import changed

OFTEN = settings(
    max_examples=500,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def machines(seconds: float) -> None:
    """Both machines by turns; says how many steps were taken, and the memory of this process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for machine in (Calls, Session):
            run_state_machine_as_test(machine, settings=OFTEN)
        memory = int(Path("/proc/self/status").read_text("ascii").partition("VmRSS:")[2].split()[0]) // 1024
        _say(f"{Calls.steps} steps of calls, {Session.steps} of sessions, {memory} MiB")


def reader(name: str, seconds: float) -> bool:
    """Inputs for one reader, guided by what they reach if atheris is there; False if one breaks it."""
    if find_spec("atheris") is not None:
        command = [sys.executable, "-m", "tests.fuzz.guided", name, f"{max(round(seconds), 1)}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        figures = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        _say(f"{name}: {figures[0].rpartition(' ')[2] if figures else '?'} inputs, guided")
        if done.returncode:
            _say(done.stderr)
        return done.returncode == 0
    dice, inputs, count = random.Random(), [path.read_bytes() for path in (CORPUS / name).iterdir()], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(dice.choice(inputs), dice)
        count += 1
        try:
            TARGETS[name](data)
        except Exception as error:
            _say(f"{name} of {data!r}: {error!r}")
            return False
    _say(f"{name}: {count} inputs, not guided: atheris is not installed")
    return True


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Returns 1 if a reader was broken; a machine that fails raises."""
    seconds = 60 * float(sys.argv[1])
    machines(seconds / 2)
    return 0 if all([reader(name, seconds / 2 / len(TARGETS)) for name in TARGETS]) else 1


if __name__ == "__main__":
    sys.exit(main())
