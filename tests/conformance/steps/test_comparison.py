"""Comparisons and their broken twins: whatever a comparison asserts, some twin breaks, and it notices each."""

from __future__ import annotations

import pytest

from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.steps.comparison import (
    SipExpectation,
    check_sip,
    check_tokens,
    sip_mutants,
    token_mutants,
)
from drachtio_conformance.steps.mutation import Mutation, MutationKind, rewrite_frame, rewrite_sip
from msgtrace import messages, sip
from msgtrace.frames import Frame, LengthUnit

RESPONSE = (
    "SIP/2.0 486 Busy Here\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKa\r\n"
    "Via: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKb\r\n"
    "From: <sip:a@h>;tag=1\r\n"
    "To: <sip:b@h>;tag=2\r\n"
    "CSeq: 1 INVITE\r\n"
    "X-Folded: one,\r\n two\r\n"
    "Content-Length: 4\r\n\r\n"
    "body"
)  # fmt: skip
WHOLE = (
    "SIP/2.0 486 *\n"
    "Via: SIP/2.0/UDP {host}:5070;branch={branch}\n"
    "Via: *\n"
    "From: <sip:a@h>;tag={from}\n"
    "To: *\n"
    "CSeq: 1 INVITE\n"
    "X-Folded: one,\n two\n"
    "Content-Length: {number}\n\n"
    "body"
).replace("486 *", "486 Busy Here")  # fmt: skip


def frame(payload: str) -> Frame:
    return Frame(0, len(payload), payload, tuple(LengthUnit))


@pytest.mark.parametrize(
    ("patterns", "tokens"),
    [
        (["*", "response", "{id}", "OK"], ["u", "response", "i", "OK"]),
        (["**"], ["u"]),
        (["*", "**"], ["u"]),
        (["a", ""], ["a", ""]),
    ],
)
def test_tokens_that_fit(patterns: list[str], tokens: list[str]) -> None:
    assert check_tokens(patterns, tokens, Variables()) == []


@pytest.mark.parametrize(
    ("patterns", "tokens", "what"),
    [
        (["a", "b"], ["a", "c"], ["token 1"]),
        (["a", "b"], ["a"], ["token 1"]),
        (["a"], ["a", ""], ["number of tokens"]),
        (["a", "b", "**"], ["a"], ["token 1"]),
        (["a", "b"], ["x", "y", "z"], ["token 0", "token 1", "number of tokens"]),
    ],
)
def test_tokens_that_do_not(patterns: list[str], tokens: list[str], what: list[str]) -> None:
    assert [item.what for item in check_tokens(patterns, tokens, Variables())] == what


@pytest.mark.parametrize(
    "patterns", [["{uuid:uuid}", "response", "${m}", "~O.", "{n}"], ["*", "response", "**"], ["*", "*"]]
)
def test_every_twin_of_tokens_is_noticed(patterns: list[str]) -> None:
    tokens = ["0b3a6c1e-5f0d-4c9e-8a77-3d1f2b4c5d6e", "response", "7", "OK", "x"][: len(patterns)]
    payload = "|".join(tokens)
    variables = Variables({"m": "7"})
    twins = list(token_mutants(patterns, tokens, variables))
    assert twins
    for twin in twins:
        broken, _ = messages.split(rewrite_frame(frame(payload), twin).payload)
        assert check_tokens(patterns, broken, Variables(variables.values)), twin


EXPECTATIONS = [
    SipExpectation(status=486),
    SipExpectation(status=486, method="INVITE"),
    SipExpectation(start="SIP/2.0 486 Busy Here"),
    SipExpectation(headers={"From": "<sip:a@h>;tag={tag}", "v": ["*", "*"]}),
    SipExpectation(headers={"to": "*"}),
    SipExpectation(absent=["Server", "Contact"]),
    SipExpectation(order=["Via", "From", "To", "Content-Length"]),
    SipExpectation(body="body"),
    SipExpectation(body="~b.*"),
    SipExpectation(whole=WHOLE),
]


@pytest.mark.parametrize("expectation", EXPECTATIONS)
def test_a_message_that_fits_and_every_twin_that_does_not(expectation: SipExpectation) -> None:
    message = sip.parse(RESPONSE)
    assert check_sip(expectation, message, Variables()) == []
    twins = list(sip_mutants(expectation, message, Variables()))
    assert twins
    for twin in twins:
        broken = sip.parse(rewrite_sip(RESPONSE, twin))
        assert check_sip(expectation, broken, Variables()), twin


def test_twins_break_each_thing_that_is_asserted() -> None:
    expectation = SipExpectation(
        status=486, headers={"To": "*"}, absent=["Server"], order=["From", "To"], body="body"
    )
    kinds = {twin.kind for twin in sip_mutants(expectation, sip.parse(RESPONSE), Variables())}
    assert kinds == {
        MutationKind.START,
        MutationKind.DROP_HEADER,
        MutationKind.ADD_HEADER,
        MutationKind.SWAP_HEADERS,
        MutationKind.BODY,
    }


@pytest.mark.parametrize(
    ("expectation", "what"),
    [
        (SipExpectation(status=200), ["status"]),
        (SipExpectation(method="INVITE"), ["start line"]),
        (SipExpectation(status=486, method="BYE"), ["method"]),
        (SipExpectation(headers={"Server": "*"}), ["header Server"]),
        (SipExpectation(headers={"Via": ["*"]}), ["header Via"]),
        (SipExpectation(absent=["t"]), ["header t"]),
        (SipExpectation(order=["To", "From"]), ["header order"]),
        (SipExpectation(order=["From", "Server"]), ["header order"]),
        (SipExpectation(body=""), ["body"]),
        (SipExpectation(whole="SIP/2.0 486 Busy Here\nVia: *"), ["header lines"] * 6 + ["body"]),
        (SipExpectation(whole=WHOLE.replace("To: *", "to: *")), ["header line 4"]),
    ],
)
def test_a_message_that_does_not_fit(expectation: SipExpectation, what: list[str]) -> None:
    assert [item.what for item in check_sip(expectation, sip.parse(RESPONSE), Variables())] == what


def test_a_mismatch_tells_both_sides() -> None:
    (found,) = check_sip(
        SipExpectation(headers={"To": "<${who}>"}), sip.parse(RESPONSE), Variables({"who": "x"})
    )
    assert (found.expected, found.actual) == ("<x>", "<sip:b@h>;tag=2")


def test_rewrites_touch_nothing_else() -> None:
    payload = "u|sip|network|\r\n" + RESPONSE
    token = rewrite_frame(frame(payload), Mutation(kind=MutationKind.TOKEN, index=1, value="pis"))
    assert token.payload == payload.replace("sip|", "pis|", 1)
    header = rewrite_sip(RESPONSE, Mutation(kind=MutationKind.HEADER, name="f", value="x"))
    assert header == RESPONSE.replace("<sip:a@h>;tag=1", "x")
    assert rewrite_sip(RESPONSE, Mutation(kind=MutationKind.DUPLICATE)) == RESPONSE
