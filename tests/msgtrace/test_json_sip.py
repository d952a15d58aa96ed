"""SIP in a field of a JSON line."""

from __future__ import annotations

import json

import pytest

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.recordings import read_blocks
from tests.msgtrace import samples

INVITE, BUSY = samples.invite("json"), samples.busy("json")
OTHER = {"level": 30, "time": 1795419966600, "pid": 1, "hostname": "sbc", "msg": "listening"}


def entries(*lines: object) -> tuple[list[Entry], Account]:
    """What is read of lines, and the account, in which each octet has its place."""
    account = Account()
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    account.total = len(data)
    found = list(read_blocks([data], account))
    assert account.damage == 0
    assert account.other + account.sip <= account.total
    return found, account


def test_a_request_as_drachtio_srf_shows_it() -> None:
    request = {
        "source": "network", "protocol": "udp", "source_address": "10.0.0.9", "source_port": "5060",
        "msg": {"raw": INVITE, "headers": {"from": "x"}, "body": ""},
    }  # fmt: skip
    found, account = entries(OTHER, {**OTHER, "req": request, "raw": INVITE})
    (entry,) = found
    assert entry.kind is EntryKind.SIP
    assert entry.data.encode("latin-1").decode() == INVITE
    assert (entry.line, entry.from_server, entry.peer) == (2, False, "udp/10.0.0.9:5060")
    assert entry.time == "2026-11-23T07:46:06.600000Z"
    assert "SIP in a field" in account.form


@pytest.mark.parametrize("field", ["msg", "sip", "payload"])
def test_whatever_the_field_is_called(field: str) -> None:
    found, _ = entries({**OTHER, field: BUSY.replace("\r\n", "\n")}, {**OTHER, field: "a SIP/2.0 peer"})
    (entry,) = found
    assert entry.data.encode("latin-1").decode() == BUSY
    assert (entry.from_server, entry.peer) == (None, "")


def test_among_the_records_of_a_client_log() -> None:
    arrow = {**OTHER, "msg": f"===>\r\n{samples.frame(samples.AUTHENTICATE)}\r\n"}
    found, _ = entries(arrow, {**OTHER, "raw": INVITE}, {**OTHER, "msg": {"an": ["object"]}})
    assert [entry.kind for entry in found] == [EntryKind.FRAME, EntryKind.SIP]


def test_a_json_log_without_sip_is_no_recording() -> None:
    with pytest.raises(NotARecording, match="line 1: JSON, but not"):
        entries(OTHER, OTHER)


def test_depth_has_an_end() -> None:
    deep: object = INVITE
    for _ in range(100):
        deep = [deep]
    found, _ = entries({**OTHER, "raw": BUSY}, {**OTHER, "deep": deep})
    assert len(found) == 1
