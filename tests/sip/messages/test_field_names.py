"""Spellings of field names: what they mean, and that what was read before changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.field_names import NAMES, field_name, field_named
from reference_server.sip.messages.message import Request, SipSyntaxError, parse_message


@pytest.mark.parametrize(
    ("written", "long", "spelling"),
    [
        ("From", "from", "From"),
        ("CALL_ID", "call_id", "Call-ID"),
        ("f", "from", "From"),
        ("R ", "refer-to", "Refer-To"),
        ("y", "identity", "Identity"),
        ("v", "via", ""),
        ("Via", "via", ""),
        ("l ", "content-length", ""),
        ("x-any\t", "x-any", "x-any"),
        ("p-any", "p-any", "P-Any"),
        ("not a token", "not a token", ""),
        ("", "", ""),
    ],
)
def test_what_a_spelling_means(written: str, long: str, spelling: str) -> None:
    name = field_named(written)
    assert (name.long, name.spelling) == (long, spelling)
    assert field_name(written) == long
    assert field_named(written) is name


LINES = st.lists(
    st.sampled_from(
        [
            "From: <sip:a@h>;tag=1",
            "From: <sip:b@h>;tag=2",
            "from: <sip:b@h>",
            "f: <sip:c@h>",
            "From:<sip:a@h>;tag=4",
            "From :  <sip:a@h>;tag=5 ",
            "FromX: 1",
            "Fro: 1",
            "To: <sip:a@h>;tag=9",
            "Call-ID: x: y",
            "Call-ID: ",
            "CSeq: 1 INVITE",
            "CSeq: 7\tINVITE ",
            "CSeq: 7 \t  INVITE",
            "CSeq: 7\x85INVITE",
            "Content-Length:   3",
            "l: 2",
            "Contact: <sip:a@localhost>, <sip:b@h>",
            "Allow: BYE",
            "Allow: ACK",
            "X-a: 1",
            "X-a",
            " folded: x",
            "\tfolded",
            ": x",
            "",
            "X-b: a\nX-c: b",
            "X-b: a\rX-c: b",
            "X-b: a: \nX-c: b",
            "X-b: \0",
        ]
    ),
    max_size=9,
)
FORGET = st.booleans()


@given(st.lists(st.tuples(FORGET, LINES), min_size=1, max_size=4))
@example([(True, ["From: <sip:a@h>;tag=1"]), (False, ["From: <sip:a@h>;tag=1"])])
@example([(True, ["CSeq: 7\x85INVITE"]), (False, ["CSeq: 7\x85INVITE"])])
def test_messages_read_before_change_nothing(messages: list[tuple[bool, list[str]]]) -> None:
    texts = ["\r\n".join(["INVITE sip:a@h SIP/2.0", *lines, "", "body"]) for _, lines in messages]
    seen: list[object] = []
    for (forget, _), text in zip(messages, texts, strict=True):
        if forget:
            NAMES.forget()
        seen.append(_all_of_message(text))
    afresh: list[object] = []
    for text in texts:
        NAMES.forget()  # so that each name is new, and each line is read with care
        afresh.append(_all_of_message(text))
    assert seen == afresh


@given(st.lists(st.tuples(FORGET, LINES), min_size=1, max_size=4))
def test_drafts_read_before_change_nothing(drafts: list[tuple[bool, list[str]]]) -> None:
    texts = ["\r\n".join(["SIP/2.0 200 OK", *lines, "", "body"]) for _, lines in drafts]
    seen: list[object] = []
    for (forget, _), text in zip(drafts, texts, strict=True):
        if forget:
            NAMES.forget()
        seen.append(_all_of_draft(text))
    afresh: list[object] = []
    for text in texts:
        NAMES.forget()
        afresh.append(_all_of_draft(text))
    assert seen == afresh


def _all_of_message(text: str) -> object:
    try:
        message = parse_message(text)
    except SipSyntaxError as error:
        return str(error)
    assert isinstance(message, Request)
    shared = message.text, message.lines, message.first, message.repeats, message.body, message.malformed
    return *shared, message.fields, message.cseq_number, message.cseq_method, message.from_tag, message.to_tag


def _all_of_draft(text: str) -> object:
    draft = parse_draft(text, "127.0.0.1:5060")
    invalid = {header.name: value for header, value in draft.invalid.items()}
    return draft.start_line, draft.body, invalid, draft.lines(), draft.take_identity(), draft.take("to")
