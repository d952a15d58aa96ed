"""``python -m tests.faults.growth ROUNDS SECONDS RATE``: what a server keeps of calls that are over.

Rounds of calls with applications that are killed in their midst; after each, when all tables are empty, the server says
how many objects Python's garbage collector knows and how much memory the process has. What grows from round to round
is kept for ever. Resident memory alone does not tell: it is as high as the greatest crowd of calls has made it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from reference_server.config.model import (
    AdminConfiguration,
    Configuration,
    ContactConfiguration,
    TimerConfiguration,
)
from reference_server.server import Server, tune_for_traffic
from tests.admin.admin_port import SECRET
from tests.faults.callers import Callers
from tests.peers.processes import NodeApplication
from tests.promises.figures import record

ANSWERING = Path(__file__).parents[1] / "bench" / "answer.js"
REMEMBERED = 2.0
"""64·T1, so that tables empty soon"""
MOST_OF_A_ROUND = 20
"""objects that a round may leave: the round's socket is remembered as a peer, in a cache that has an end"""
KILLED = 3
"""applications of a round that are"""


class Kept(Struct):
    """What a server has between two rounds."""

    objects: int
    mebibytes: float
    occupied: dict[str, int]
    """tables that are not empty"""


async def serve() -> None:
    """Serves until SIGTERM; a line of JSON when it is ready, and one after each SIGUSR1."""
    server = Server(
        Configuration(
            admin=AdminConfiguration(port=0, secret=SECRET),
            contacts=(ContactConfiguration(port=0),),
            timers=TimerConfiguration(t1x64=REMEMBERED, t4=0.5),
            cdrs=True,
        )
    )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    async with server:
        tune_for_traffic()

        def say() -> None:
            gc.collect()
            occupied = {name: size for name, size in server.occupancy().items() if size}
            kept = Kept(len(gc.get_objects()), _resident(), occupied)
            sys.stdout.write(f"{msgspec.json.encode(kept).decode()}\n")
            sys.stdout.flush()

        loop.add_signal_handler(signal.SIGUSR1, say)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        udp = next(one for one in server.hostports if one.startswith("udp/"))
        sys.stdout.write(f"{server.admin_address[1]} {udp.rpartition(':')[2]}\n")
        sys.stdout.flush()
        await stop.wait()


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


async def rounds(count: int, seconds: float, rate: float) -> list[Kept]:
    """What was kept after each."""
    serving = subprocess.Popen([sys.executable, "-m", __spec__.name], stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    found: list[Kept] = []
    try:
        admin, sip = map(int, serving.stdout.readline().split())
        for number in range(count):
            await _round(admin, sip, number, round(seconds * rate), rate)
            found.append(await _empty(serving))
            sys.stdout.write(f"{found[-1].objects} objects, {found[-1].mebibytes} MiB\n")
            sys.stdout.flush()
    finally:
        serving.terminate()
        serving.wait()
        serving.stdout.close()
    return found


async def _round(admin: int, sip: int, number: int, calls: int, rate: float) -> None:
    loop = asyncio.get_running_loop()
    transport, callers = await loop.create_datagram_endpoint(Callers, remote_addr=("127.0.0.1", sip))
    killed = asyncio.ensure_future(_killed(admin, calls / rate))
    begun = loop.time()
    for call in range(calls):
        await asyncio.sleep(max(begun + call / rate - loop.time(), 0))
        callers.call(number * 1_000_000 + call)
    await callers.finish(30)
    transport.close()
    await killed


async def _killed(admin: int, seconds: float) -> None:
    """Applications one after the other, each killed with calls open."""
    for _ in range(KILLED):
        application = await asyncio.to_thread(NodeApplication, ANSWERING, admin, SECRET)
        await asyncio.sleep(seconds / KILLED)
        application.process.kill()
        application.stop()


async def _empty(serving: subprocess.Popen[str]) -> Kept:
    """What is kept when nothing is going on: asked until that is so."""
    assert serving.stdout is not None
    while True:
        serving.send_signal(signal.SIGUSR1)
        kept = msgspec.json.decode(await asyncio.to_thread(serving.stdout.readline), type=Kept)
        if not kept.occupied:
            return kept
        await asyncio.sleep(REMEMBERED / 4)


def grows(found: list[Kept]) -> float:
    """Objects by which a round grows, the first three apart, in which caches fill."""
    settled = found[min(2, len(found) - 1) :]
    return (settled[-1].objects - settled[0].objects) / max(len(settled) - 1, 1)


def main() -> int:
    """1 if more is kept after each round."""
    if len(sys.argv) == 1:
        asyncio.run(serve())
        return 0
    count, seconds, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    found = asyncio.run(rounds(count, seconds, rate))
    growth = grows(found)
    sys.stdout.write(f"{growth:+.1f} objects a round\n")
    if growth > MOST_OF_A_ROUND:
        return 1
    if count >= 10:
        record(
            "growth",
            {
                "rounds": count,
                "calls": round(count * seconds * rate),
                "objects": f"{growth:+.1f}",
                "memory": f"{found[2].mebibytes} MiB after the third, {found[-1].mebibytes} after the last",
            },
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
