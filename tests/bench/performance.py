"""``docs/performance.md``, made from the JSON file of a bench."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from tests.bench.by_tls import Cost
from tests.bench.hanging import Hanging
from tests.bench.measure import Measurement
from tests.bench.msgtrace import GOALS, Added, Speed

HEAD = """# Performance

Made by `make bench`; do not edit. A basic call is INVITE, 100, 200, ACK, BYE, 200 from SIPp over UDP through the server
to a drachtio-srf application on the same machine. In the rows *proxied* the application has the server pass the call on
to another SIPp, and the server stays in the way (Record-Route): twice the SIP messages, and no ACK or BYE for the
application. In the rows *handled* the server asks a callback over HTTP about each call, and connects to the application
that it names. CPU is user and system time of the server's process for each call, by
the kernel's accounting. The floor is `tests/bench/floor.py`, an echo server on the same event loop that makes the same
system calls and copies and little else: the ratio tells what SIP costs, whatever the machine. `compiled` is the server
that `make fast` builds. What an absolute figure means depends on the machine and on how its Python was built (with
profile-guided optimisation a server takes 15 % less), so the yardstick is given: the same Python's time for a million
additions in a loop.
"""


class Pair(Struct, frozen=True):
    """Floor and subject, one after the other, so that both see the same weather."""

    floor: Measurement
    server: Measurement

    @property
    def ratio(self) -> float:
        """How many times the floor the subject costs."""
        return self.server.cpu / self.floor.cpu

    @property
    def clean(self) -> bool:
        """Whether every call succeeded and nothing was repeated; a server that lags works in cheap bursts."""
        return not any(run.failed or run.retransmissions for run in (self.floor, self.server))


class Bench(Struct, frozen=True, kw_only=True):
    """All that one run of the bench measured."""

    at: str
    """ISO 8601, UTC"""
    cores: int
    python: str
    yardstick: float
    """milliseconds of this Python for a million additions, the best of five"""
    loglevel: str
    seconds: float
    pairs: list[Pair]
    by_tls: list[Cost]
    speeds: list[Speed]
    """of msgtrace decode"""
    hanging: Hanging | None
    """with a callback that hangs"""
    added: Added | None
    """by msgtrace record"""


BY_TLS = """
## By TLS

The same call by a caller of our own (`tests/bench/by_tls.py`), by TCP and by TLS: over one connection for all calls,
and over one for each call, where TLS shakes hands anew or resumes the session of the call before. CPU is that of the
server's process for each call; the ratio is to TCP over one connection.
"""

MSGTRACE = """
## msgtrace

`msgtrace decode` on logs of basic calls: megabytes for each second of the process's CPU, its start included, and the
most memory that it had. The best of three runs each.
"""


def best_pair(pairs: list[Pair]) -> Pair:
    """The pair with the lowest ratio, of the clean ones if there are any: noise only ever adds."""
    return min([pair for pair in pairs if pair.clean] or pairs, key=lambda pair: pair.ratio)


def write_performance(bench: Bench, path: Path) -> None:
    """Write the page."""
    lines = [
        HEAD,
        f"{bench.at}, {bench.cores} cores, Python {bench.python} (yardstick {bench.yardstick:.0f} ms), log level"
        f" {bench.loglevel}, runs of {bench.seconds:g} s, the best of each row's pairs:\n",
        "| server | calls/s | CPU | floor | ratio | failed | repeated | INVITE to 200 | ping p50 / p99 | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = dict.fromkeys((pair.server.subject, pair.server.rate) for pair in bench.pairs)
    for subject, rate in rows:
        pair = best_pair([p for p in bench.pairs if (p.server.subject, p.server.rate) == (subject, rate)])
        run, trip = pair.server, pair.server.round_trip
        pings = f"{trip.p50:.1f} / {trip.p99:.1f} ms" if trip else "–"
        lines.append(
            f"| {subject} | {rate:g} | {run.cpu:.3f} ms | {pair.floor.cpu:.3f} ms | {pair.ratio:.2f} | {run.failed}"
            f" | {run.retransmissions} | {run.response:.0f} ms | {pings}"
            f" | {run.memory_before:.0f} → {run.memory_after:.0f} MiB |"
        )
    if bench.by_tls:
        lines += [BY_TLS, "| calls by | calls/s | CPU | ratio | failed |", "|---|---|---|---|---|"]
        for cost in bench.by_tls:
            ratio = cost.cpu / bench.by_tls[0].cpu
            lines.append(f"| {cost.way} | {cost.rate:g} | {cost.cpu:.3f} ms | {ratio:.2f} | {cost.failed} |")
    if bench.hanging is not None:
        lines += ["\n## A callback that hangs\n", bench.hanging.told]
    if bench.speeds:
        goals = " | ".join(f"{style} (goal {goal:.0f})" for style, goal in GOALS.items())
        lines += [MSGTRACE, f"| form | size | {goals} | memory |", f"|---|---|{'---|' * len(GOALS)}---|"]
        for form in dict.fromkeys(speed.form for speed in bench.speeds):
            speeds = [speed for speed in bench.speeds if speed.form == form]
            rates = " | ".join(f"{speed.rate:.0f} MB/s" for speed in speeds)
            peak = max(speed.peak for speed in speeds)
            lines.append(f"| {form} | {speeds[0].megabytes:.0f} MB | {rates} | {peak:.0f} MiB |")
    if bench.added is not None:
        times = (
            f"{bench.added.median:.2f} ms to a round trip, {bench.added.p99:.2f} ms at the 99th percentile"
        )
        lines.append(f"\n`msgtrace record` adds {times} (goal: 0.2 ms each way).")
    path.write_text("\n".join(lines) + "\n", "utf-8")
