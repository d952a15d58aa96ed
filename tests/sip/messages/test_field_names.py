"""Spellings of field names: what they mean, and that what stood next to them before changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.sip.messages import field_names
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.field_names import field_name, field_named, recognised
from reference_server.sip.messages.message import Request, SipSyntaxError, parse_message


@pytest.mark.parametrize(
    ("written", "long", "spelling"),
    [
        ("From", "from", "From"),
        ("CALL_ID", "call_id", "Call-ID"),
        ("f", "from", "F"),
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
    assert recognised(f"{written}: value") is name


@pytest.mark.parametrize("line", ["", "From", "From:x", "From:\tx", "Never-Seen-Before: x", " From: x"])
def test_a_line_that_is_not_recognised(line: str) -> None:
    field_named("From")
    assert recognised(line) is None


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
            field_names._NAMES.clear()
        seen.append(_all_of_message(text))
    afresh: list[object] = []
    for text in texts:
        field_names._NAMES.clear()  # so that each name is new, and each line is read with care
        afresh.append(_all_of_message(text))
    assert seen == afresh


@given(st.lists(st.tuples(FORGET, LINES), min_size=1, max_size=4))
def test_drafts_read_before_change_nothing(drafts: list[tuple[bool, list[str]]]) -> None:
    texts = ["\r\n".join(["SIP/2.0 200 OK", *lines, "", "body"]) for _, lines in drafts]
    seen: list[object] = []
    for (forget, _), text in zip(drafts, texts, strict=True):
        if forget:
            field_names._NAMES.clear()
        seen.append(_all_of_draft(text))
    afresh: list[object] = []
    for text in texts:
        field_names._NAMES.clear()
        afresh.append(_all_of_draft(text))
    assert seen == afresh


def test_names_that_are_forgotten_are_nobodys_neighbours() -> None:
    """Each message has new lines before those of all generations of names, which would hold each other for ever."""
    lines: list[str] = []
    for generation in range(5):
        number = 0
        while (
            len(field_names._NAMES) != 1 or not number
        ):  # until those of the generation before are forgotten
            number += 1
            field_named(f"X-{generation}-{number}")
        lines = [f"Y-{generation}-{number}: 1" for number in range(300)] + lines
        for line in lines[:300]:
            field_named(line.partition(":")[0])
        parse_message("\r\n".join(["OPTIONS sip:a@h SIP/2.0", *lines, "", ""]))
    known, reached = [field_names.START, field_names.END], set[field_names.FieldName]()
    while known:
        name = known.pop()
        if name not in reached:
            reached.add(name)
            known += (name.before, name.before_else, name.behind)
    assert len(reached) <= 2 + field_names._KEPT


def _all_of_message(text: str) -> object:
    try:
        message = parse_message(text)
    except SipSyntaxError as error:
        return str(error)
    assert isinstance(message, Request)
    shared = message.text, message.lines, message.first, message.repeats, message.body, message.malformed
    return *shared, message.fields, message.cseq_number, message.cseq_method, message.from_tag, message.to_tag


def _all_of_draft(text: str) -> object:
    draft = Draft(text, "127.0.0.1:5060")
    invalid = {header.name: value for header, value in draft.invalid.items()}
    return draft.start_line, draft.body, invalid, draft.lines(), draft.take_identity(), draft.take("to")


def test_long_names_are_not_kept_beside_others() -> None:
    """What strangers make up without end must not stay in memory by hanging on what is kept."""
    lines = "".join(f"X-{number:070d}: value\r\n" for number in range(300))
    Draft(f"SIP/2.0 200 OK\r\nSubject: beginning\r\n{lines}\r\n", "127.0.0.1:5060")
    name, seen = field_names.START, 0
    while name.behind is not field_names.START and seen < 10:
        name, seen = name.behind, seen + 1
        assert len(name.written) <= field_names.LONGEST_KEPT
    assert seen
