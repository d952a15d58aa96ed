"""Which of several failures is passed on."""

from __future__ import annotations

import pytest

from reference_server.sip.best_response import BestResponse
from reference_server.sip.messages.message import Response, parse_message


def failure(status: int, *lines: str) -> Response:
    message = parse_message("".join(f"{line}\r\n" for line in (f"SIP/2.0 {status} x", *lines, "")))
    assert isinstance(message, Response)
    return message


@pytest.mark.parametrize(
    ("came", "chosen"),
    [
        ([404], 404),
        ([500, 404], 404),
        ([404, 500], 404),
        ([486, 404], 404),
        ([404, 486], 486),
        ([404, 484, 486], 484),
        ([407, 401], 401),
        ([503, 500], 500),
        ([500, 503], 500),
        ([503], 503),
        ([302, 486], 486),
        ([486, 302, 401], 401),
        ([302, 503], 302),
        ([302, 603, 484], 603),
        ([600, 603], 603),
        ([580, 502], 502),
    ],
)
def test_the_best_of_several(came: list[int], chosen: int) -> None:
    best = BestResponse()
    for status in came:
        best.consider(failure(status))
    assert best.chosen is not None
    assert best.chosen.status == chosen


def test_of_none_there_is_no_best() -> None:
    assert BestResponse().chosen is None


def test_challenges_are_put_together_once_each() -> None:
    best = BestResponse()
    one, other = 'Digest realm="1"', 'Digest realm="2"'
    best.consider(failure(401, f"WWW-Authenticate: {one}"))
    best.consider(failure(401, f"WWW-Authenticate: {one}", f"WWW-Authenticate: {other}"))
    best.consider(failure(407, f"Proxy-Authenticate: {other}"))
    assert best.other_challenges() == f"WWW-Authenticate: {one}\r\nWWW-Authenticate: {other}\r\n"


def test_without_a_challenge_chosen_none_is_added() -> None:
    best = BestResponse()
    assert best.other_challenges() == ""
    best.consider(failure(401, "WWW-Authenticate: Digest x"))
    best.consider(failure(603))
    assert best.other_challenges() == ""
