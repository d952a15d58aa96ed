"""Whether anybody listens where the calls go, as far as the network says so.

A TCP connection is refused at once. Of a UDP port without a listener the network tells, too (ICMP), but SIPp, whose
socket is not connected to its peer, does not hear it and would wait for answers.
"""

from __future__ import annotations

import asyncio
from typing import NoReturn

_NOTHING = b"\r\n\r\n"  # the ping of RFC 5626 §3.5.1; whoever takes SIP passes over empty lines


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, told: asyncio.Future[None]) -> None:
        self._told = told

    def error_received(self, error: Exception) -> None:
        if not self._told.done():
            self._told.set_exception(error)


async def connect(host: str, port: int, patience: float) -> None:
    """Opens a TCP connection and closes it. Raises OSError, TimeoutError after ``patience`` seconds."""
    _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), patience)
    writer.close()
    await writer.wait_closed()


async def refused(host: str, port: int) -> NoReturn:
    """Raises ConnectionRefusedError as soon as the network says that nobody has this UDP port; else never ends."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(told), remote_addr=(host, port))
    try:
        transport.sendto(_NOTHING)
        await told
        raise AssertionError("only an error ends the wait")
    finally:
        transport.close()
