"""``python -m tests.faults MINUTES``: a soak. Calls at half the rate of one core while applications are killed.

An application answers, is killed after twenty seconds, and another comes. Each caller has to hear exactly one final
response: 200 and, when its application was gone, 481 to its BYE; 480 where the application was killed before it
answered; 503 while none was there. Every ten seconds a line says how many calls there were, and the memory.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from tests.faults.callers import Callers, outcome
from tests.peers.processes import NodeApplication, Server

RATE = 300.0
"""calls a second"""
RESTART_SECONDS = 20.0
PORTION = 10.0
"""seconds of calls for which one set of callers stands"""

EXPECTED = {"200", "200 BYE 480", "200 BYE 481", "480", "503"}

ANSWERING = Path(__file__).parents[1] / "bench" / "answer.js"


async def soak(server: Server, seconds: float) -> Counter[str]:
    """The outcome of all calls; a line every ``PORTION`` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    books: Counter[str] = Counter()
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
        sys.stdout.write(f"{sum(books.values())} calls, {_memory(server):.0f} MiB\n")
        sys.stdout.flush()
    restarting.cancel()
    await asyncio.gather(restarting, return_exceptions=True)
    return books


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
    """Says what became of all calls; 1 if one of them heard what it should not."""
    server = Server("--loglevel", "error")
    try:
        books = asyncio.run(soak(server, 60 * float(sys.argv[1])))
    finally:
        server.stop()
    for heard, calls in sorted(books.items()):
        sys.stdout.write(f"{calls:8} {heard}\n")
    return 0 if set(books) <= EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
