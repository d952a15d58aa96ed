"""``make bench``: CPU of the server process for each basic call, beside the floor.

A basic call is INVITE, 100, 200, ACK, BYE, 200 from SIPp through the subject to a drachtio-srf application. Subjects
alternate, so that both see the same weather; the best pair without a failed call or a repeated message counts, for
noise only adds. A bench is not a test: it judges nothing, and needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from drachtio_conformance.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, LoadRun, run_sipp
from drachtio_load.verdict import judge
from tests.peers.processes import NodeApplication, Server

APPLICATION = Path(__file__).with_name("answer.js")
TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP = 300
"""calls before the measured ones"""


class Floor(Server):
    """``tests/bench/floor.py`` as a process."""

    command = (sys.executable, "-m", "tests.bench.floor")


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


class Pair(Struct, frozen=True):
    """Floor and server, one after the other."""

    floor: Measurement
    server: Measurement

    @property
    def ratio(self) -> float:
        """How many times the floor the server costs."""
        return self.server.cpu / self.floor.cpu

    @property
    def clean(self) -> bool:
        """Whether every call succeeded and nothing was repeated; a server that lags works in cheap bursts."""
        return not any(run.failed or run.retransmissions for run in (self.floor, self.server))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the bench, prints the table and writes the JSON file."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="CPU per basic call beside a bare echo server."
    )
    parser.add_argument("--rates", default="500,1500", help="calls a second, by comma (default: 500,1500)")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each run (default: 10)")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs for each rate (default: 3)")
    parser.add_argument(
        "--loglevel", default="notice", help="of the server: notice, error, … (default: notice)"
    )
    parser.add_argument("--json", type=Path, default=Path("bench/result.json"), metavar="FILE")
    options = parser.parse_args(arguments)
    pairs: list[Pair] = []
    for rate in (float(text) for text in options.rates.split(",")):
        pairs += _bench(rate, options.seconds, options.pairs, options.loglevel)
    document = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "loglevel": options.loglevel,
        "seconds": options.seconds,
        "pairs": pairs,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    _say(f"Written: {options.json}")
    return 0


def _bench(rate: float, seconds: float, count: int, level: str) -> list[Pair]:
    _say(f"{rate:g} calls a second for {seconds:g} s, log level {level}; CPU in ms for each call")
    _say(
        f"  {'subject':8} {'CPU':>7} {'app CPU':>8} {'reached':>8} {'failed':>7} {'repeated':>9} {'200 after':>10}"
    )
    pairs: list[Pair] = []
    for _ in range(count):
        floor = _measure("floor", Floor(), rate, seconds)
        server = _measure("server", Server("--loglevel", level), rate, seconds)
        pairs.append(Pair(floor, server))
        _say(f"  {'':8} {pairs[-1].ratio:6.2f}× the floor")
    clean = [pair for pair in pairs if pair.clean]
    best = min(clean or pairs, key=lambda pair: pair.ratio)
    doubt = "" if clean else " No pair is without a failed call or a repeated message: this says little."
    _say(f"  Best pair: {best.server.cpu:.3f} ms, {best.ratio:.2f}× the floor.{doubt}\n")
    return pairs


def _measure(subject: str, server: Server, rate: float, seconds: float) -> Measurement:
    application = NodeApplication(APPLICATION, server.admin_port)
    try:
        warm_up = judge(_call(server, min(rate, WARM_UP), WARM_UP))
        if warm_up.code is not ExitCode.OK:
            raise SystemExit(f"bench: the {subject} does not serve a basic call: {warm_up.sentence}")
        server_before, application_before = _cpu(server), _cpu(application)
        calls = round(rate * seconds)
        figures = _call(server, rate, calls).statistics
        server_spent, application_spent = _cpu(server) - server_before, _cpu(application) - application_before
    finally:
        application.stop()
        server.stop()
    assert figures is not None, "sipp left no statistics"
    measured = Measurement(
        subject=subject,
        rate=rate,
        reached=figures.rate,
        calls=calls,
        failed=calls - figures.successful,
        retransmissions=figures.retransmissions,
        cpu=1000 * server_spent / calls,
        application_cpu=1000 * application_spent / calls,
        response=figures.response_milliseconds,
    )
    _say(
        f"  {subject:8} {measured.cpu:7.3f} {measured.application_cpu:8.3f} {measured.reached:8.0f}"
        f" {measured.failed:7} {measured.retransmissions:9} {measured.response:7.0f} ms"
    )
    return measured


def _call(server: Server, rate: float, calls: int) -> LoadRun:
    plan = LoadPlan(
        scenario=find_scenario("answered"),
        host="127.0.0.1",
        port=server.sip_port("udp"),
        rate=rate,
        calls=calls,
        concurrent=int(rate * 5),
    )
    with tempfile.TemporaryDirectory(prefix="drachtio-bench-") as folder:
        return asyncio.run(run_sipp(plan, Path(folder)))


def _cpu(talker: Server | NodeApplication) -> float:
    """Seconds of user and system time that the process has used."""
    stat = Path(f"/proc/{talker.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
