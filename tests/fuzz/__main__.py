"""``python -m tests.fuzz MINUTES``: the machines for half the time, the readers for the rest, or until one fails.

A run of ten minutes or more that breaks nothing adds its figures to those in ``tests/promises/figures.json``.
"""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import time
from importlib.util import find_spec

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.calls import Calls
from tests.fuzz.session import Session
from tests.fuzz.targets import CORPUS, SHARES, TARGETS
from tests.fuzz.test_targets import changed
from tests.promises.figures import LEAST_MINUTES, Figure, added, read_figures, record

OFTEN = settings(
    max_examples=500,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_UNITS = re.compile(r"number_of_executed_units: (\d+)")


def machines(seconds: float) -> None:
    """Both machines by turns; says how many steps were taken, and the memory of this process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for machine in (Calls, Session):
            run_state_machine_as_test(machine, settings=OFTEN)
        _say(f"{Calls.steps} steps of calls, {Session.steps} of sessions, {_peak(resource.RUSAGE_SELF)} MiB")


def reader(name: str, seconds: float) -> int | None:
    """How many inputs one reader was given, guided by what they reach if atheris is there; None if one broke it."""
    if find_spec("atheris") is not None:
        command = [sys.executable, "-m", "tests.fuzz.guided", name, f"{max(round(seconds), 1)}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            _say(f"{name} was broken:\n{done.stderr}")
            return None
        units = _UNITS.search(done.stderr)
        return int(units[1]) if units else 0
    dice, inputs, count = random.Random(), [path.read_bytes() for path in (CORPUS / name).iterdir()], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(dice.choice(inputs), dice)
        count += 1
        try:
            TARGETS[name](data)
        except Exception as error:
            _say(f"{name} of {data!r}: {error!r}")
            return None
    return count


def seconds_of(name: str, seconds: float) -> float:
    """The part of ``seconds`` that is the reader's of that name."""
    return seconds * SHARES[name] / sum(SHARES.values())


def _peak(whose: int) -> int:
    """The most memory that a process had, in MiB: of this one, or of the largest that it has started."""
    return resource.getrusage(whose).ru_maxrss // 1024


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Returns 1 if a reader was broken; a machine that fails raises."""
    minutes = float(sys.argv[1])
    guided = find_spec("atheris") is not None
    if not guided:
        _say("atheris is not installed: inputs for readers are not guided.")
    machines(30 * minutes)
    counted: dict[str, Figure] = {}
    for name in TARGETS:
        inputs = reader(name, seconds_of(name, 30 * minutes))
        if inputs is None:
            return 1
        counted[name] = inputs
        _say(f"{name}: {inputs} inputs in {seconds_of(name, 30 * minutes):.0f} s")
    figures: dict[str, Figure] = {
        **counted,
        "inputs": sum(int(count) for count in counted.values()),
        "how": "guided" if guided else "not guided",
        "calls": Calls.steps,
        "sessions": Session.steps,
        "peak": max(_peak(resource.RUSAGE_SELF), _peak(resource.RUSAGE_CHILDREN)),
        "minutes": round(minutes),
    }
    if minutes >= LEAST_MINUTES:
        record("fuzz", added(read_figures()["fuzz"], figures, greatest={"peak"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
