"""The SIP trace of the log: a record at ``info`` for each SIP message, in the genuine server's form.

::

    2026-11-23 07:44:09.846150 recv 298 bytes from udp/[127.0.0.1]:21100 at 07:44:09.846041:
    OPTIONS sip:x@127.0.0.1:21060 SIP/2.0
    ...

The genuine server replaces the last line end by a blank, drops indentation, makes every line end CR LF and cuts what
is not ASCII. Here exactly ``N`` octets follow the first line, as they were on the wire; the record ends, as there,
with a blank and a line feed behind them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from reference_server.config.model import LogLevel
from reference_server.core.ports import Flow
from reference_server.observe.log import LocalTime, Log


class SipTrace:
    """A tap that writes SIP messages into the log."""

    def __init__(
        self, log: Log, mask: Callable[[str], str] = str, wall: Callable[[], float] = time.time
    ) -> None:
        """``mask`` hides what nobody shall read, octet for octet."""
        self._log = log
        self._mask = mask
        self._wall = wall
        self._time = LocalTime()

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """One record."""
        if not self._log.enabled(LogLevel.INFO):
            return
        at = self._time.format(self._wall()).partition(" ")[2]
        what = f"send {len(text)} bytes to" if sent else f"recv {len(text)} bytes from"
        peer = f"{flow.transport}/[{flow.remote_host}]:{flow.remote_port}"
        self._log.info(f"{what} {peer} at {at}:\n{self._mask(text)} ")
