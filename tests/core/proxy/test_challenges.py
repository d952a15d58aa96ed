"""Who asked a caller for credentials gets its next request (PROXY-19)."""

from __future__ import annotations

import pytest

from tests.core.proxy.stage import Stage


def test_a_challenge_ends_the_search_and_credentials_go_to_the_challenger(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri)
    challenge = 'Digest realm="r1", nonce="n1", qop="auth"'
    stage.carol.answer(stage.carol.take(), 407, f"Proxy-Authenticate: {challenge}")
    assert stage.statuses == [407]
    assert stage.dan.nothing_more()
    assert stage.carol.take().method == "ACK"
    stage.request("INVITE", 'Proxy-Authorization: Digest username="a", realm="r1", nonce="n1", uri="sip:x"')
    stage.proxy(stage.dan.uri)
    assert stage.dan.nothing_more()
    stage.carol.answer(stage.carol.take(), 200)
    stage.world.advance(2)
    stage.request("INVITE", 'Proxy-Authorization: Digest username="a", realm="r1", nonce="n1", uri="sip:x"')
    stage.proxy(stage.dan.uri)
    stage.dan.answer(stage.dan.take(), 200)


def test_a_challenge_is_remembered_for_two_seconds(stage: Stage) -> None:
    """The tables say so, too: nothing is left of it when nobody comes back."""
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 401, 'WWW-Authenticate: Digest realm="r1", nonce="n1"')
    stage.world.advance(1.9)
    assert stage.world.core.occupancy()["proxy challengers"] == 1
    stage.world.advance(0.2)
    assert stage.world.core.occupancy()["proxy challengers"] == 0


@pytest.mark.parametrize(
    "credentials",
    [
        'Digest realm="r1", nonce="n2"',
        'Digest realm="r2", nonce="n1"',
        'Digest realm="r1"',
        "Basic YTpi",
        "",
    ],
)
def test_other_credentials_are_of_no_challenger(stage: Stage, credentials: str) -> None:
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 401, 'WWW-Authenticate: Digest realm="r1", nonce="n1"')
    stage.request("INVITE", *filter(None, [credentials and f"Authorization: {credentials}"]))
    stage.proxy(stage.dan.uri)
    stage.dan.answer(stage.dan.take(), 200)
    assert stage.statuses == [401, 200]


def test_a_challenge_without_a_nonce_is_not_remembered(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 401, 'WWW-Authenticate: Basic realm="r1"')
    assert stage.world.core.occupancy()["proxy challengers"] == 0
