"""One run of SIPp: its command line, its folder of files, and a deadline of our own.

SIPp's ``-timeout`` ends a run without a word on the calls still open, and its exit codes say the same for a
missing peer as for a failed call. So the run is ended from here, and the statistics that SIPp writes every
second, and once more at its end, remain.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from drachtio_load import local_server
from drachtio_load.answers import Answer, read_answers
from drachtio_load.complaints import FailedCall, first_failed_call
from drachtio_load.free_port import free_port
from drachtio_load.local_server import LocalServer, Sample
from drachtio_load.messages import SeenMessage, read_messages
from drachtio_load.scenarios import LoadScenario
from drachtio_load.series import Interval, ResponseTime, read_intervals, read_response_times
from drachtio_load.statistics import CallStatistics, StatisticsError, count_received, read_statistics
from drachtio_load.stopping import Stopping

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d\t\S+\t[\d.]+: ")
_REPORTS = 0.5
"""seconds between two looks at SIPp's reports"""
_GRACE = 2.0
"""seconds that SIPp gets to end after SIGTERM"""


class Transport(StrEnum):
    """How the calls are carried; the value is that of ``--transport``."""

    UDP = "udp"
    TCP = "tcp"

    @property
    def sipp_mode(self) -> str:
        """The ``-t`` of SIPp: one socket for all calls."""
        return {Transport.UDP: "u1", Transport.TCP: "t1"}[self]


class SippMissing(RuntimeError):
    """The command ``sipp`` is not installed."""


class LoadPlan(Struct, frozen=True, kw_only=True):
    """What to run. Times are in seconds."""

    scenario: LoadScenario
    host: str
    port: int
    transport: Transport = Transport.UDP
    rate: float = 10.0
    """calls begun in a second"""
    calls: int = 1
    concurrent: int | None = None
    """most calls open at once; None leaves it to SIPp"""
    hold: float = 0.0
    """the pause of a scenario that has one"""
    answer_within: float = 10.0
    """a call fails when an awaited message has not come after this time"""
    deadline: float | None = None
    """the whole run is ended after this time; None: what the other settings allow for"""
    user: str = "service"
    """user part of the Request-URI"""
    credentials: tuple[str, str] | None = None
    """user and password of a scenario that answers a challenge"""
    values: tuple[tuple[str, str], ...] = ()
    """values for ``[NAME]`` in the scenario"""
    trace_messages: bool = False
    """keep every SIP message in the run's folder (slow)"""

    def allowed_seconds(self) -> float:
        """The deadline that holds."""
        if self.deadline is not None:
            return self.deadline
        return self.calls / self.rate + self.hold + 2 * self.answer_within + 5.0


class LoadRun(Struct, frozen=True, kw_only=True):
    """What is left when SIPp has ended."""

    plan: LoadPlan
    exit_code: int
    ended_by_deadline: bool
    interrupted: bool = False
    """somebody ended it before its time"""
    statistics: CallStatistics | None
    received: int
    """messages that came from the peer"""
    complaint: str
    """why there are no statistics, or SIPp's own last words; may be empty"""
    first_failed: FailedCall | None
    """the first call that failed, as far as SIPp tells"""
    messages: list[SeenMessage]
    """empty unless the plan says ``trace_messages``"""
    intervals: list[Interval] = []
    """second by second"""
    responses: list[ResponseTime] = []
    """each response time, in the order in which the calls ended"""
    answers: list[Answer] = []
    """what came back, by status"""
    server: LocalServer | None = None
    """the server, if it runs on this machine and may be looked at"""
    samples: list[Sample] = []
    """what the server had used at each look, about two a second"""


def sipp_command() -> str:
    """The path of ``sipp``; raises SippMissing."""
    found = shutil.which("sipp")
    if found is None:
        raise SippMissing("the command sipp is not installed (Debian: apt-get install sip-tester)")
    return found


async def run_sipp(
    plan: LoadPlan,
    folder: Path,
    on_report: Callable[[CallStatistics], None] | None = None,
    stopping: Stopping | None = None,
) -> LoadRun:
    """Runs one plan; SIPp's files go to ``folder``, which must be empty. Raises SippMissing.

    ``on_report`` is told how far it is, about once a second. ``stopping`` may end it before its time.
    """
    stopping = stopping or Stopping()
    server = local_server.find(plan.host, plan.port, plan.transport)
    samples: list[Sample] = []
    process = await asyncio.create_subprocess_exec(
        sipp_command(),
        *_arguments(plan),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        process_group=0,  # else a Ctrl-C at the terminal would end it behind our back
    )
    words = asyncio.ensure_future(process.communicate())
    watching = asyncio.ensure_future(_watch(folder / "statistics.csv", on_report, server, samples))
    try:
        ended_by_deadline = await _until_the_end(process, words, plan.allowed_seconds(), stopping)
        _, stderr = await words
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await words
        raise
    finally:
        watching.cancel()
    _look_at(server, samples)
    complaint = _last_words(stderr.decode("latin-1"))
    statistics: CallStatistics | None = None
    received = 0
    intervals: list[Interval] = []
    responses: list[ResponseTime] = []
    counts = next(folder.glob("*_counts.csv"), folder / "counts.csv")
    try:
        statistics = read_statistics(folder / "statistics.csv")
        intervals = read_intervals(folder / "statistics.csv")
        responses = read_response_times(next(folder.glob("*_rtt.csv"), folder / "rtt.csv"))
        received = count_received(counts)
    except StatisticsError as error:
        complaint = complaint or str(error)
    return LoadRun(
        plan=plan,
        exit_code=process.returncode if process.returncode is not None else -1,
        ended_by_deadline=ended_by_deadline,
        interrupted=stopping.wished,
        statistics=statistics,
        received=received,
        complaint=complaint,
        first_failed=first_failed_call(folder / "errors.log", plan.scenario.path),
        messages=read_messages(folder / "messages.log"),
        intervals=intervals,
        responses=responses,
        answers=read_answers(counts, folder / "errors.log"),
        server=server,
        samples=samples,
    )


