"""Syslog: records as RFC 3164 and the genuine server have them, received by a socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from reference_server.config.model import LogLevel, SyslogConfiguration
from reference_server.observe.datagrams import LARGEST, Datagrams
from reference_server.observe.log import Log
from reference_server.observe.syslog import Syslog, SyslogForm

AT = 1795419943.25  # 2026-11-23 07:45:43 UTC
LOCAL6 = 22


@pytest.fixture
def utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_priorities_are_the_genuine_servers(utc: None) -> None:
    form = SyslogForm(LOCAL6, "vm.example.com")
    assert form(LogLevel.NOTICE, "Starting", AT) == b"<181>Nov 23 07:45:43 vm Starting"
    assert [form(level, "", AT).partition(b">")[0] for level in LogLevel] == [
        b"<181",
        b"<178",
        b"<180",
        b"<182",
        b"<183",
    ]


def test_the_day_has_two_places_and_the_second_passes(utc: None) -> None:
    form = SyslogForm(LOCAL6, "vm")
    assert form(LogLevel.INFO, "x", 1793491200.0) == b"<182>Nov  1 00:00:00 vm x"
    assert form(LogLevel.INFO, "x", 1793491201.9) == b"<182>Nov  1 00:00:01 vm x"


def test_line_ends_and_octets_stay_and_this_machine_has_a_name() -> None:
    record = SyslogForm(LOCAL6)(LogLevel.INFO, "recv:\nOPTIONS\r\ncaf\xe9 ", AT)
    assert record.endswith(
        f" {socket.gethostname().partition('.')[0]} recv:\nOPTIONS\r\ncaf\xe9 ".encode("latin-1")
    )


def test_a_record_that_is_too_large_is_cut_and_says_so() -> None:
    record = SyslogForm(LOCAL6, "vm")(LogLevel.INFO, "x" * 100_000, AT)
    assert len(record) == LARGEST
    assert record.endswith("x … (100024 octets)".encode())


class Loser(Datagrams):
    """Loses as long as it is told to."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 9)
        self.loses = True
        self.kept: list[bytes] = []

    def write(self, datagram: bytes, stands_for: int = 1) -> None:
        if self.loses:
            self._lose(stands_for, "no room")
        else:
            self.kept.append(datagram)


def test_what_is_lost_is_said_before_the_next_that_gets_through(capfd: pytest.CaptureFixture[str]) -> None:
    out, now = Loser(), [AT]
    form = SyslogForm(LOCAL6, "vm")
    log = Log(LogLevel.INFO, [], wall=lambda: now[0])
    log.add(form, Syslog(SyslogConfiguration(address="h"), form, out))
    for _ in range(3):
        log.info("lost")
    now[0] += 60
    log.info("lost with the word of it")
    out.loses = False
    now[0] += 60
    log.info("kept")
    log.close()
    texts = [record.partition(b" vm ")[2] for record in out.kept]
    assert texts == [b"4 records are missing here: no room", b"kept"]
    assert capfd.readouterr().err == "syslog, h port 514: 1 records are missing here: no room\n"


def test_a_receiver_gets_them() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(10)
        receiver.bind(("::1", 0))
        form = SyslogForm(16)
        log = Log(LogLevel.WARNING, [])
        log.add(form, Syslog(SyslogConfiguration(address="::1", port=receiver.getsockname()[1]), form))
        log.info("not this")
        log.error("this")
        assert receiver.recv(1000).startswith(b"<130>")
        log.close()
