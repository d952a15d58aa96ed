"""SIP messages in the log: the genuine server's form, the wire's octets."""

from __future__ import annotations

import io
import re

import pytest

from reference_server.config.model import LogLevel
from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.log import Console, Log
from reference_server.observe.sip_trace import SipTrace
from reference_server.sip.transport import TCP, UDP

LOCAL = Endpoint(UDP, "127.0.0.1", 5060, "127.0.0.1", "sip:127.0.0.1:5060")
BY_UDP = Flow(UDP, "127.0.0.1", 21100, LOCAL)
BY_TCP6 = Flow(TCP, "::1", 5080, LOCAL, 3)

RECORD = re.compile(
    rb"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) (?P<way>recv (?P<n>\d+) bytes from|send (?P<m>\d+) bytes to) "
    rb"(?P<peer>(?:udp|tcp)/\[[^]]+\]:\d+) at (?P<time>\d\d:\d\d:\d\d\.\d{6}):\n"
)

MESSAGES = {
    "no body": "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n",
    "a body without line end": "MESSAGE sip:x SIP/2.0\r\nContent-Length: 16\r\n\r\nhello no newline",
    "LF, folding and indentation": "MESSAGE sip:x SIP/2.0\r\nSubject: a\r\n\t b\r\n\r\n  one\n    two\n",
    "octets": "MESSAGE sip:x SIP/2.0\r\n\r\n\xe9\x00\xff\x1b[2J",
    "a record in the body": "MESSAGE sip:x SIP/2.0\r\n\r\nrecv 9 bytes from udp/[1.1.1.1]:1 at 00:00:00.000000:\n",
    "long": "MESSAGE sip:x SIP/2.0\r\n\r\n" + "a" * 70_000,
    "empty": "",
}


def traced(sent: bool, flow: Flow, text: str, level: LogLevel = LogLevel.INFO) -> bytes:
    stream = io.BytesIO()
    SipTrace(Log(level, [Console(stream)])).sip(sent, flow, text)
    return stream.getvalue()


@pytest.mark.parametrize("text", MESSAGES.values(), ids=MESSAGES.keys())
@pytest.mark.parametrize("sent", [False, True])
def test_a_record_holds_exactly_the_octets_that_it_counts(sent: bool, text: str) -> None:
    record = traced(sent, BY_UDP, text)
    head = RECORD.match(record)
    assert head is not None
    count = int(head["m"] if sent else head["n"])
    assert count == len(text)
    assert record[head.end() : head.end() + count] == text.encode("latin-1")
    assert record[head.end() + count :] == b" \n"
    assert head["peer"] == b"udp/[127.0.0.1]:21100"


def test_the_address_is_always_in_brackets() -> None:
    assert b" send 0 bytes to tcp/[::1]:5080 at " in traced(True, BY_TCP6, "")


@pytest.mark.parametrize("level", list(LogLevel))
def test_the_trace_is_there_from_info_on(level: LogLevel) -> None:
    assert bool(traced(False, BY_UDP, "x", level)) == (level >= LogLevel.INFO)
