"""Keeps everything that crosses a wire during one case, as the rows of its ladder."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct

from drachtio_conformance.peers.variables import readable
from msgtrace import messages, sip

SERVER = "server"
"""The lifeline of the server under test."""


class WireEvent(Struct, kw_only=True):
    """One thing that crossed a wire, or a remark in the ladder."""

    at: float
    """seconds since the case began (advanced time included)"""
    kind: str
    """``frame`` | ``sip`` | ``http`` | ``note`` (a connection opened or closed, time advanced)"""
    source: str
    """lifeline that sent it: the name of an application or SIP peer in the case, or ``server``"""
    target: str
    summary: str
    """one line: ``authenticate``, ``response OK``, ``INVITE``, ``200 OK (INVITE)``"""
    data: str = ""
    """the octets: a frame with its length, or a SIP message"""


class Recorder:
    """The events of one case. Time is the server's, so what was advanced counts; in seconds since it was made.

    The shared secret is recorded as so many asterisks: reports are passed around.
    """

    def __init__(self, secret: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """``secret`` is wire text, ``clock`` gives seconds."""
        self.events: list[WireEvent] = []
        self._clock = clock
        self._started = clock()
        self._really_started = time.monotonic()
        self._secret = f"|authenticate|{secret}"
        self._hidden = f"|authenticate|{'*' * len(secret)}"

    def now(self) -> float:
        """Seconds since the case began, advanced time included."""
        return self._clock() - self._started

    def real_duration(self) -> float:
        """Seconds that really passed."""
        return time.monotonic() - self._really_started

    def frame(self, application: str, payload: str, length: int, *, from_server: bool) -> None:
        """A whole frame on an application's connection."""
        summary = messages.decode(payload, from_server=from_server).summary()
        data = f"{length}#{payload}".replace(self._secret, self._hidden)
        self._wire("frame", application, data, summary=summary, from_server=from_server)

    def octets(self, application: str, data: str, *, from_server: bool) -> None:
        """Octets on an admin connection that are no single whole frame."""
        data = data.replace(self._secret, self._hidden)
        summary = f"{len(data)} octets: {readable(data[:32])}{'…' if len(data) > 32 else ''}"
        self._wire("frame", application, data, summary=summary, from_server=from_server)

    def sip(self, peer: str, raw: str, *, from_server: bool) -> None:
        """A SIP message at a peer."""
        summary = sip.parse(raw).summary() or f"{len(raw)} octets"
        self._wire("sip", peer, raw, summary=summary, from_server=from_server)

    def http(self, callback: str, raw: str, *, from_server: bool) -> None:
        """A question to a callback, or its answer."""
        start = raw.partition("\r\n")[0]
        summary = start if len(start) <= 60 else f"{start[:60]}…"
        self._wire("http", callback, raw, summary=summary, from_server=from_server)

    def note(self, lifeline: str, summary: str) -> None:
        """A remark: a connection opened or closed, time advanced."""
        self.events.append(
            WireEvent(at=self.now(), kind="note", source=lifeline, target=lifeline, summary=summary)
        )

    def _wire(self, kind: str, name: str, data: str, *, summary: str, from_server: bool) -> None:
        source, target = (SERVER, name) if from_server else (name, SERVER)
        self.events.append(
            WireEvent(
                at=self.now(), kind=kind, source=source, target=target, summary=readable(summary), data=data
            )
        )
