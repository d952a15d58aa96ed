"""Every token of a message has its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.messages import MessageKind, decode

INVITE = "\r\nINVITE sip:bob@127.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"
BYE = "\r\nBYE sip:x SIP/2.0\r\n\r\n"
OK = "\r\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"

KINDS = [
    ("i|authenticate|s3cret|blue,green", MessageKind.AUTHENTICATE, "authenticate (tags blue,green)"),
    ("i|authenticate|s3cret|", MessageKind.AUTHENTICATE, "authenticate"),
    ("i|route|invite", MessageKind.ROUTE, "route invite"),
    ("i|remove_route|invite", MessageKind.REMOVE_ROUTE, "remove_route invite"),
    ("i|ping", MessageKind.PING, "ping"),
    ("i|sip|t|" + OK, MessageKind.SEND_RESPONSE, "sip 200 OK (INVITE)"),
    ("i|sip||" + INVITE, MessageKind.SEND_REQUEST, "sip INVITE sip:bob@127.0.0.1"),
    ("i|sip||d" + INVITE, MessageKind.SEND_IN_DIALOG, "sip INVITE sip:bob@127.0.0.1"),
    ("i|sip|t|\r\nCANCEL sip:x SIP/2.0\r\n\r\n", MessageKind.SEND_CANCEL, "sip CANCEL sip:x"),
    ("i|proxy|t|remainInDialog||f|serial|1s|2s|sip:a|sip:b", MessageKind.PROXY, "proxy to sip:a, sip:b"),
    ("u|response|i|OK|pong", MessageKind.OK, "OK pong"),
    ("u|response|i|OK", MessageKind.OK, "OK"),
    ("u|response|i|NO|incorrect secret", MessageKind.NO, "NO incorrect secret"),
    ("u|response|i|NOK|missing content-type", MessageKind.NOK, "NOK missing content-type"),
    ("u|sip|network|9|udp|a|1|t|x||b|2|" + INVITE, MessageKind.NETWORK_REQUEST, "sip INVITE sip:bob@127.0.0.1"),
    ("u|sip|network|9|udp|a|1|t|x|d|" + OK, MessageKind.NETWORK_RESPONSE, "sip 200 OK (INVITE)"),
    ("u|sip|application|9|udp|a|1|t|unsolicited|d|" + BYE, MessageKind.UNSOLICITED, "unsolicited BYE sip:x"),
    ("u|cdr:start|network|t|uac" + OK, MessageKind.CDR, "cdr:start uac"),
    ("i|frobnicate|x", MessageKind.UNKNOWN, "? frobnicate|x"),
    ("", MessageKind.UNKNOWN, "?"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "kind", "summary"), KINDS)
def test_kind_and_summary(payload: str, kind: MessageKind, summary: str) -> None:
    message = decode(payload)
    assert message.kind is kind
    assert message.summary().strip() == summary


def names(payload: str) -> dict[str, str]:
    return {token.name: token.value for token in decode(payload).tokens}


def test_a_new_request_in_both_dialects() -> None:
    new = names("u|sip|network|445|udp|127.0.0.1|20271|07:33:51.717647|txn||127.0.0.2|20260|" + INVITE)
    old = names("u|sip|network|445|udp|127.0.0.1|20271|07:33:51.717647|txn|" + INVITE)
    assert old == {key: new[key] for key in old}
    assert new["transaction-id"] == "txn"
    assert (new["local-address"], new["local-port"]) == ("127.0.0.2", "20260")


def test_the_echo_of_a_response_and_of_a_request_differ() -> None:
    answered = names("u|response|i|OK|application|9|udp|a|1|t|txn|dlg||Msg sent:|" + OK)
    asked = names("u|response|i|OK|application|9|udp|a|1|t|txn|Msg sent:|" + INVITE)
    assert (answered["transaction-id"], answered["dialog-id"], answered["text"]) == (
        "txn",
        "dlg",
        "Msg sent:",
    )
    assert (asked["transaction-id"], asked["text"]) == ("txn", "Msg sent:")
    assert "dialog-id" not in asked


def test_the_answer_to_authenticate() -> None:
    full = names("u|response|i|OK|udp/127.0.0.1:5060|v0.9.5|udp/10.0.0.1:5060")
    assert full["version"] == "v0.9.5"
    assert full["local-hostports"] == "udp/10.0.0.1:5060"
    assert names("u|response|i|OK|udp/127.0.0.1:5060")["hostports"] == "udp/127.0.0.1:5060"


def test_an_interim_answer_of_a_proxy_says_continue() -> None:
    assert names("u|response|i|OK|network|9|udp|a|1|t|||continue" + OK)["progress"] == "continue"


def test_surplus_tokens_are_numbered() -> None:
    assert names("i|ping|a|b") == {"id": "i", "type": "ping", "token-2": "a", "token-3": "b"}


def test_a_known_direction_decides() -> None:
    payload = "u|sip|network|9|udp|a|1|t|x||b|2|" + INVITE
    assert decode(payload, from_server=True).kind is MessageKind.NETWORK_REQUEST
    assert decode(payload, from_server=False).kind is MessageKind.SEND_IN_DIALOG


def test_the_secret_is_in_no_summary() -> None:
    assert "s3cret" not in decode("i|authenticate|s3cret|").summary()


@given(st.text(alphabet="ab|#\r\n: SIP/20sipresponseOKcdr", max_size=80))
def test_any_payload_decodes(payload: str) -> None:
    message = decode(payload)
    meta = payload.split("\r\n")[0] if "\r\n" in payload else payload.split("\n")[0]
    assert "|".join(token.value for token in message.tokens) == meta
