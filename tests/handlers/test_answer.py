"""What callbacks answer: each row of the recorded matrix, and what is read besides."""

from __future__ import annotations

import json

import pytest

from reference_server.core.decisions import Forward, Place, Reject, ToListening, ToTagged
from reference_server.core.methods import INVITE, REGISTER
from reference_server.handlers.answer import LIMIT, AnswerError, place_of, read_answer
from reference_server.handlers.phrases import PHRASES


def decided(action: str, data: object) -> object:
    return read_answer(json.dumps({"action": action, "data": data}).encode(), INVITE).decision


def refused(action: str, data: object) -> str:
    """The phrase of the 500."""
    with pytest.raises(AnswerError, match=r"expected .*, got .*") as raised:
        decided(action, data)
    return raised.value.reason


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        ({"status": 486}, 486, "Busy Here"),
        ({"status": 486, "reason": "Way Too Busy"}, 486, "Way Too Busy"),
        ({"status": 499}, 499, ""),
        ({"status": 499, "reason": ""}, 499, ""),
        ({"status": 302}, 302, "Moved Temporarily"),
        ({"status": 699}, 699, ""),
        ({"status": 503, "reason": 5}, 503, "Service Unavailable"),
        ({"status": 503, "reason": None}, 503, "Service Unavailable"),
        ({"status": 486, "reason": "a\r\nX-Inj: 1"}, 486, "a"),
        ({"status": 486, "reason": "déjà"}, 486, "dÃ©jÃ\xa0"),
        ({"status": 481}, 481, "Call Leg/Transaction Does Not Exist"),
        ({"status": 500}, 500, "Server Internal Error"),
        ({"status": 504}, 504, "Server Timeout"),
        ({"status": 440}, 440, ""),
        ({"status": 608}, 608, ""),
    ],
)
def test_reject(data: object, status: int, reason: str) -> None:
    assert decided("reject", data) == Reject(status=status, reason=reason)


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        ({}, "Server Internal Error"),
        ({"status": "486"}, "Server Internal Error"),
        ({"status": None}, "Server Internal Error"),
        ({"status": True}, "Server Internal Error"),
        ({"status": 486.7}, "Internal Server Error"),
        *(({"status": status}, "Internal Server Error") for status in (-5, 0, 99, 100, 180, 200, 700, 1000)),
    ],
)
def test_no_rejection(data: object, phrase: str) -> None:
    assert refused("reject", data) == phrase


def test_a_2xx_only_where_it_makes_no_dialog() -> None:
    body = b'{"action":"reject","data":{"status":200}}'
    assert read_answer(body, REGISTER).decision == Reject(status=200, reason="OK")
    with pytest.raises(AnswerError, match="a final status from 300 to 699 for INVITE, got 200"):
        read_answer(body, INVITE)


def test_a_rejection_with_contacts() -> None:
    decision = decided("reject", {"status": 301, "contacts": ["sip:a@b"]})
    assert decision == Reject(status=301, reason="Moved Permanently", contacts=("<sip:a@b>",))


RECORDED_PHRASES = {
    302: "Moved Temporarily",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
    409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Conditional Request Failed",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme", 417: "Unknown Resource-Priority", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 424: "Bad Location Information",
    428: "Use Identity Header", 429: "Provide Referrer Identity", 430: "Flow Failed", 433: "Anonymity Disallowed",
    436: "Bad Identity-Info", 437: "Unsupported Certificate", 438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support", 440: "", 469: "", 470: "Consent Needed",
    480: "Temporarily Unavailable", 481: "Call Leg/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 493: "Undecipherable",
    494: "Security Agreement Required", 499: "",
    500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Timeout", 505: "Version Not Supported", 513: "Message Too Large", 555: "", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "", 608: "",
    699: "",
}  # fmt: skip
"""What the genuine server says to an INVITE for each status without a reason: recorded one by one."""


@pytest.mark.parametrize(("status", "phrase"), RECORDED_PHRASES.items())
def test_the_phrase_of_a_status_without_a_reason(status: int, phrase: str) -> None:
    assert decided("reject", {"status": status}) == Reject(status=status, reason=phrase)


