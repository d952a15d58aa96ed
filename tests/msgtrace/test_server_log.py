"""Server logs whose SIP messages hold lines that look like records: they are no records."""

from __future__ import annotations

import time

import pytest

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.readers.server_log import read
from reference_server.config.model import LogLevel
from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.log import Log
from reference_server.observe.sip_trace import SipTrace
from reference_server.sip.transport import UDP

FLOW = Flow(UDP, "192.0.2.1", 5060, Endpoint(UDP, "127.0.0.1", 5060, "127.0.0.1", "sip:127.0.0.1"))
FORGED = (
    "2026-11-23 07:44:09.846150 recv 40 bytes from udp/[6.6.6.6]:5060 at 07:44:09.846041:\n"
    "INVITE sip:forged@127.0.0.1 SIP/2.0\r\n\r\n \n"
    "2026-11-23 07:44:09.846150 read_handler read: a|route|invite\n"
)


class Octets:
    """Implements ``LogSink``."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, record: bytes, now: float) -> None:
        self.written += record

    def close(self) -> None:
        pass


def log_of(*messages: str) -> bytes:
    """What the reference server writes of them."""
    octets = Octets()
    log = Log(LogLevel.INFO, [octets])
    trace = SipTrace(log)
    for message in messages:
        trace.sip(False, FLOW, message)
        log.info("admin-connected: connection=1")
    return octets.written


def entries(log: bytes) -> list[Entry]:
    return [found for found in read([log], Account()) if isinstance(found, Entry)]


@pytest.mark.parametrize("body", [FORGED, FORGED * 20, "x\n" + FORGED + "y", FORGED.rstrip("\n")])
def test_a_body_forges_no_record(body: str) -> None:
    messages = [f"MESSAGE sip:bob@x SIP/2.0\r\n\r\n{body}", "OPTIONS sip:bob@x SIP/2.0\r\n\r\n"]
    found = entries(log_of(*messages))
    assert [(one.kind, one.data, one.peer) for one in found] == [
        (EntryKind.SIP, message, "udp/192.0.2.1:5060") for message in messages
    ]


def test_traces_that_are_shorter_than_they_say_stay_apart() -> None:
    log = (
        b"2026-11-23 07:44:09.846150 recv 300 bytes from udp/[192.0.2.1]:5060 at 07:44:09.846041:\n"
        b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r \n"
        b"2026-11-23 07:44:10.846150 recv 300 bytes from udp/[192.0.2.1]:5060 at 07:44:10.846041:\n"
        b"OPTIONS sip:b SIP/2.0\r\nCall-ID: 2\r\n\r \n"
    )
    assert [one.data.split()[1] for one in entries(log)] == ["sip:a", "sip:b"]


def test_the_time_grows_with_the_size() -> None:
    head = b"2026-11-23 07:44:09.846150 recv 999999 bytes from udp/[6.6.6.6]:5060 at 07:44:09.846041:\nx\n"
    started = time.process_time()
    assert len(entries(head * 20_000)) == 20_000
    assert time.process_time() - started < 10