async def _until_the_end(
    process: asyncio.subprocess.Process,
    words: asyncio.Future[tuple[bytes, bytes]],
    allowed: float,
    stopping: Stopping,
) -> bool:
    """Waits until SIPp has ended by itself, was asked to, or has to, after ``allowed`` seconds; whether it had to."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + allowed
    no_more: asyncio.Future[bool] = asyncio.ensure_future(stopping.no_more.wait())
    at_once: asyncio.Future[bool] = asyncio.ensure_future(stopping.at_once.wait())
    awaited: set[asyncio.Future[bool] | asyncio.Future[tuple[bytes, bytes]]] = {words, no_more, at_once}
    try:
        while True:
            done, _ = await asyncio.wait(
                awaited, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED
            )
            if words in done:
                return False
            if not done or at_once in done:
                await _end(process, words)
                return not done
            awaited.discard(no_more)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGUSR1)  # SIPp begins no more calls, and ends with the last one
    finally:
        no_more.cancel()
        at_once.cancel()


async def _end(process: asyncio.subprocess.Process, words: asyncio.Future[tuple[bytes, bytes]]) -> None:
    """SIGTERM, upon which SIPp writes its figures; SIGKILL if it does not end."""
    with suppress(ProcessLookupError):
        process.terminate()
    done, _ = await asyncio.wait({words}, timeout=_GRACE)
    if not done:
        with suppress(ProcessLookupError):
            process.kill()


async def _watch(
    path: Path,
    on_report: Callable[[CallStatistics], None] | None,
    server: LocalServer | None,
    samples: list[Sample],
) -> None:
    """Looks at the latest report and at the server twice a second, as often as SIPp could have written one."""
    while True:
        _look_at(server, samples)
        if on_report is not None:
            with suppress(StatisticsError):
                on_report(read_statistics(path))
        await asyncio.sleep(_REPORTS)


def _look_at(server: LocalServer | None, samples: list[Sample]) -> None:
    """One more sample, if there is a server to look at and it is still there."""
    if server is not None and (sample := server.sample(time.time())) is not None:
        samples.append(sample)


def _arguments(plan: LoadPlan) -> list[str]:
    local = local_address(plan.host, plan.port)
    arguments = [
        *("-sf", str(plan.scenario.path), "-t", plan.transport.sipp_mode, "-s", plan.user),
        *("-i", local, "-mi", local, "-bind_local", "-p", str(free_port(local)), "-nostdin"),
        *("-m", str(plan.calls), "-r", f"{plan.rate:g}", "-d", str(round(plan.hold * 1000))),
        *("-recv_timeout", str(round(plan.answer_within * 1000))),
        *(
            "-trace_stat",
            "-stf",
            "statistics.csv",
            "-fd",
            "1",
            "-trace_counts",
            "-trace_rtt",
            "-rtt_freq",
            "1",
        ),
        # The default of 10 ms makes bursts of calls, and response times that are multiples of it.
        *("-timer_resol", "1"),
        *("-trace_err", "-error_file", "errors.log", "-skip_rlimit"),
    ]
    if plan.credentials is not None:
        arguments += ["-au", plan.credentials[0], "-ap", plan.credentials[1]]
    for name, value in plan.values:
        arguments += ["-key", name, value]
    if plan.concurrent is not None:
        arguments += ["-l", str(plan.concurrent)]
    if plan.trace_messages:
        arguments += ["-trace_msg", "-message_file", "messages.log"]
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    return [*arguments, f"{host}:{plan.port}"]


def local_address(host: str, port: int) -> str:
    """The address of this machine from which ``host`` is reached; nothing is sent.

    Raises OSError when ``host`` is not known or not reachable.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with closing(socket.socket(family, kind, protocol)) as probe:
        probe.connect(address)
        name: str = probe.getsockname()[0]
        return name


def _last_words(stderr: str) -> str:
    """The last line of SIPp's stderr that is a complaint, without its time stamp."""
    chatter = ("Resolving", "There were", "Warning:")
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith(chatter)]
    return _STAMP.sub("", lines[-1]) if lines else ""