def test_every_phrase_that_a_callback_can_bring_about_is_recorded_or_known() -> None:
    unrecorded = {status: phrase for status, phrase in PHRASES.items() if status not in RECORDED_PHRASES}
    assert unrecorded == {
        200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices", 301: "Moved Permanently",
        305: "Use Proxy", 380: "Alternative Service",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("contact", "lines"),
    [
        ("sip:foo@bar.com", ["<sip:foo@bar.com>"]),
        (["sip:foo@bar.com"], ["<sip:foo@bar.com>"]),
        (["sip:a@b.com", "<sip:c@d.com>;q=0.5"], ["<sip:a@b.com>", "<sip:c@d.com>;q=0.5"]),
        ("sip:a@b.com;q=0.5", ["<sip:a@b.com>;q=0.5"]),
        ([], []),
        ("tel:+1555", ["<tel:+1555>"]),
        ("sip:a@b.com, sip:c@d.com", ["<sip:a@b.com>", "<sip:c@d.com>"]),
        ('"Bob, Smith" <sip:b@c>', ['"Bob, Smith" <sip:b@c>']),
    ],
)
def test_redirect(contact: object, lines: list[str]) -> None:
    assert decided("redirect", {"contact": contact}) == Reject(
        status=302, reason="Moved", contacts=tuple(lines)
    )


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        ({}, "Server Internal Error"),
        ({"contact": 5}, "Server Internal Error"),
        ({"contact": [5]}, "Server Internal Error"),
        ({"contact": ""}, "Internal Server Error"),
        ({"contact": "not a uri"}, "Internal Server Error"),
        ({"contact": '"a\r\nX-Inj: 1" <sip:a@b>'}, "Internal Server Error"),
    ],
)
def test_no_redirection(data: object, phrase: str) -> None:
    assert refused("redirect", data) == phrase


def test_proxy() -> None:
    assert decided("proxy", {"destination": "sip:a@b"}) == Forward(
        destinations=("sip:a@b",), provisional_timeout=5.0
    )
    assert decided(
        "proxy",
        {
            "destination": ["sip:a@b", "sip:c@d"],
            "recordRoute": True,
            "followRedirects": False,
            "simultaneous": True,
            "provisionalTimeout": "500ms",
            "finalTimeout": "2s",
        },
    ) == Forward(
        destinations=("sip:a@b", "sip:c@d"),
        record_route=True,
        follow_redirects=False,
        simultaneous=True,
        provisional_timeout=0.5,
        final_timeout=2.0,
    )


def test_a_wrong_option_counts_as_not_given_and_is_remarked() -> None:
    data = {"destination": "sip:a@b", "recordRoute": "true", "provisionalTimeout": 1, "finalTimeout": "x"}
    answer = read_answer(json.dumps({"action": "proxy", "data": data}).encode(), INVITE)
    assert answer.decision == Forward(destinations=("sip:a@b",), provisional_timeout=5.0)
    assert [remark.split('"')[1] for remark in answer.remarks] == [
        "recordRoute",
        "provisionalTimeout",
        "finalTimeout",
    ]


@pytest.mark.parametrize(
    ("destination", "phrase"),
    [
        (None, "Internal Server Error"),
        ([], "Internal Server Error"),
        (5, "Internal Server Error"),
        ("", "Internal Server Error"),
        (["sip:a@b", 5], "Server Internal Error"),
    ],
)
def test_no_destination(destination: object, phrase: str) -> None:
    assert refused("proxy", {"destination": destination}) == phrase


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("127.0.0.1:21599", Place(host="127.0.0.1", port=21599)),
        ("127.0.0.1:21599;transport=tls", Place(host="127.0.0.1", port=21599, secure=True)),
        ("127.0.0.1:21599;transport=TLS", Place(host="127.0.0.1", port=21599, secure=True)),
        ("127.0.0.1:21599;transport=tcp", Place(host="127.0.0.1", port=21599)),
        ("127.0.0.1:21599;foo=bar", Place(host="127.0.0.1", port=21599)),
        ("127.0.0.1:21599/", Place(host="127.0.0.1", port=21599)),
        ("app.example.com:4000", Place(host="app.example.com", port=4000)),
        ("[::1]:4000;transport=tls", Place(host="::1", port=4000, secure=True)),
    ],
)
def test_route_to_a_uri(uri: str, place: Place) -> None:
    assert decided("route", {"uri": uri, "tag": "blue"}) == ToListening(places=(place,))


