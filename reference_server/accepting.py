"""Accepts connections on a bound TCP socket: many may wait, few are taken at a time.

asyncio accepts as many connections in one turn of the loop as its backlog says. With a long one, a crowd of strangers
takes every descriptor before the first of them can be closed for lack of room.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

BACKLOG = 1024
"""Connections that wait to be accepted, if the system allows as many."""

AT_ONCE = 8
"""Connections that are accepted in one turn of the loop."""


async def accept(listening: socket.socket, connection: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    """Listen on the bound socket; each connection gets its protocol from ``connection``. Raises OSError."""
    server = await asyncio.get_running_loop().create_server(connection, sock=listening, backlog=AT_ONCE)
    listening.listen(BACKLOG)
    return server
