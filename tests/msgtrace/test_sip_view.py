"""The view of a SIP message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace import sip

RAW = (
    "INVITE sip:bob@127.0.0.1 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKfirst\r\n"
    "Via: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKsecond\r\n"
    "fROM: \"A;tag=no\" <sip:a@h;tag=no>;x=1;tag=yes\r\n"
    "X-Folded: one,\r\n two\r\n"
    "CSeq: 7 INVITE\r\n"
    "l: 4\r\n\r\n"
    "a\r\n\r\nb"
)  # fmt: skip


def test_the_parts_of_a_request() -> None:
    message = sip.parse(RAW)
    assert message.raw == RAW
    assert (message.method, message.uri, message.cseq) == ("INVITE", "sip:bob@127.0.0.1", (7, "INVITE"))
    assert message.branch == "z9hG4bKfirst"
    assert message.body == "a\r\n\r\nb"
    assert [field.name for field in message.fields] == ["v", "Via", "fROM", "X-Folded", "CSeq", "l"]


def test_names_are_found_in_any_case_and_compact() -> None:
    message = sip.parse(RAW)
    assert len(message.all("via")) == 2
    assert message.first("Content-Length") == "4"
    assert message.has("From")
    assert not message.has("To")
    assert message.first("x-folded") == "one, two"


def test_the_tag_is_the_parameter_outside_of_the_uri_and_the_name() -> None:
    assert sip.tag(sip.parse(RAW).first("From")) == "yes"
    assert sip.tag("<sip:a@h;tag=inside>") == ""


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [("SIP/2.0 486 Busy Here", 486, "Busy Here"), ("SIP/2.0 200 ", 200, ""), ("SIP/2.0 abc", None, "")],
)
def test_status_lines(line: str, status: int | None, reason: str) -> None:
    message = sip.parse(f"{line}\r\nCSeq: 1 BYE\r\n\r\n")
    assert (message.status, message.reason, message.method) == (status, reason, "BYE")


def test_summaries() -> None:
    assert sip.parse(RAW).summary() == "INVITE sip:bob@127.0.0.1"
    assert sip.parse("SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n").summary() == "180 Ringing (INVITE)"


def test_bare_line_feeds_are_read() -> None:
    message = sip.parse("BYE sip:x SIP/2.0\nCall-ID: c\n\nbody")
    assert (message.call_id, message.body) == ("c", "body")


def test_address_uris() -> None:
    assert sip.address_uri('"B" <sip:b@h;lr>;tag=1') == "sip:b@h;lr"
    assert sip.address_uri("sip:b@h;tag=1") == "sip:b@h"


@given(st.text(alphabet='SIP/2.0 :;\r\n\tvabc,<>"=', max_size=80))
def test_anything_can_be_viewed(raw: str) -> None:
    message = sip.parse(raw)
    assert message.raw == raw
    assert raw.endswith(message.body)
    assert isinstance(message.summary(), str)
    assert message.is_request or message.status is None or 0 <= message.status <= 999
