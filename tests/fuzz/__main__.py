"""``python -m tests.fuzz MINUTES``: the machines run until the time is over or one fails."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.calls import Calls
from tests.fuzz.session import Session

OFTEN = settings(
    max_examples=500,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def main() -> None:
    """Both machines by turns; says how many steps were taken, and the memory of this process."""
    end = time.monotonic() + 60 * float(sys.argv[1])
    while time.monotonic() < end:
        for machine in (Calls, Session):
            run_state_machine_as_test(machine, settings=OFTEN)
        memory = int(Path("/proc/self/status").read_text("ascii").partition("VmRSS:")[2].split()[0]) // 1024
        sys.stdout.write(f"{Calls.steps} steps of calls, {Session.steps} of sessions, {memory} MiB\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
