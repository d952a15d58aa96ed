"""Events in the log."""

from __future__ import annotations

import io

import pytest

from reference_server.config.model import LogLevel
from reference_server.observe.event_log import LEVELS, EventLog
from reference_server.observe.log import Console, Log


def told(name: str, level: LogLevel = LogLevel.DEBUG, **details: str | int) -> str:
    stream = io.BytesIO()
    EventLog(Log(level, [Console(stream)])).event(name, **details)
    return stream.getvalue().decode()[27:]


def test_an_event_is_one_line() -> None:
    assert told("admin-connected", connection=1, peer="127.0.0.1:40000") == (
        "admin-connected: connection=1, peer=127.0.0.1:40000\n"
    )
    assert told("stopped") == "stopped\n"


def test_what_a_peer_sent_begins_no_new_line() -> None:
    assert told("x", reason="a\r\n2026-11-23 forged") == "x: reason=a\\r\\n2026-11-23 forged\n"


def test_utf8_is_shown_as_text_and_other_octets_escaped() -> None:
    assert told("x", a="caf\xc3\xa9", b="\xff\x1b", c="1–8", d="") == "x: a=café, b=\\xff\\x1b, c=1–8, d=\n"


@pytest.mark.parametrize("name", [*LEVELS, "anything"])
def test_each_event_has_its_level(name: str) -> None:
    level = LEVELS.get(name, LogLevel.INFO)
    assert told(name, level)
    assert all(not told(name, quieter) for quieter in LogLevel if quieter < level)


def test_each_limit_that_is_met_is_said_once_a_second() -> None:
    stream = io.BytesIO()
    now = 100.0
    log = EventLog(Log(LogLevel.DEBUG, [Console(stream)]), lambda: now)
    for connection in range(4):
        log.event("sip-transport", limit="a", connection=connection)
        log.event("other", connection=connection)
    log.event("sip-transport", limit="b", connection=9)
    now = 101.0
    log.event("sip-transport", limit="a", connection=4)
    lines = [line[27:] for line in stream.getvalue().decode().splitlines()]
    assert [line for line in lines if line.startswith("sip-transport")] == [
        "sip-transport: limit=a, connection=0",
        "sip-transport: limit=b, connection=9",
        "sip-transport: limit=a, connection=4 (3 more of this kind since the last line)",
    ]
    assert sum(line.startswith("other: ") for line in lines) == 4
