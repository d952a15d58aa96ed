"""What an SDK author met who had nothing but the specification: each finding, and what keeps it mended.

The findings of the text and of the tools have their numbers, those of the structure a word. References are written as
in test_faults.py.
"""

from __future__ import annotations

import re

import pytest

from tests.test_faults import ROOT, is_there

REPORT = ROOT.parent / "shared" / "findings" / "specification.md"
CLAUSE = "docs/protocol.md: ### "
SHELL = "tests/conformance/cli/test_shell.py::test_"
OUT, CROSSING, ANSWERS = "case:out/order_and_ids/", "case:dialog/crossing/", "case:dialog/answers_and_tokens/"

TEXT = {
    "1": (
        f"{CLAUSE}APP-3 · A frame is pending until its last answer",
        "docs/protocol.md: that `proxy` with `fullResponse` has several",
    ),
    "2": (
        "docs/protocol.md: Nothing else that the server sends by itself is shown: no refresh (TIMER-3), no ACK",
    ),
    "3": (
        "docs/protocol.md: it; token 3 is ignored then.",
        f"{CROSSING}cancelled-by-its-dialog",
    ),
    "4": (
        "docs/protocol.md: round robin for each kind (ROUTE-5)",
        "docs/protocol.md: with it is refused as in RSP-18",
    ),
    "5": (
        "docs/protocol.md: nothing else, everything up to the end of the frame is the body",
        "case:response/headers/lone-line-feeds",
    ),
    "6": (
        "docs/protocol.md: C: 89#id1|proxy|",
        f"{CLAUSE}FRAME-12 · Answers are matched by message id, not by order",
    ),
    "7": (
        "docs/protocol.md: connection or fits into no datagram has the answer of DLG-5 and its real length",
    ),
    "8": (
        "docs/protocol.md: it once. There is no dialog then",
        f"{CROSSING}ack-for-nothing",
    ),
    "9": (f"{CLAUSE}FRAME-26 · The echo comes before any response", f"{OUT}echo-first"),
    "10": (
        "docs/protocol.md: and the route set. Token 2 and those behind token 3 are ignored",
        f"{ANSWERS}transaction-id-beside",
    ),
    "11": (
        "docs/protocol.md: Behind a failure of a first INVITE, or of a SUBSCRIBE, that id leads",
        "case:response/echo/failure-of-invite",
    ),
    "12": (
        f"{CLAUSE}APP-16 · Forget a dialog when it is over",
        f"{CLAUSE}APP-17 · Keep time for subscriptions",
    ),
    "13": (
        f"{CLAUSE}CALL-18 · The application is told of a 504 in its place",
        "case:call/timeouts/invite-unanswered",
    ),
    "14": (f"{CLAUSE}OUT-22 · A 2xx that the application never acknowledges", f"{OUT}never-acknowledged"),
    "15": (
        f"{CLAUSE}DLG-22 · Provisional responses and refusals of a re-INVITE",
        f"{ANSWERS}challenged",
        f"{CROSSING}second-invite",
    ),
    "16": (
        "docs/protocol.md: becomes its owner, even if that frame is answered `NOK`",
        f"{ANSWERS}adopted-by-a-refused-frame",
    ),
    "17": (
        "docs/protocol.md: a CSeq header",
        f"{OUT}same-number-again",
        f"{OUT}two-with-one-id",
    ),
    "18": (f"{CLAUSE}APP-5 · A failure's text is the rest of the line", f"{OUT}bar-in-a-text"),
    "19": (
        f"{OUT}no-message",
        f"{ANSWERS}method-before-dialog",
        "case:subscription/as_notifier/no-time-in-the-answer",
    ),
    "20": (
        f"{OUT}ack-outside",
        f"{OUT}bye-outside",
        f"{OUT}cancel-outside",
    ),
    "21": (
        f"{CLAUSE}CONN-8 · Applications may connect by TLS",
        f"{CLAUSE}OUTB-1 · The application speaks first",
    ),
    "22": (
        f"{CLAUSE}APP-25 · Ping a connection that is silent",
        f"{CLAUSE}FRAME-25 · Unknown tokens and frame types are ignored",
    ),
}

