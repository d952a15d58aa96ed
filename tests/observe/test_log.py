"""The log: its lines, its levels, and what octets become in it."""

from __future__ import annotations

import io
import os
import re
import threading
import time
from collections.abc import Iterator

import pytest

from reference_server.config.model import LogLevel
from reference_server.observe.log import Console, LocalTime, Log

AT = 1795419925.737411  # 2026-11-23 07:45:25.737411 UTC


@pytest.fixture
def new_york() -> Iterator[None]:
    """The local time zone is New York's."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def written(level: LogLevel) -> tuple[Log, io.BytesIO]:
    stream = io.BytesIO()
    return Log(level, [Console(stream)], wall=lambda: AT), stream


def test_a_line_has_local_time_and_microseconds(new_york: None) -> None:
    log, stream = written(LogLevel.INFO)
    log.info("hello")
    assert stream.getvalue() == b"2026-11-23 02:45:25.737411 hello\n"


def test_the_second_is_formatted_anew_when_it_passes(new_york: None) -> None:
    clock = LocalTime()
    times = [AT, AT + 0.000001, AT + 0.3, AT + 3600]
    assert [clock.format(at)[11:] for at in times] == [
        "02:45:25.737411",
        "02:45:25.737412",
        "02:45:26.037411",
        "03:45:25.737411",
    ]
    assert clock.format(1795419925.9999999).endswith("02:45:26.000000")


@pytest.mark.parametrize("level", list(LogLevel))
def test_a_level_lets_through_itself_and_the_quieter_ones(level: LogLevel) -> None:
    log, stream = written(level)
    for name in LogLevel:
        getattr(log, name.name.lower())(name.name)
        log.at(name, f"at {name.name}")
    words = re.findall(r"\d ((?:at )?[A-Z]+)\n", stream.getvalue().decode())
    assert words == [word for name in LogLevel if name <= level for word in (name.name, f"at {name.name}")]
    assert [log.enabled(name) for name in LogLevel] == [name <= level for name in LogLevel]


def test_the_level_can_change() -> None:
    log, stream = written(LogLevel.NOTICE)
    log.level = LogLevel.INFO
    log.info("now")
    assert stream.getvalue().endswith(b" now\n")


def test_octets_stay_and_sentences_are_utf8() -> None:
    log, stream = written(LogLevel.INFO)
    log.info("octets \xc3\xa9\xff, expected 1–8")
    assert stream.getvalue().endswith(b" octets \xc3\xa9\xff, expected 1\xe2\x80\x938\n")


def test_a_broken_stream_is_not_an_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as stream:
        log = Log(LogLevel.INFO, [Console(stream)])
        log.notice("to nobody")
        log.notice("to nobody")
        log.close()


def test_a_stream_that_somebody_has_set_not_to_block_loses_nothing() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    received = bytearray()

    def read_all() -> None:
        while octets := os.read(reading, 10_000):
            received.extend(octets)

    reader = threading.Thread(target=read_all)
    with open(writing, "wb", buffering=0) as stream:
        reader.start()
        Console(stream).write(b"x" * 1_000_000, 0.0)
    reader.join(10)
    assert len(received) == 1_000_000
    os.close(reading)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (b"plain\tline\n", b"plain\tline\n"),
        (b"INVITE sip:x SIP/2.0\r\nVia: y\r\n\r\n \n", b"INVITE sip:x SIP/2.0\nVia: y\n\n \n"),
        (b"a\x1b]0;title\x07\x1b[2Jb\n", b"a\\x1b]0;title\\x07\\x1b[2Jb\n"),
        (b"over\rwritten\n", b"over\\rwritten\n"),
        ("caf\u00e9 1\u20138\n".encode(), "caf\u00e9 1\u20138\n".encode()),
        (b"\xc2\x9b2J\n", b"\\x9b2J\n"),
        (b"\xff\x9b\n", b"\\xff\\x9b\n"),
        ("\u202etxt\n".encode(), b"\\u202etxt\n"),
    ],
)
def test_nothing_steers_a_terminal(record: bytes, shown: bytes) -> None:
    stream = io.BytesIO()
    Console(stream, terminal=True).write(record, AT)
    assert stream.getvalue() == shown
    stream = io.BytesIO()
    Console(stream).write(record, AT)
    assert stream.getvalue() == record, "a file is for programs, too"


def test_nothing_is_written_after_the_end() -> None:
    log, stream = written(LogLevel.INFO)
    log.notice("last")
    log.close()
    log.notice("too late")
    assert stream.getvalue().count(b"\n") == 1
