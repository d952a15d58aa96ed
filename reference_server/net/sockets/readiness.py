"""Waking the loop for a datagram socket that also reports errors.

With IP_RECVERR a socket tells which of its datagrams did not arrive; the reports wait in a queue of their own, and
the socket polls as POLLERR until they are read. libuv takes POLLERR for a broken handle and never looks at it again. So
on Linux the socket is watched by an epoll of its own, and the loop, whichever it is, watches that epoll: it is readable
when the socket has data, room, or errors, and in error never. A wake costs a fraction of a microsecond more.
"""

from __future__ import annotations

import asyncio
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

_IP_RECVERR = 11
_IPV6_RECVERR = 25


class Readiness:
    """Calls ``wake`` whenever the socket has something to read, and on demand when it has room again."""

    def __init__(self, sock: socket.socket, wake: Callable[[], None]) -> None:
        """Watches from now on; must be made inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        self._number = sock.fileno()
        self._room = False
        self.more: Callable[[], object] = lambda: True
        """true if something can be read now, or there is word of an error; where that cannot be asked, always

        To ask costs a third of a read that finds nothing, which ends in an exception.
        """
        if sys.platform == "linux":
            with suppress(OSError):  # not an Internet socket
                if sock.family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
                else:
                    sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            self._epoll = select.epoll()
            self.more = partial(self._epoll.poll, 0)
            self._epoll.register(self._number, select.EPOLLIN)
            self._loop.add_reader(self._epoll.fileno(), wake)
        else:
            self._loop.add_reader(self._number, wake)

    def want_room(self, wanted: bool) -> None:
        """Whether to call ``wake``, too, as long as a datagram can be sent."""
        if wanted == self._room:
            return
        self._room = wanted
        if sys.platform == "linux":
            self._epoll.modify(self._number, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))
        elif wanted:
            self._loop.add_writer(self._number, self._wake)
        else:
            self._loop.remove_writer(self._number)

    def close(self) -> None:
        """Watch no longer; before the socket is closed."""
        self.want_room(False)
        if sys.platform == "linux":
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
        else:
            self._loop.remove_reader(self._number)
