"""SIP beside the lines of a server's log in a logger's objects."""

from __future__ import annotations

import json
import re

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
