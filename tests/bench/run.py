"""``make bench``: CPU of the server process for each basic call, beside the floor; and what msgtrace decodes a second.

Subjects alternate with the floor, so that both see the same weather; the best pair counts, for noise only ever adds. A
bench is not a test: it judges nothing, and needs a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fast_build import __main__ as fast_build
from fast_build.build import missing
from tests.bench import by_tls, msgtrace
from tests.bench.hanging import hang
from tests.bench.measure import ANSWERING, Measurement, measure
from tests.bench.performance import Bench, Pair, best_pair, write_performance
from tests.bench.subjects import Compiled, Floor, Foreign, Handled, Subject
from tests.peers.processes import Server

PROXIED = "proxied"
"""The reference server again, whose application has it pass the calls on."""

HANDLED = "handled"
"""The reference server again, which asks a callback about each call and connects to the application that it names."""


HANDLED_RATE = 500.0
"""Calls a second at most with a callback and a connection for each call."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the bench, prints the table, writes the JSON file and docs/performance.md."""
    options = _parser().parse_args(arguments)
    subjects: dict[str, Callable[[], Subject]] = {
        "server": lambda: Server("--loglevel", options.loglevel),
        PROXIED: lambda: Server("--loglevel", options.loglevel),
        HANDLED: lambda: Handled(ANSWERING, "--loglevel", options.loglevel),
    }
    if lacks := missing():
        _say(f"No compiled server: {lacks} is missing.")
    elif options.compiled and fast_build.main() == 0:
        subjects["compiled"] = lambda: Compiled("--loglevel", options.loglevel)
    if options.against:
        log = options.json.with_name("against.log")
        subjects["against"] = lambda: Foreign(options.against, log)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    pairs: list[Pair] = []
    for rate in (float(text) for text in options.rates.split(",")):
        _say(f"{rate:g} calls a second for {options.seconds:g} s; CPU in ms for each call")
        _say(
            f"  {'subject':8} {'CPU':>7} {'app CPU':>8} {'reached':>8} {'failed':>7} {'repeated':>9} {'200 after':>10}"
        )
        for name, start in subjects.items():
            if name == HANDLED and rate > HANDLED_RATE:
                continue
            pairs += _bench(name, start, rate, options.seconds, options.pairs)
    hanging = hang(options.hanging) if options.hanging else None
    if hanging is not None:
        _say(hanging.told)
    bench = Bench(
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        cores=os.cpu_count() or 1,
        python=sys.version.split()[0],
        yardstick=_yardstick(),
        loglevel=options.loglevel,
        seconds=options.seconds,
        pairs=pairs,
        by_tls=_by_tls(options.tls_rate, options.seconds, options.pairs) if options.tls_rate else [],
        speeds=[_told_speed(speed) for speed in msgtrace.measure(options.megabytes, list(msgtrace.FORMS))]
        if options.megabytes
        else [],
        hanging=hanging,
        added=msgtrace.recorder() if options.megabytes else None,
    )
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode(bench), indent=2) + b"\n")
    write_performance(bench, options.page)
    _say(f"Written: {options.json}, {options.page}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench", description="CPU per basic call beside a bare echo server."
    )
    parser.add_argument(
        "--rates", default="500,1500,2000", help="calls a second, by comma (default: 500,1500,2000)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each run (default: 10)")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs for each rate (default: 3)")
    parser.add_argument(
        "--loglevel", default="notice", help="of the server: notice, info, … (default: notice)"
    )
    parser.add_argument(
        *("--compiled",),
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure the server that make fast builds, too",
    )
    parser.add_argument(
        "--against",
        metavar="COMMAND",
        default="",
        help="another server to measure: {admin}, {sip} and {secret} in its command are replaced by ports and secret",
    )
    parser.add_argument(
        *("--tls-rate",),
        type=float,
        default=200.0,
        help="calls a second by TLS and TCP, by a caller in Python; 0 for none (default: 200)",
    )
    parser.add_argument(
        *("--megabytes",),
        type=float,
        default=100.0,
        help="of each log that msgtrace decodes; 0 for none (default: 100)",
    )
    parser.add_argument(
        *("--hanging",),
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="of calls while the callback hangs; 0 for none (default: 120)",
    )
    parser.add_argument("--json", type=Path, default=Path("bench/result.json"), metavar="FILE")
    parser.add_argument("--page", type=Path, default=Path("docs/performance.md"), metavar="FILE")
    return parser


def _yardstick() -> float:
    """Milliseconds for a million additions, the best of five: how fast this machine and this Python are today."""
    return 1000 * min(timeit.repeat("for _ in range(1_000_000): total += 1", "total = 0", number=1, repeat=5))


def _bench(name: str, start: Callable[[], Subject], rate: float, seconds: float, count: int) -> list[Pair]:
    pairs: list[Pair] = []
    for _ in range(count):
        floor = _told(measure("floor", Floor(), rate, seconds))
        pairs.append(Pair(floor, _told(measure(name, start(), rate, seconds, proxied=name == PROXIED))))
        _say(f"  {'':8} {pairs[-1].ratio:6.2f}× the floor")
    best = best_pair(pairs)
    doubt = "" if best.clean else " No pair is without a failed call or a repeated message: this says little."
    trip = best.server.round_trip
    pings = f", ping p50 {trip.p50:.1f} ms, p99 {trip.p99:.1f} ms" if trip else ""
    memory = f"{best.server.memory_before:.0f} → {best.server.memory_after:.0f} MiB"
    _say(
        f"  Best pair of {name}: {best.server.cpu:.3f} ms, {best.ratio:.2f}× the floor{pings}, {memory}.{doubt}\n"
    )
    return pairs


def _by_tls(rate: float, seconds: float, runs: int) -> list[by_tls.Cost]:
    _say(f"{rate:g} calls a second by TCP and TLS for {seconds:g} s; CPU in ms for each call")
    costs: list[by_tls.Cost] = []
    for way in by_tls.WAYS:
        costs.append(cost := by_tls.best(way, rate, seconds, runs))
        resumed = f", {cost.resumed} resumed" if cost.resumed else ""
        _say(
            f"  {cost.way:32} {cost.cpu:7.3f} {cost.cpu / costs[0].cpu:6.2f}× {cost.failed:4} failed{resumed}"
        )
    return costs


def _told(run: Measurement) -> Measurement:
    _say(
        f"  {run.subject:8} {run.cpu:7.3f} {run.application_cpu:8.3f} {run.reached:8.0f}"
        f" {run.failed:7} {run.retransmissions:9} {run.response:7.0f} ms"
    )
    return run


def _told_speed(speed: msgtrace.Speed) -> msgtrace.Speed:
    _say(speed.told)
    return speed


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
