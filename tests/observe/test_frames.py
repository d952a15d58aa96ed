"""Frames shown live: tokens by name, nothing that disturbs a terminal."""

from __future__ import annotations

import pytest

from reference_server.observe.credentials import without_credentials
from reference_server.observe.frames import ShownFrames, describe_received, describe_sent
from reference_server.wire.frames_to_application import (
    Accepted,
    Authenticated,
    DialogMessage,
    NewRequest,
    NotSent,
    Refused,
    RequestSent,
    ResponseSent,
    ServerMessage,
)

SIP = "INVITE sip:bob SIP/2.0\r\nVia: x\r\n\r\nv=0\r\n"
SHOWN = "    INVITE sip:bob SIP/2.0\n    Via: x\n\n    v=0"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            Authenticated("r", "udp/1.1.1.1:5060", "v0.9.5", "udp/10.0.0.1:5060"),
            "response id=u, request-id=r, outcome=OK, hostports=udp/1.1.1.1:5060, version=v0.9.5, "
            "local-hostports=udp/10.0.0.1:5060",
        ),
        (
            Authenticated("r", "udp/1.1.1.1:5060", "", "", short=True),
            "response id=u, request-id=r, outcome=OK, hostports=udp/1.1.1.1:5060",
        ),
        (Accepted("r"), "response id=u, request-id=r, outcome=OK"),
        (Accepted("r", "pong"), "response id=u, request-id=r, outcome=OK, text=pong"),
        (Refused("r", "incorrect secret"), "response id=u, request-id=r, outcome=NO, text=incorrect secret"),
        (NotSent("r", "a|b"), "response id=u, request-id=r, outcome=NOK, text=a|b"),
        (
            ResponseSent("r", "udp", "::1|5080", "10:00:00.000001", "t", "d", SIP),
            f"response id=u, request-id=r, outcome=OK, source=application, length={len(SIP)}, transport=udp, "
            f"address=::1, port=5080, time=10:00:00.000001, transaction-id=t, dialog-id=d\n{SHOWN}",
        ),
        (
            RequestSent("r", "tcp", "1.1.1.1|5080", "10:00:00.000001", "t", SIP),
            f"response id=u, request-id=r, outcome=OK, source=application, length={len(SIP)}, transport=tcp, "
            f"address=1.1.1.1, port=5080, time=10:00:00.000001, transaction-id=t\n{SHOWN}",
        ),
        (
            NewRequest(len(SIP), "udp", "1.1.1.1|5080", "10:00:00.000001", "t", "127.0.0.1|5060", SIP),
            f"sip id=u, source=network, length={len(SIP)}, transport=udp, address=1.1.1.1, port=5080, "
            f"time=10:00:00.000001, transaction-id=t, local-address=127.0.0.1, local-port=5060\n{SHOWN}",
        ),
        (
            DialogMessage("network", len(SIP), "udp", "1.1.1.1|5080", "10:00:00.000001", "t", "d", SIP),
            f"sip id=u, source=network, length={len(SIP)}, transport=udp, address=1.1.1.1, port=5080, "
            f"time=10:00:00.000001, transaction-id=t, dialog-id=d\n{SHOWN}",
        ),
    ],
)
def test_what_the_server_sends(message: ServerMessage, shown: str) -> None:
    assert describe_sent(message.format("u")) == shown


def test_call_detail_records() -> None:
    assert describe_sent(
        "u|cdr:stop|network|10:00:00.000001|normal-release\r\nBYE sip:x SIP/2.0\r\n\r\n"
    ) == ("cdr:stop id=u, source=network, time=10:00:00.000001, reason=normal-release\n    BYE sip:x SIP/2.0")


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ("i|authenticate|***|red,blue", "authenticate id=i, secret=***, tags=red,blue"),
        ("i|ping", "ping id=i"),
        ("i|route|invite", "route id=i, verb=invite"),
        (
            "i|sip|t|d|\r\nSIP/2.0 200 OK\r\nX: caf\xc3\xa9\r\n\r\n",
            "sip id=i, transaction-id=t, dialog-id=d\n    SIP/2.0 200 OK\n    X: café",
        ),
        (
            "i|proxy|t|remainInDialog||||5s|60s|sip:a|sip:b\r\nINVITE sip:a SIP/2.0\r\n",
            "proxy id=i, transaction-id=t, remain-in-dialog=remainInDialog, provisional-timeout=5s, "
            "final-timeout=60s, destination-1=sip:a, destination-2=sip:b\n"
            "    INVITE sip:a SIP/2.0",
        ),
        ("hello", "not understood (Invalid message format): hello"),
        ("i|dance|\x1b[2J", "not understood (Unknown message type): i|dance|\\x1b[2J"),
        ("i|route|caf\xe9\n", "route id=i, verb=caf\\xe9\\x0a"),
    ],
)
def test_what_an_application_sends(payload: str, shown: str) -> None:
    assert describe_received(payload) == shown


class Sink:
    """Implements ``LogSink``."""

    def __init__(self) -> None:
        self.octets = b""

    def write(self, record: bytes, now: float) -> None:
        self.octets += record

    def close(self) -> None:
        raise AssertionError("it is not ours")


def test_lines_name_the_connection_and_the_direction() -> None:
    sink = Sink()
    shown = ShownFrames(sink, wall=lambda: 0.25)
    shown.frame(3, False, "i|ping")
    shown.frame(3, True, "u|response|i|OK|pong")
    first, second = sink.octets.decode().splitlines()
    assert first.endswith(":00.250000 app 3 → server  ping id=i")
    assert second.endswith(":00.250000 server → app 3  response id=u, request-id=i, outcome=OK, text=pong")


def test_what_the_log_has_shown_is_not_shown_again() -> None:
    sink = Sink()
    shown = ShownFrames(sink, sip_is_shown=True)
    shown.frame(
        1, True, "u|response|i|OK|application|9|udp|::1|5|t|x|Msg sent:|\r\nBYE sip:a SIP/2.0\r\nX: 1\r\n\r\n"
    )
    shown.frame(1, False, "i|sip|t|\r\nSIP/2.0 200 OK\r\nX: 2\r\n\r\n")
    assert b"    BYE sip:a SIP/2.0 \xe2\x80\xa6\n" in sink.octets
    assert b"X: 1" not in sink.octets
    assert b"X: 2" in sink.octets  # the wire has another form of it


def test_a_reader_who_knows_ascii_only() -> None:
    sink = Sink()
    ShownFrames(sink, encoding="ascii").frame(1, False, "i|route|caf\xc3\xa9")
    assert sink.octets.endswith(b" app 1 \\u2192 server  route id=i, verb=caf\\xe9\n")


def test_what_is_masked_is_not_shown() -> None:
    sink = Sink()
    shown = ShownFrames(sink, mask=without_credentials)
    shown.frame(1, False, 'i|sip||d\r\nINFO sip:x SIP/2.0\r\nAuthorization: Digest response="a1"\r\n\r\n')
    assert b"Authorization: Digest *************\n" in sink.octets
    assert b"a1" not in sink.octets
