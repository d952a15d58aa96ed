"""One run of one subject: calls by SIPp, and what they cost the subject's process by the kernel's accounting."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from pathlib import Path

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, LoadRun, run_sipp
from drachtio_load.verdict import judge
from tests.bench.far_end import FarEnd
from tests.bench.round_trip import Pinger, RoundTrip
from tests.bench.subjects import Floor, Handled, Subject
from tests.peers.processes import SECRET, NodeApplication

ANSWERING = Path(__file__).with_name("answer.js")
PROXYING = Path(__file__).with_name("proxy.js")
TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP = 300
"""calls before the measured ones"""


class Measurement(Struct, frozen=True, kw_only=True):
    """One run of one subject."""

    subject: str
    rate: float
    """calls a second, asked for"""
    reached: float
    """calls a second, made"""
    calls: int
    failed: int
    """calls that did not succeed, whatever the reason"""
    retransmissions: int
    """by SIPp"""
    cpu: float
    """milliseconds of the subject's process for each call, user and system"""
    application_cpu: float
    """the same of the node process"""
    response: float
    """milliseconds from INVITE to 200, mean"""
    memory_before: float
    """MiB of resident memory behind the warm-up"""
    memory_after: float
    """MiB of resident memory behind the last call, when transactions still wait for their timers"""
    round_trip: RoundTrip | None = None
    """of ``ping`` meanwhile; the floor has none"""


def measure(
    name: str, subject: Subject, rate: float, seconds: float, *, proxied: bool = False
) -> Measurement:
    """Measure ``subject`` at ``rate`` calls a second, and stop it.

    ``proxied``: the application does not answer the calls but has the server pass them on to a callee of SIPp's.
    """
    far_end = FarEnd() if proxied else None
    callee = far_end.uri if far_end else ""
    application = (
        subject.application
        if isinstance(subject, Handled)
        else NodeApplication(PROXYING if proxied else ANSWERING, subject.admin_port, CALLEE=callee)
    )
    try:
        warm_up = judge(_call(subject, min(rate, WARM_UP), WARM_UP))
        if warm_up.code is not ExitCode.OK:
            raise SystemExit(f"bench: {name} does not serve a basic call: {warm_up.sentence}")
        pinger = None if isinstance(subject, Floor) else Pinger(subject.admin_port, SECRET)
        memory_before = memory_of(subject.process)
        subject_before, application_before = cpu_of(subject.process), cpu_of(application.process)
        calls = round(rate * seconds)
        figures = _call(subject, rate, calls).statistics
        subject_spent = cpu_of(subject.process) - subject_before
        application_spent = cpu_of(application.process) - application_before
        memory_after = memory_of(subject.process)
        round_trip = pinger.stop() if pinger is not None else None
    finally:
        application.stop()
        subject.stop()
        if far_end is not None:
            far_end.stop()
    if figures is None:
        raise SystemExit("bench: SIPp left no statistics")
    return Measurement(
        subject=name,
        rate=rate,
        reached=figures.rate,
        calls=calls,
        failed=calls - figures.successful,
        retransmissions=figures.retransmissions,
        cpu=1000 * subject_spent / calls,
        application_cpu=1000 * application_spent / calls,
        response=figures.response_milliseconds,
        memory_before=memory_before,
        memory_after=memory_after,
        round_trip=round_trip,
    )


def _call(subject: Subject, rate: float, calls: int) -> LoadRun:
    plan = LoadPlan(
        scenario=find_scenario("answered"),
        host="127.0.0.1",
        port=subject.sip_port("udp"),
        rate=rate,
        calls=calls,
        concurrent=int(rate * 5),
    )
    with tempfile.TemporaryDirectory(prefix="drachtio-bench-") as folder:
        return asyncio.run(run_sipp(plan, Path(folder)))


def cpu_of(process: subprocess.Popen[str]) -> float:
    """Seconds of user and system time that the process has used."""
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def memory_of(process: subprocess.Popen[str]) -> float:
    """MiB of resident memory."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
