"""``callee``: a telephone of SIPp that is called, until it has taken so many calls."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.free_port import free_port
from drachtio_load.scenarios import LoadScenario
from drachtio_load.sipp import Transport, sipp_command

_STARTING = 15.0
_LOOK_AGAIN = 0.01  # seconds


class CalleePlan(Struct, frozen=True, kw_only=True):
    """Who listens where, for how many calls."""

    scenario: LoadScenario
    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one"""
    transport: Transport = Transport.UDP
    calls: int = 1
    deadline: float | None = None
    """seconds for all; None: no limit"""


def run_callee(plan: CalleePlan, say: Callable[[str], None]) -> int:
    """Say where it listens, take the calls, say what became of them. Raises SippMissing."""
    program = sipp_command()
    port = plan.port or free_port(plan.host)
    suffix = "" if plan.transport is Transport.UDP else f";transport={plan.transport.value}"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program,
            *(
                "-sf",
                str(plan.scenario.path),
                "-i",
                plan.host,
                "-p",
                str(port),
                "-t",
                plan.transport.sipp_mode,
            ),
            *("-mi", plan.host, "-bind_local", "-skip_rlimit", "-m", str(plan.calls), "-nostdin"),
            *("-trace_err", "-error_file", str(Path(folder) / "errors")),
        ]
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_until_it_listens(process, plan.transport, port)
        say(json.dumps({"uri": f"sip:{plan.scenario.name}@{plan.host}:{port}{suffix}", "pid": process.pid}))
        try:
            status = process.wait(plan.deadline)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            say(f"{plan.calls} calls did not come to their end within {plan.deadline:g} s")
            return ExitCode.FAILURES
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        errors = Path(folder) / "errors"
        told = errors.read_text("utf-8", "replace").strip().splitlines() if errors.is_file() else []
    if status == 0:
        say(f"{plan.calls} {'call' if plan.calls == 1 else 'calls'} went as {plan.scenario.name} has it")
        return ExitCode.OK
    say("\n".join([f"not every call went as {plan.scenario.name} has it", *told[:5]]))
    return ExitCode.FAILURES


def _wait_until_it_listens(process: subprocess.Popen[bytes], transport: Transport, port: int) -> None:
    """SIPp does not say when it listens; the kernel's table of sockets does, without taking the port."""
    name, state = ("udp", "07") if transport is Transport.UDP else ("tcp", "0A")
    tables = [table for table in (Path(f"/proc/net/{name}"), Path(f"/proc/net/{name}6")) if table.is_file()]
    deadline = time.monotonic() + _STARTING
    while tables and process.poll() is None and time.monotonic() < deadline:
        for table in tables:
            rows = (line.split() for line in table.read_text().splitlines()[1:])
            if any(row[1].endswith(f":{port:04X}") and row[3] == state for row in rows):
                return
        time.sleep(_LOOK_AGAIN)
