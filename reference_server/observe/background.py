"""Records leave by a thread, behind a bounded buffer: whoever writes one never waits for who takes it.

A pipe that nobody drains, a terminal that was stopped, a disk that hangs: each would otherwise stop every call. When
the buffer is full, records are dropped until half of it is free again; then a line says how many.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from reference_server.config.model import LogLevel
from reference_server.observe.log import Form, Lines, LogSink

LIMIT = 8 * 1024 * 1024
"""Octets of records that wait at most."""

PACE = 0.02
"""Seconds for which records are collected, so that many leave by one write."""

PATIENCE = 2.0
"""Seconds that the destination has to take the rest at the end."""

_ENOUGH = 64 * 1024  # octets that are written in one piece, and not waited for

Missed = Callable[[int, float], bytes]
"""The record that says how many were dropped, and when the next was not (Unix seconds)."""


def missed_in(form: Form) -> Missed:
    """For a log of that form."""
    return lambda count, now: form(
        LogLevel.ERROR, f"{count} records are missing here: they were not taken in time", now
    )


missed_lines: Missed = missed_in(Lines())
"""For a log in the genuine server's form."""


class Background:
    """Implements ``LogSink`` in front of another one, which only the thread touches."""

    def __init__(
        self, sink: LogSink, *, missed: Missed = missed_lines, pace: float = PACE, limit: int = LIMIT
    ) -> None:
        """``pace`` is in seconds, ``limit`` in octets. The thread begins with the first record."""
        self._sink = sink
        self._note = missed
        self._pace = pace
        self._limit = limit
        self._changed = threading.Condition()
        self._records: list[tuple[bytes, float]] = []
        self._waiting = 0  # octets, those in the hands of the thread included
        self._missed = 0
        self._missed_at = 0.0
        """when the last of them was"""
        self._closing = False
        self._thread: threading.Thread | None = None

    def write(self, record: bytes, now: float) -> None:
        """Keep one whole record for the thread, or count it as missed."""
        with self._changed:
            if self._closing:
                return
            room = self._limit // 2 if self._missed else self._limit
            if self._waiting + len(record) > room:
                self._missed += 1
                self._missed_at = now
                return
            if self._missed:
                self._keep(self._note(self._missed, now), now)
                self._missed = 0
            self._keep(record, now)

    def close(self) -> None:
        """Let the thread write the rest and close; it is not waited for for ever."""
        with self._changed:
            if not self._closing and self._missed:
                self._keep(self._note(self._missed, self._missed_at), self._missed_at)
            self._closing = True
            self._changed.notify_all()
        if self._thread is None:
            self._sink.close()
        else:
            self._thread.join(PATIENCE)

    def _keep(self, record: bytes, now: float) -> None:
        before = self._waiting
        self._records.append((record, now))
        self._waiting += len(record)
        if self._thread is None:
            # a daemon: the process ends although it hangs in a write
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()
        elif len(self._records) == 1 or before < _ENOUGH <= self._waiting:
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._records or self._closing)
                self._changed.wait_for(lambda: self._closing or self._waiting >= _ENOUGH, self._pace)
                records, self._records = self._records, []
                closing = self._closing
            for piece, now in _pieces(records):
                self._sink.write(piece, now)
            with self._changed:
                self._waiting -= sum(len(record) for record, _ in records)
            if closing:
                self._sink.close()
                return


def _pieces(records: list[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
    """Records joined, as many as belong to one second: a log begins a new file at midnight."""
    pieces: list[tuple[bytes, float]] = []
    joined: list[bytes] = []
    size = 0
    for at, (record, now) in enumerate(records):
        joined.append(record)
        size += len(record)
        last = at + 1 == len(records)
        if last or size >= _ENOUGH or int(records[at + 1][1]) != int(now):
            pieces.append((b"".join(joined), now))
            joined = []
            size = 0
    return pieces