STRUCTURE = {
    "the application's half": (
        f"{CLAUSE}APP-28 · Read at all times",
        f"{CLAUSE}APP-27 · @localhost stands for the server's address",
    ),
    "titles": ("tests/protocol_book/test_site.py::test_the_search_finds_clauses_by_id_and_title",),
    "how to answer a call": (
        "docs/guides/how-to/answer.md: # Answer a call",
        "tests/protocol_book/test_site.py::test_arrows_of_ladders_are_links_to_clauses",
    ),
    "drawings": (
        "tests/machine_diagrams/test_diagrams.py::test_each_state_and_event_is_drawn_and_each_event_explained",
    ),
    "one name for each token": ("tests/vectors/test_vectors.py::test_the_trace_tool_names_the_tokens",),
}

TOOLS = {
    "1": (f"{CROSSING}cancelled-by-its-dialog",),
    "2": (
        f"{CROSSING}ack-for-nothing",
        "docs/deviations.md: DEV-129",
    ),
    "3": (
        f"{CLAUSE}FRAME-27 · A frame that stays incomplete is named",
        "case:framing/limits/incomplete-for-60-seconds",
    ),
    "4": (
        "tests/observe/test_lint.py::test_a_server_that_lints",
        "tests/observe/test_lint.py::test_a_strict_server",
    ),
    "5": (
        "docs/guides/rules.md: nobody-routed",
        "tests/observe/test_lint.py::test_what_events_tell",
    ),
    "6": (
        f"{SHELL}a_request_of_ones_own_is_cancelled_by_its_transaction_id",
        f"{SHELL}a_wrong_secret_is_the_status_and_says_what_to_do",
        f"{SHELL}secrets_are_as_long_as_they_are",
    ),
    "7": (
        "tests/conformance/cli/test_call_command.py::test_a_closed_udp_port_is_told_at_once",
        "tests/conformance/cli/test_call_command.py::test_a_request_that_makes_no_sense_alone_is_refused",
    ),
    "8": (
        "tests/observe/test_frames.py::test_what_the_log_has_shown_is_not_shown_again",
        "tests/test_cli.py::test_each_message_is_shown_once",
    ),
    "9": (
        "README.md: `drachtio-load list`, `… run`, `… callee`",
        "tests/load/test_callee.py::test_there_is_no_such_callee",
    ),
    "10": (
        "tests/vectors/test_vectors.py::test_canonical_is_what_a_writer_makes_of_the_tokens",
        "tests/vectors/test_vectors.py::test_every_kind_of_frame_has_a_vector",
        "tests/vectors/test_sessions.py::test_every_answer_belongs_to_a_frame_that_waits_for_one",
    ),
    "11": (
        "docs/configuration.md: --ringing-timeout SECONDS",
        "docs/configuration.md: --timer-c SECONDS",
    ),
}


@pytest.mark.parametrize(
    ("part", "finding"),
    [
        (name, finding)
        for name, part in (("text", TEXT), ("structure", STRUCTURE), ("tools", TOOLS))
        for finding in part
    ],
)
def test_each_finding_is_mended_somewhere(part: str, finding: str) -> None:
    places = {"text": TEXT, "structure": STRUCTURE, "tools": TOOLS}[part][finding]
    assert [place for place in places if not is_there(place)] == []
    assert places


@pytest.mark.skipif(not REPORT.is_file(), reason="the report is not part of the repository")
def test_no_finding_is_left_out() -> None:
    text, _, tools = REPORT.read_text("utf-8").partition("## Server and tools")
    assert set(re.findall(r"^(\d+)\. ", text, re.MULTILINE)) == set(TEXT)
    assert set(re.findall(r"^(\d+)\. ", tools, re.MULTILINE)) == set(TOOLS)
