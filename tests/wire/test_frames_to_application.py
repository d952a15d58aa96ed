"""What the server sends, token by token (docs/protocol.md, "Token by token")."""

from __future__ import annotations

import pytest

from reference_server.wire.frames_to_application import (
    Accepted,
    Authenticated,
    CallDetailRecord,
    DialogMessage,
    NewRequest,
    NotSent,
    Refused,
    RequestSent,
    ResponseSent,
    ServerMessage,
)

TIME = "16:06:41.114233"
SIP = "SIP/2.0 200 OK\r\nX-name: \xc3\xa9\r\n\r\n"
HOSTS = "udp/127.0.0.1:5060,tcp/127.0.0.1:5060"


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (
            Authenticated("id1", HOSTS, "v0.9.5", "udp/10.0.0.1:5060"),
            f"u|response|id1|OK|{HOSTS}|v0.9.5|udp/10.0.0.1:5060",
        ),
        (Authenticated("id1", HOSTS, "v0.9.5", "x", short=True), f"u|response|id1|OK|{HOSTS}"),
        (Accepted("id1"), "u|response|id1|OK"),
        (Accepted("id1", "pong"), "u|response|id1|OK|pong"),
        (Accepted("", "pong"), "u|response||OK|pong"),
        (Refused("id1", "incorrect secret"), "u|response|id1|NO|incorrect secret"),
        (Refused("", "framing error: x"), "u|response||NO|framing error: x"),
        (NotSent("id1", "why not"), "u|response|id1|NOK|why not"),
        (
            ResponseSent("id1", "udp", "127.0.0.1|5080", TIME, "txn", "dlg", SIP),
            f"u|response|id1|OK|application|30|udp|127.0.0.1|5080|{TIME}|txn|dlg||Msg sent:|\r\n{SIP}",
        ),
        (
            ResponseSent("id1", "", "127.0.0.1|5080", TIME, "txn", "", SIP),
            f"u|response|id1|OK|application|30||127.0.0.1|5080|{TIME}|txn|||Msg sent:|\r\n{SIP}",
        ),
        (
            RequestSent("id1", "tcp", "::1|5080", TIME, "txn", SIP),
            f"u|response|id1|OK|application|30|tcp|::1|5080|{TIME}|txn|Msg sent:|\r\n{SIP}",
        ),
        (
            NewRequest(271, "udp", "127.0.0.1|5080", TIME, "txn", "127.0.0.2|5060", SIP),
            f"u|sip|network|271|udp|127.0.0.1|5080|{TIME}|txn||127.0.0.2|5060|\r\n{SIP}",
        ),
        (
            NewRequest(271, "udp", "127.0.0.1|5080", TIME, "txn", "", SIP),
            f"u|sip|network|271|udp|127.0.0.1|5080|{TIME}|txn|\r\n{SIP}",
        ),
        (
            CallDetailRecord("cdr:attempt", "network", TIME, "", SIP),
            f"u|cdr:attempt|network|{TIME}\r\n{SIP}",
        ),
        (
            CallDetailRecord("cdr:start", "application", TIME, "uas", SIP),
            f"u|cdr:start|application|{TIME}|uas\r\n{SIP}",
        ),
        (
            DialogMessage("network", 7, "", "127.0.0.1|5080", TIME, "txn", "dlg", SIP),
            f"u|sip|network|7||127.0.0.1|5080|{TIME}|txn|dlg|\r\n{SIP}",
        ),
        (
            DialogMessage("application", 7, "udp", "127.0.0.1|5060", TIME, "unsolicited", "", SIP),
            f"u|sip|application|7|udp|127.0.0.1|5060|{TIME}|unsolicited||\r\n{SIP}",
        ),
    ],
)
def test_payload(message: ServerMessage, payload: str) -> None:
    assert message.format("u") == payload


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        (Authenticated("id1", HOSTS, "v", "l"), 7),
        (Authenticated("id1", HOSTS, "v", "l", short=True), 5),
        (ResponseSent("id1", "udp", "h|1", TIME, "t", "d", SIP), 15),
        (RequestSent("id1", "udp", "h|1", TIME, "t", SIP), 13),
        (NewRequest(1, "udp", "h|1", TIME, "t", "l|1", SIP), 13),
        (NewRequest(1, "udp", "h|1", TIME, "t", "", SIP), 10),
        (DialogMessage("network", 1, "udp", "h|1", TIME, "t", "d", SIP), 11),
    ],
)
def test_number_of_tokens(message: ServerMessage, tokens: int) -> None:
    assert len(message.format("u").partition("\r\n")[0].split("|")) == tokens
