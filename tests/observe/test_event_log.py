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
