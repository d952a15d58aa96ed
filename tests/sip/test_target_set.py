"""Destinations and redirections."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.messages.uri import UriError
from reference_server.sip.target_set import (
    MOST_REDIRECTED,
    Target,
    TargetSet,
    contacts_of,
    target_for,
)


def redirection(*contacts: str) -> Response:
    lines = "".join(f"Contact: {contact}\r\n" for contact in contacts)
    message = parse_message(f"SIP/2.0 302 x\r\n{lines}\r\n")
    assert isinstance(message, Response)
    return message


@pytest.mark.parametrize(
    ("contacts", "order"),
    [
        (["<sip:a>"], ["sip:a"]),
        (["<sip:a>;q=0.5", "<sip:b>"], ["sip:a", "sip:b"]),
        (["<sip:a>;q=nonsense, <sip:b>;q=0.7, <sip:c>"], ["sip:a", "sip:b", "sip:c"]),
        (["<sip:a?Subject=x&Route=%3Csip:evil%3E>"], ["sip:a"]),
        (["<tel:+1>, <mailto:x@y>, <sips:s>, <<<"], []),
        (["*"], []),
        ([], []),
    ],
)
def test_contacts_in_the_order_in_which_they_are_tried(contacts: list[str], order: list[str]) -> None:
    assert contacts_of(redirection(*contacts)) == order


def test_new_targets_go_first_and_none_is_tried_twice() -> None:
    targets = TargetSet([Target("sip:a", "sip:a"), Target("sip:b", "sip:b")])
    assert targets.next().uri == "sip:a"
    assert targets.redirect(redirection("<sip:c>, <sip:a>, <sip:b>, <sip:c>, <sip:d>"))
    assert [targets.next().uri for _ in range(3)] == ["sip:c", "sip:d", "sip:b"]
    assert not targets
    assert not targets.redirect(redirection("<sip:c>, <sip:a>"))


def test_redirections_are_bounded() -> None:
    targets = TargetSet([])
    assert targets.redirect(redirection(*(f"<sip:x{number}>" for number in range(100))))
    tried = 0
    while targets:
        targets.next()
        tried += 1
    assert tried == MOST_REDIRECTED
    assert not targets.redirect(redirection("<sip:one-more>"))


@pytest.mark.parametrize(
    "destination", ["", "foo", "127.0.0.1:5060", "sip:", "tel:+1", "<sip:a@b>", "sip:a@b:99999"]
)
def test_what_is_no_destination(destination: str) -> None:
    with pytest.raises(UriError):
        target_for(destination, None)


def test_the_request_uri_is_the_destination_or_stays() -> None:
    assert target_for("sip:a@b;transport=tcp?x=y", None) == Target(
        "sip:a@b;transport=tcp", "sip:a@b;transport=tcp"
    )
    assert target_for("sip:a@b", "tel:+1") == Target("sip:a@b", "tel:+1")
