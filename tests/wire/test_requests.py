"""What an application sends, parsed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.wire.requests import (
    Authenticate,
    ClientMessage,
    Ping,
    Proxy,
    RemoveRoute,
    RequestError,
    Route,
    Sip,
    parse_request,
)

SIP = "SIP/2.0 200 OK\r\nX-a: 1|2\r\n\r\nbody\r\n\r\nmore"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("id1|ping", Ping("id1")),
        ("id1|ping\r\n", Ping("id1")),
        ("id1|ping|surplus||", Ping("id1")),
        ("id1|ping\r\nfoo: bar\r\n\r\nbody", Ping("id1")),
        ("|ping", Ping("")),
        ("a b\nc|ping", Ping("a b\nc")),
        ("\xff\xfe\x00|ping", Ping("\xff\xfe\x00")),
        ("id1|authenticate|cymru", Authenticate("id1", "cymru", "")),
        ("id1|authenticate|cymru|", Authenticate("id1", "cymru", "")),
        ("id1|authenticate|cymru|a,b|surplus", Authenticate("id1", "cymru", "a,b")),
        ("id1|authenticate|", Authenticate("id1", "", "")),
        ("id1|authenticate| cymru ", Authenticate("id1", " cymru ", "")),
        ("id1|route|invite", Route("id1", "invite")),
        ("id1|route|invite|register", Route("id1", "invite")),
        ("id1|route|", Route("id1", "")),
        ("id1|route|cdr:start\r\n", Route("id1", "cdr:start")),
        ("id1|remove_route|invite|x", RemoveRoute("id1", "invite")),
        (f"id1|sip|t\r\n{SIP}", Sip("id1", "t", "", "", SIP)),
        (f"id1|sip|t|\r\n{SIP}", Sip("id1", "t", "", "", SIP)),
        (f"id1|sip|t|d\r\n{SIP}", Sip("id1", "t", "d", "", SIP)),
        (f"id1|sip||d|r\r\n{SIP}", Sip("id1", "", "d", "r", SIP)),
        (f"id1|sip|t|d|r|surplus|\r\n{SIP}", Sip("id1", "t", "d", "r", SIP)),
        ("id1|sip|t", Sip("id1", "t", "", "", "")),
        ("id1|sip|t|d;from-tag=x\n\r\nA", Sip("id1", "t", "d;from-tag=x\n", "", "A")),
        ("id1|proxy|t|||||s|u|d1|d2\r\nX", Proxy("id1", "t", ("", "", "", "", "s", "u", "d1", "d2"), "X")),
        ("id1|proxy|t||||||", Proxy("id1", "t", ("", "", "", "", "", ""), "")),
    ],
)
def test_messages(payload: str, message: ClientMessage) -> None:
    assert parse_request(payload) == message


@pytest.mark.parametrize(
    ("payload", "message_id", "text"),
    [
        ("", "", "Invalid message format"),
        ("id1", "id1", "Invalid message format"),
        ("hello world\r\na|b", "hello world", "Invalid message format"),
        ("id1|authenticate", "id1", "Invalid message format"),
        ("id1|authenticate\r\ncymru|x", "id1", "Invalid message format"),
        ("id1|route", "id1", "Invalid message format"),
        ("id1|remove_route", "id1", "Invalid message format"),
        ("id1|sip", "id1", "Invalid message format"),
        ("id1|proxy", "id1", "Invalid proxy request: not enough information provided"),
        ("id1|proxy|x", "id1", "Invalid proxy request: not enough information provided"),
        ("id1|proxy|x|||||", "id1", "Invalid proxy request: not enough information provided"),
        ("id1|", "id1", "Unknown message type"),
        ("id1|PING", "id1", "Unknown message type"),
        ("id1| ping", "id1", "Unknown message type"),
        ("id1|ping ", "id1", "Unknown message type"),
        ("id1|ping\nfoo", "id1", "Unknown message type"),
        ("id1|ping\rfoo", "id1", "Unknown message type"),
        ("id1|response|x|OK", "id1", "Unknown message type"),
        ("id1|Authenticate|x", "id1", "Unknown message type"),
        ("|x", "", "Unknown message type"),
    ],
)
def test_errors(payload: str, message_id: str, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(payload)
    assert caught.value.message_id == message_id
    assert caught.value.text == str(caught.value) == text


@pytest.mark.parametrize(
    ("payload", "is_authenticate"),
    [("id1|authenticate", True), ("id1|route", False), ("id1|sip", False), ("id1", False), ("id1|x", False)],
)
def test_only_a_broken_authenticate_counts_as_one(payload: str, is_authenticate: bool) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(payload)
    assert caught.value.is_authenticate is is_authenticate


verbs = st.sampled_from(["ping", "route", "remove_route", "sip", "authenticate", "proxy", "PING", ""])
tokens = st.text(st.characters(max_codepoint=255, exclude_characters="|"), max_size=6)


@given(tokens, verbs, st.lists(tokens, max_size=10), st.text(st.characters(max_codepoint=255), max_size=20))
def test_any_payload_is_a_message_or_an_error_with_its_id(
    message_id: str, verb: str, rest: list[str], sip: str
) -> None:
    payload = "|".join([message_id, verb, *rest]) + "\r\n" + sip
    message: ClientMessage | RequestError
    try:
        message = parse_request(payload)
    except RequestError as error:
        message = error
    assert message.message_id == message_id.partition("\r\n")[0]
    if isinstance(message, Sip):
        assert message.text == payload.partition("\r\n")[2]
