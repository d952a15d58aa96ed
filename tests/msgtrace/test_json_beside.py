"""SIP beside the lines of a server's log in a logger's objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.recordings import read_blocks
from tests.msgtrace import samples
from tests.msgtrace.test_wrappings import FORMS, scene

INVITE = samples.invite("beside")
SHOWN = INVITE.encode().decode("latin-1")
"""its octets, as entries have them"""
COMMON = {"level": 30, "time": 1795419966600, "pid": 1}


def read(lines: list[dict[str, object]], size: int = 1 << 20) -> tuple[list[Entry], Account]:
    """What is read of lines, and the account, in which no octet stands twice."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    account = Account()
    account.total = len(data)
    found = list(read_blocks([data[at : at + size] for at in range(0, len(data), size)], account))
    assert account.damage == 0
    assert account.other + account.sip + account.frames <= account.total
    return found, account


def beside(entries: list[Entry]) -> list[Entry]:
    return [one for one in entries if one.kind is EntryKind.SIP and one.data == SHOWN]


@pytest.mark.parametrize("size", [1 << 20, 1000])
@pytest.mark.parametrize("field", ["msg", "message"])
@pytest.mark.parametrize("form", ["log at info", "log at debug", "debug output"])
def test_both_are_read(form: str, field: str, size: int) -> None:
    records = [text for text in re.split(r"(?m)^(?=2026-11-23[ T])", FORMS[form](scene())) if text]
    lines: list[dict[str, object]] = [{**COMMON, field: text} for text in records]
    alone, before = read(lines, size)
    assert "other fields" not in before.form
    among = [*lines[:2], {**COMMON, "raw": INVITE}, *lines[2:-1], {**lines[-1], "req": {"raw": INVITE}}]
    found, account = read(among, size)
    assert len(beside(found)) == 2
    assert [one.data for one in found if one.data != SHOWN] == [one.data for one in alone]
    assert [one.line for one in found] == sorted(one.line for one in found)
    assert account.form.endswith(", with SIP in other fields")
    assert beside(found)[0].time == "2026-11-23T07:46:06.600000Z"


def test_what_the_log_shows_too_is_read_once() -> None:
    record = (
        f"2026-11-23 07:26:00.000001 recv {len(SHOWN)} bytes from udp/[192.0.2.1]:5060 at 07:26:00.000001:\n"
    )
    found, _ = read([{**COMMON, "msg": record + INVITE, "raw": INVITE}])
    assert len(beside(found)) == 1


def docker(line: str) -> dict[str, object]:
    return {"log": line + "\n", "stream": "stdout", "time": "2026-11-23T07:26:06.123456789Z"}


def journal(line: str) -> dict[str, object]:
    return {"__REALTIME_TIMESTAMP": "1795419966600000", "MESSAGE": line, "_PID": "1"}


@pytest.mark.parametrize("collected", [docker, journal])
@pytest.mark.parametrize("form", ["log at info", "debug output"])
def test_a_logger_within_a_collector(form: str, collected: Callable[[str], dict[str, object]]) -> None:
    """pino in a container: its objects stand in the text of docker's, and hand on lines, with SIP beside."""
    records = [text for text in re.split(r"(?m)^(?=2026-11-23[ T])", FORMS[form](scene())) if text]
    lines: list[dict[str, object]] = [{**COMMON, "msg": text} for text in records]
    alone, _ = read(lines)
    among = [*lines[:2], {**COMMON, "raw": INVITE}, *lines[2:]]
    found, account = read([collected(json.dumps(line)) for line in among])
    assert len(beside(found)) == 1
    assert [one.data for one in found if one.data != SHOWN] == [one.data for one in alone]
    name = "docker's JSON lines" if collected is docker else "the journal's JSON lines"
    assert account.form.endswith(f", in JSON lines (in msg), in {name}, with SIP in other fields")


@pytest.mark.parametrize("collected", [docker, journal])
def test_sip_beside_the_text_of_a_collector(collected: Callable[[str], dict[str, object]]) -> None:
    """journald's fields of an application's own, and what a driver of docker adds."""
    records = FORMS["log at info"](scene()).splitlines()
    alone, _ = read([collected(record) for record in records])
    lines = [collected(record) for record in records]
    place = next(index for index, record in enumerate(records) if index and record.startswith("2026-"))
    lines.insert(place, {**collected("got a call"), "SIP_MESSAGE": INVITE})
    found, account = read(lines)
    assert len(beside(found)) == 1
    assert [one.data for one in found if one.data != SHOWN] == [one.data for one in alone]
    assert account.form.endswith(", with SIP in other fields")


def test_a_collector_that_holds_nothing_but_sip_in_other_fields() -> None:
    found, account = read([{**docker("got a call"), "sip": INVITE}, docker("and so on"), docker("and on")])
    assert [one.data for one in found] == [SHOWN]
    assert account.form == "SIP, in docker's JSON lines, with SIP in other fields"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_datagrams_of_syslog_that_a_script_has_printed(quote: str) -> None:
    datagrams = [
        f"<134>Nov 23 07:45:4{index} vm recv {len(SHOWN)} bytes from udp/[127.0.0.1]:5080 at 07:45:46.368224:\n"
        f"{INVITE} "
        for index in range(3)
    ]
    shown = [repr(text.replace('"', "'" if quote == '"' else '"').encode()) for text in datagrams]
    assert all(text.endswith(quote) for text in shown)
    account = Account()
    found = list(read_blocks(["\n".join(["listening", *shown, ""]).encode()], account))
    wanted = INVITE.replace('"', "'" if quote == '"' else '"').encode().decode("latin-1")
    assert [one.data for one in found if one.kind is EntryKind.SIP] == [wanted] * 3
    assert account.form == "a server's log through syslog, in literals of Python"
