"""The thread that writes: nobody waits for who does not take records, and what was dropped is said."""

from __future__ import annotations

import os
import select
import threading
import time

from reference_server.observe.background import Background
from reference_server.observe.log import Console

NOW = 1795419925.25


class Gate:
    """A sink that takes nothing until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waits = threading.Event()
        self.pieces: list[tuple[bytes, float]] = []
        self.closed = False

    def write(self, record: bytes, now: float) -> None:
        self.waits.set()
        assert self.open.wait(10)
        self.pieces.append((record, now))

    def close(self) -> None:
        self.closed = True

    @property
    def octets(self) -> bytes:
        return b"".join(piece for piece, _ in self.pieces)


def test_everything_arrives_in_order() -> None:
    gate = Gate()
    gate.open.set()
    background = Background(gate)
    records = [b"%d\n" % number for number in range(10_000)]
    for record in records:
        background.write(record, NOW)
    background.close()
    assert gate.octets == b"".join(records)
    assert gate.closed
    assert len(gate.pieces) < 1000, "many leave by one write"


def test_what_does_not_fit_is_counted_and_said() -> None:
    gate = Gate()
    background = Background(gate, limit=1000, pace=0, missed=lambda count, now: b"%d missed\n" % count)
    background.write(b"first\n", NOW)
    assert gate.waits.wait(10)
    for number in range(200):
        background.write(b"%08d\n" % number, NOW)
    gate.open.set()
    background.close()
    lines = gate.octets.splitlines()
    assert lines[0] == b"first"
    kept = [line for line in lines[1:] if not line.endswith(b"missed")]
    (missed,) = [int(line.split()[0]) for line in lines if line.endswith(b"missed")]
    assert missed + len(kept) == 200
    assert kept == [b"%08d" % number for number in range(len(kept))]


def test_what_was_missed_is_said_at_the_end_although_nothing_waits_any_more() -> None:
    gate = Gate()
    background = Background(gate, limit=100, pace=0, missed=lambda count, now: b"%d missed\n" % count)
    background.write(b"x" * 99 + b"\n", NOW)
    assert gate.waits.wait(10), "the thread has it in hand"
    background.write(b"dropped\n", NOW)
    gate.open.set()
    background.close()
    assert gate.octets.endswith(b"x\n1 missed\n")


def test_after_a_gap_half_of_the_room_must_be_free_again() -> None:
    gate = Gate()
    background = Background(gate, limit=100, pace=0, missed=lambda count, now: b"%d missed\n" % count)
    background.write(b"x" * 99 + b"\n", NOW)
    background.write(b"dropped\n", NOW)
    gate.open.set()
    while background._waiting:
        time.sleep(0.001)
    background.write(b"kept\n", NOW)
    background.close()
    assert gate.octets.endswith(b"\n1 missed\nkept\n")


def test_a_piece_belongs_to_one_second() -> None:
    gate = Gate()
    background = Background(gate, pace=0.2)
    for moment in (9.5, 9.75, 10.0, 10.5, 11.0):
        background.write(b"%.2f " % moment, moment)
    gate.open.set()
    background.close()
    assert gate.pieces == [(b"9.50 9.75 ", 9.75), (b"10.00 10.50 ", 10.5), (b"11.00 ", 11.0)]


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as stream:
        background = Background(Console(stream))
        started = time.monotonic()
        for _ in range(20_000):
            background.write(b"x" * 999 + b"\n", NOW)
        assert time.monotonic() - started < 5
        assert background._missed > 0
        closing = threading.Thread(target=background.close)
        closing.start()
        while background._waiting:  # somebody reads at last
            if select.select([reading], [], [], 0.01)[0]:  # the last of it may have been read already
                os.read(reading, 1 << 20)
        closing.join(10)
    os.close(reading)


def test_without_a_record_there_is_no_thread() -> None:
    before = threading.active_count()
    gate = Gate()
    Background(gate).close()
    assert gate.closed
    assert threading.active_count() == before
