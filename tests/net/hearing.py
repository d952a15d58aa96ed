"""Who hears what a network receives and loses, in queues that a test waits on."""

from __future__ import annotations

import asyncio

from reference_server.core.ports import Flow


class Hearing:
    """Implements ``SipUser``."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, Flow]] = asyncio.Queue()
        self.lost: asyncio.Queue[Flow] = asyncio.Queue()
        self.returned: asyncio.Queue[str] = asyncio.Queue()
        """the beginnings of what did not arrive"""

    def receive(self, text: str, flow: Flow) -> None:
        self.messages.put_nowait((text, flow))

    def undelivered(self, beginning: str) -> None:
        self.returned.put_nowait(beginning)

    def connection_lost(self, flow: Flow) -> None:
        self.lost.put_nowait(flow)
