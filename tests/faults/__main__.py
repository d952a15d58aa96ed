"""``python -m tests.faults MINUTES``: a soak. Calls at half the rate of one core while applications are killed.

An application answers, is killed after twenty seconds, and another comes. Each caller has to hear exactly one final
response: 200 and, when its application was gone, 481 to its BYE; 480 where the application was killed before it
answered; 503 while none was there. Every ten seconds a line says how many calls there were, and the memory, which must
not go on rising. A run of ten minutes or more puts its figures into ``tests/promises/figures.json``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.faults.callers import Callers, outcome
from tests.peers.processes import NodeApplication, Server
from tests.promises.figures import record_run

RATE = 300.0
"""calls a second"""
RESTART_SECONDS = 20.0
PORTION = 10.0
"""seconds of calls for which one set of callers stands"""

MOST_RISE = 3.0
"""MiB by which the last quarter of a run may exceed the second: what is left to caches that are not full yet."""

EXPECTED = {"200", "200 BYE 480", "200 BYE 481", "480", "503"}

ANSWERING = Path(__file__).parents[1] / "bench" / "answer.js"


async def soak(server: Server, seconds: float) -> tuple[Counter[str], list[tuple[float, float]]]:
    """The outcome of all calls, and (seconds, MiB) of the server every ``PORTION`` seconds, with a line each time."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    end = start + seconds
    books: Counter[str] = Counter()
    memory: list[tuple[float, float]] = []
    restarting = asyncio.ensure_future(_restarted(server))
    while loop.time() < end and not restarting.done():
        transport, callers = await loop.create_datagram_endpoint(
            Callers, remote_addr=("127.0.0.1", server.sip_port("udp"))
        )
        begun = loop.time()
        for number in range(round(RATE * PORTION)):
            await asyncio.sleep(max(begun + number / RATE - loop.time(), 0))
            callers.call(int(begun * 1000) * 100_000 + number)
        loop.call_later(32, transport.close)
        await callers.finish(31)
        books += outcome(callers.heard.values())
        memory.append((loop.time() - start, _memory(server)))
        sys.stdout.write(f"{sum(books.values())} calls, {memory[-1][1]:.1f} MiB\n")
        sys.stdout.flush()
    restarting.cancel()
    await asyncio.gather(restarting, return_exceptions=True)
    return books, memory


def rise(memory: Sequence[tuple[float, float]]) -> float:
    """MiB by which the median of the last quarter exceeds that of the second; 0 if there is too little to tell."""
    if len(memory) < 8:
        return 0.0
    quarter = len(memory) // 4
    second, last = memory[quarter : 2 * quarter], memory[-quarter:]
    return median(size for _, size in last) - median(size for _, size in second)


def told(memory: Sequence[tuple[float, float]]) -> str:
    """The memory at some moments: after ten seconds, one and two minutes, at each quarter and at the end."""
    end = memory[-1][0]
    moments = sorted({10.0, 60.0, 120.0, *(end * part / 4 for part in (1, 2, 3, 4))})
    nearest = [
        min(memory, key=lambda one: abs(one[0] - moment)) for moment in moments if moment <= end + PORTION
    ]
    return ", ".join(f"{size:.0f} after {seconds:.0f} s" for seconds, size in dict.fromkeys(nearest))


async def _restarted(server: Server) -> None:
    """Applications one after the other, each killed after twenty seconds."""
    while True:
        application = await asyncio.to_thread(NodeApplication, ANSWERING, server.admin_port)
        try:
            await asyncio.sleep(RESTART_SECONDS)
        finally:
            application.process.kill()
            application.stop()


def _memory(server: Server) -> float:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Says what became of all calls; 1 if one of them heard what it should not, or memory goes on rising."""
    minutes = float(sys.argv[1])
    server = Server("--loglevel", "error")
    try:
        books, memory = asyncio.run(soak(server, 60 * minutes))
    finally:
        server.stop()
    for heard, calls in sorted(books.items()):
        sys.stdout.write(f"{calls:8} {heard}\n")
    rises = rise(memory)
    sys.stdout.write(f"{rises:+.1f} MiB from the second quarter to the last\n")
    if not set(books) <= EXPECTED or rises > MOST_RISE:
        return 1
    record_run(
        "soak",
        minutes,
        {
            "rate": round(RATE),
            "calls": sum(books.values()),
            "ok": sum(calls for heard, calls in books.items() if heard.startswith("200")),
            "gone": sum(calls for heard, calls in books.items() if heard.startswith("200 BYE")),
            "killed": books["480"],
            "none": books["503"],
            "memory": told(memory),
            "rise": f"{rises:+.1f}",
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
