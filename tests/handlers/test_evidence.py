"""What was recorded of the genuine server's request handlers, row by row: each row comes out here as it did there, or
has its deviation; the rows that take sockets or time name the case or test that plays them.

The recordings lie beside the project, not in it; without them there is nothing to compare.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reference_server.core.decisions import Reject, ToListening, ToTagged
from reference_server.core.methods import method_named
from reference_server.handlers.answer import AnswerError, read_answer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EVIDENCE = HERE.parents[2] / "shared" / "evidence"

_MATRIX = EVIDENCE / "http-json-matrix.txt"
_ROW = re.compile(r"(?P<what>.+?) +-> (?P<seen>\[.*?\])(?: (?P<contacts>\[.*\]))? ?(?:\[\] ?)?$")
_ACTION = re.compile(r"(?P<action>reject|redirect|route) (?P<data>\{.*\})")
_PHRASE = re.compile(r"reject (?P<status>[0-9]{3}) default reason")
_TEXT = re.compile(r"'(?P<text>[^']*)'")

DEVIATIONS = {
    'reject {"status": 99}': "DEV-173",
    'reject {"status": 100}': "DEV-173",
    'reject {"status": 180}': "DEV-173",
    'reject {"status": 200}': "DEV-173",
    'reject {"status": -5}': "DEV-173",
    'redirect {"contacts": ["sip:foo@bar.com"]}': "DEV-177",
    'route {"uri": "127.0.0.1"}': "DEV-175",
    'route {"uri": "garbage"}': "DEV-175",
    'route {"uri": ""}': "DEV-175",
}
"""Rows that come out otherwise on purpose."""


def _rows(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _answers() -> list[tuple[str, bytes, str, list[str]]]:
    """Of each row with an action or a status: itself, the answer, the last response, the Contacts."""
    found: list[tuple[str, bytes, str, list[str]]] = []
    for row in _rows(_MATRIX):
        match = _ROW.match(row)
        if match is None:
            continue
        what = match["what"]
        final = _TEXT.findall(match["seen"])[-1].removeprefix("SIP/2.0 ")
        contacts = [text.removeprefix("Contact: ") for text in _TEXT.findall(match["contacts"] or "")]
        if action := _ACTION.fullmatch(what):
            body = f'{{"action": "{action["action"]}", "data": {action["data"]}}}'
        elif phrase := _PHRASE.fullmatch(what):
            body = f'{{"action": "reject", "data": {{"status": {phrase["status"]}}}}}'
        else:
            continue
        found.append((what, body.encode(), final, contacts))
    return found


ANSWERS = _answers()


def _outcome(body: bytes) -> tuple[str, list[str]]:
    """What the caller of an INVITE would hear, and the Contacts in it."""
    try:
        decision = read_answer(body, method_named("INVITE")).decision
    except AnswerError as error:
        return f"500 {error.reason}", []
    if isinstance(decision, Reject):
        return f"{decision.status} {decision.reason}".encode("latin-1").decode(), list(decision.contacts)
    assert isinstance(decision, ToListening | ToTagged)
    return (
        "480 Temporarily Unavailable",
        [],
    )  # nobody listens there, nobody has the tag: outbound/, http/carried_out


@pytest.mark.skipif(not ANSWERS, reason="the recordings are not here")
def test_all_answers_are_read() -> None:
    assert len(ANSWERS) > 100


@pytest.mark.parametrize(("what", "body", "final", "contacts"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_an_answer_comes_out_as_it_did(what: str, body: bytes, final: str, contacts: list[str]) -> None:
    same = _outcome(body) == (final, contacts)
    assert same == (what not in DEVIATIONS), (_outcome(body), final, contacts)


_NOBODY_THERE = "tests/handlers/test_http_handler.py::test_a_refused_connection_and_a_name_that_leads_nowhere"
_ASKED_ABOUT_BY_NOBODY = (
    "tests/handlers/test_http_handler.py::test_requests_that_are_offered_to_nobody_are_not_asked_about"
)
SHOWN_BY = {
    "http-json-matrix.txt": {
        "body: seed style": "tests/handlers/test_answer.py::test_the_shape_of_the_document",
        "body:": "tests/handlers/test_answer.py::test_no_answer",
        "HTTP ": "tests/handlers/test_http_handler.py::test_whatever_the_status_the_body_counts",
        "text/plain": "http/answer/reason",
        "padding": "tests/handlers/test_answer.py::test_the_limit",
        "redirect REGISTER": "http/answer/redirect-register",
        "redirect ": "http/answer/redirect",
        "reject 486 ": "http/question/every-routable-method",
    },
    "http-query-variants.txt": {
        "## baseline": "http/question/of-an-invite",
        "## REGISTER": "http/question/every-routable-method",
        "## OPTIONS": "http/question/parameters-of-the-uri",
        "## MESSAGE": "http/question/as-it-was-written",
        "## SUBSCRIBE": "http/question/every-routable-method",
        "## NOTIFY": "http/question/every-routable-method",
        "## PUBLISH": "http/question/every-routable-method",
        "## INFO": "http/question/every-routable-method",
        "## REFER": "http/question/every-routable-method",
        "## UPDATE": _ASKED_ABOUT_BY_NOBODY,
        "## BYE": _ASKED_ABOUT_BY_NOBODY,
        "## CANCEL": _ASKED_ABOUT_BY_NOBODY,
        "## FOO": _ASKED_ABOUT_BY_NOBODY,
        "## reject 486": "http/answer/default-reason",
        "## ": "tests/handlers/test_question.py::test_as_recorded",
    },
    "http-requests.txt": {
        "##### GET handler": "tests/handlers/test_http_handler.py::test_the_question_by_get",
        "##### POST handler": "http/question/by-post",
    },
    "http-timeouts-and-url-forms.txt": {
        "## reply delayed": "http/carried_out/three-seconds",
        "## never replies": "tests/handlers/test_http_handler.py::test_three_seconds_and_no_more",
        "## server closes": "http/carried_out/closed",
        "## partial body": "http/carried_out/half-an-answer",
        "## garbage reply": "http/answer/no-http",
        "## connection refused": _NOBODY_THERE,
        "## unresolvable": _NOBODY_THERE,
        "## ipv6 literal url": "tests/config/test_handler_url.py::test_a_url",
        "## url garbage": "tests/config/test_handler_url.py::test_what_is_none",
        "## empty url": "tests/config/test_handler_url.py::test_what_is_none",
        "## ftp": "tests/config/test_handler_url.py::test_what_is_none",
        "## tcp connect hangs": (
            "tests/handlers/test_http_handler.py::test_a_callback_that_does_not_take_the_connection"
        ),
        "## url form 'http://user": (
            "tests/handlers/test_http_handler.py::test_user_and_password_go_to_the_callback_and_nowhere_else"
        ),
        "## url form '  http": "tests/config/test_handler_url.py::test_a_url",
        "## url form": "tests/handlers/test_question.py::test_the_path",
        "## long ruri": "http/question/nothing-is-cut",
        "## seq ": (
            "tests/handlers/test_http_handler.py::test_one_connection_for_questions_one_after_the_other"
        ),
        "## http 30": "tests/handlers/test_http_handler.py::test_redirections_are_followed",
        "## POST INVITE": "http/question/by-post",
        "## POST REGISTER": "http/question/by-post",
        "## POST large": "http/question/a-large-message-by-post",
        "## POST binary NUL": "http/question/a-body-with-a-nul-by-post",
        "## http-method PUT": (
            "tests/config/test_reading.py::test_a_method_that_is_neither_get_nor_post_is_an_error"
        ),
        "## http-method": "tests/config/test_reading.py::test_the_method_of_a_callback_in_any_letter_case",
        "## mixed": (
            "tests/handlers/test_http_handler.py::test_a_get_is_a_get_behind_a_post_on_one_connection"
        ),
        "## OPTIONS w/o handler": (
            "tests/handlers/test_http_handler.py::test_a_handler_wins_over_applications_for_its_method_only"
        ),
        "## INVITE goes to http": "http/question/before-applications",
    },
    "outbound-and-proxy.txt": {
        "1 POST then": "tests/handlers/test_http_handler.py::test_a_get_is_a_get_behind_a_post_on_one_connection",
        "empty handler url": "tests/config/test_handler_url.py::test_what_is_none",
        "outbound conn": "outbound/reached/handshake",
        "anything sent": "outbound/reached/handshake",
        "sip so far": "outbound/reached/handshake",
        "auth resp": "outbound/reached/handshake",
        "INVITE delivered": "outbound/reached/handshake",
        "header tokens": "outbound/reached/handshake",
        "api resp": "outbound/reached/handshake",
        "sip final": "outbound/reached/handshake",
        "second INVITE": "outbound/reached/one-for-each-request",
        "first conn": "outbound/reached/one-for-each-request",
        "wrong secret": "outbound/not_reached/wrong-secret",
        "sip after wrong": "outbound/not_reached/wrong-secret",
        "remote closes": "outbound/not_reached/leaves-at-once",
        "never auth": "outbound/not_reached/silent",
        "app closes": "outbound/not_reached/leaves-without-an-answer",
        "first connection still": "outbound/reached/like-any-other",
        "route on outbound": "outbound/reached/like-any-other",
        "uri nosuchhost": "outbound/not_reached/a-name-that-leads-nowhere",
        "uri localhost": "tests/admin/test_outbound.py::test_a_name_and_ipv6",
        "uri [::1]": "tests/admin/test_outbound.py::test_a_name_and_ipv6",
        "uri 127.0.0.1:21300;transport=TLS": (
            "tests/admin/test_outbound.py::test_over_tls_without_certificates_of_our_own"
        ),
        "uri ": "tests/handlers/test_answer.py::test_route_to_a_uri",
        "json transport=tls": "outbound/tls/answer-of-a-callback",
        "direct tls:// ": "outbound/tls/handler",
        "direct tcp:// ": "outbound/direct/delivered",
        "direct tcp://127.0.0.1:21399": "outbound/direct/refused",
        "direct tls://127.0.0.1:21399": "tests/admin/test_outbound.py::test_refused_everywhere_and_known_nowhere",
        "direct tcp://127.0.0.1 ": "tests/config/test_handler_url.py::test_what_is_none",
        "direct ": "tests/admin/test_outbound.py::test_a_direct_handler",
        "tag blue": "http/carried_out/to-a-tag",
        "tag green": "http/carried_out/to-a-tag",
        "tag purple": "http/carried_out/nobody-with-the-tag",
        "both tag and uri": "tests/handlers/test_answer.py::test_route_to_a_uri",
    },
}
"""By how a row of that file begins, the first that fits: the test, or the case of scenarios/, that plays it."""

_REMARKS = re.compile(
    r"$|#+ part|# JSON|!!!|===|stop |final rc|  |\[\]|log lines|[A-Z][A-Za-z-]+: |v=|o=|s=|c=|t=|m="
)
"""Lines of the files that are no rows of their own."""


_LOGGED = re.compile(
    r"http \d+ response received from server in \S+ secs: (?P<body>.*?)\n\d{4}-\d\d-\d\d "
    r".*?\nSIP/2\.0 (?P<final>[2-6]\d\d [^\n]*)",
    re.DOTALL,
)
_LOGGED_OTHERWISE = {
    '{"reject": {"data": {"status": 503}}}': "503 Service Unavailable",
    '{"action": "redirect", "data": {"contacts": ["sip:foo@bar.com"]}}': "302 Moved",
}
"""Answers of the log that are taken here as they were meant (HTTP-4, DEV-177)."""


def test_each_answer_of_the_log_comes_out_as_it_did() -> None:
    file = EVIDENCE / "http-handler-oracle.log"
    if not file.exists():
        pytest.skip("the recordings are not here")
    logged = [(match["body"], match["final"].strip()) for match in _LOGGED.finditer(file.read_text())]
    assert len(logged) > 50
    assert [
        (body, final)
        for body, final in logged
        if _outcome(body.encode())[0] != _LOGGED_OTHERWISE.get(body, final)
    ] == []


@pytest.mark.parametrize("name", SHOWN_BY)
def test_each_row_has_its_case(name: str) -> None:
    rows = _rows(EVIDENCE / name)
    if not rows:
        pytest.skip("the recordings are not here")
    if name != "outbound-and-proxy.txt" and name != "http-json-matrix.txt":
        rows = [row for row in rows if row.startswith("## ") or row.startswith("##### ")]
    without = [
        row[:80]
        for row in rows
        if not _REMARKS.match(row)
        and not any(row.startswith(begins) for begins in SHOWN_BY[name])
        and not (name == "http-json-matrix.txt" and (_ACTION.match(row) or _PHRASE.match(row)))
    ]
    assert without == []


@pytest.mark.parametrize("place", sorted({place for rows in SHOWN_BY.values() for place in rows.values()}))
def test_what_plays_it_is_there(place: str) -> None:
    file, _, name = place.partition("::")
    if name:
        assert f"def {name}(" in (ROOT / file).read_text()
    else:
        folder, case = place.rsplit("/", 1)
        assert f"  - id: {case}\n" in (ROOT / "scenarios" / f"{folder}.yaml").read_text()