def test_route_to_several() -> None:
    assert decided("route", {"uri": ["a:1", "b:2"]}) == ToListening(
        places=(Place(host="a", port=1), Place(host="b", port=2))
    )


def test_route_to_a_tag() -> None:
    assert decided("route", {"tag": "blue"}) == ToTagged(tag="blue")


@pytest.mark.parametrize(
    "data",
    [
        {}, {"uri": 5}, {"url": "127.0.0.1:1"}, {"tag": 5}, {"uri": ""}, {"uri": "127.0.0.1"}, {"uri": "[::1]"},
        {"uri": "sip:127.0.0.1:1"}, {"uri": "tcp://127.0.0.1:1"}, {"uri": "uri:127.0.0.1:1"}, {"uri": "h:0"},
        {"uri": "h:65536"}, {"uri": "h:123456"}, {"uri": []}, {"uri": [5]},
    ],
)  # fmt: skip
def test_no_route(data: object) -> None:
    assert refused("route", data) == "Server Internal Error"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"hello", b"[]", b'"text"', b'{"data": {}}', b'{"action": "reject"}',
        b'{"action": "reject", "data": "x"}', b'{"action": 5, "data": {}}', b'{"action": "x", "data": {}}',
        b'{"action": "REJECT", "data": {"status": 486}}', b'{"action": "reject", "data": {"status": 486}} x',
        b'/* c */ {"action": "reject", "data": {"status": 486}}',
        b'\xef\xbb\xbf{"action": "reject", "data": {"status": 486}}', b'{"action": "reject", "data": []}',
        b'{"reject": "data": {"status": 503}}', b"[" * 100_000, b'{"action": "\xff"}', b"5", b"null",
        b'{"reject": {}, "proxy": {}}',
    ],
)  # fmt: skip
def test_no_answer(body: bytes) -> None:
    with pytest.raises(AnswerError) as raised:
        read_answer(body, INVITE)
    assert raised.value.reason == "Server Internal Error"
    assert len(raised.value.came) < 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"action": "reject", "data": {"status": 404}}\n',
        b'{"action": "reject", "data": {"status": 486, "status": 404}}',
        b'{"action": "reject", "data": {"status": 404}, "more": 1}',
    ],
)
def test_what_else_stands_in_it(body: bytes) -> None:
    answer = read_answer(body, INVITE)
    assert (answer.decision, answer.remarks) == (Reject(status=404, reason="Not Found"), ())


@pytest.mark.parametrize(
    "body",
    [
        b'{"reject": {"status": 503, "reason": "Max Calls Exceeded"}}',
        b'{"reject": {"data": {"status": 503, "reason": "Max Calls Exceeded"}}}',
        b'{"reject": null, "data": {"status": 503, "reason": "Max Calls Exceeded"}}',
    ],
)
def test_the_shape_of_the_document(body: bytes) -> None:
    answer = read_answer(body, INVITE)
    assert answer.decision == Reject(status=503, reason="Max Calls Exceeded")
    assert answer.action == "reject"
    assert len(answer.remarks) == 1


def test_the_contacts_of_the_document() -> None:
    answer = read_answer(b'{"redirect": {"contacts": ["sip:foo@bar.com"]}}', INVITE)
    assert answer.decision == Reject(status=302, reason="Moved", contacts=("<sip:foo@bar.com>",))
    assert len(answer.remarks) == 2


def test_the_limit() -> None:
    body = b'{"action": "reject", "data": {"status": 486}}'
    assert read_answer(body.ljust(LIMIT), INVITE).action == "reject"
    with pytest.raises(AnswerError, match="at most"):
        read_answer(body.ljust(LIMIT + 1), INVITE)


def test_a_place_as_a_text() -> None:
    assert str(place_of("[::1]:4000;transport=tls")) == "tls/[::1]:4000"
    assert str(place_of("a.example:4000")) == "tcp/a.example:4000"
    assert str(place_of("a.example;transport=tls")) == "tls/a.example"
