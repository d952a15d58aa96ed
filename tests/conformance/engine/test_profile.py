"""Files that say what is known about a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.cases.case import Case, ExpectUnder
from drachtio_conformance.cases.loader import parse
from drachtio_conformance.engine.profile import FEATURES, Profile, ProfileError, load_profile
from drachtio_conformance.targets.settings import ServerSettings
from tests.suite_cases import suite_cases

CASES = """
title: T
clauses: [X-1]
cases:
  - id: one
    title: One
    requires: [tea]
    steps:
      - authenticate: app
      - send: {tokens: ping}
      - expect: {tokens: "*|response|*|OK|pong"}
"""


def cases() -> list[Case]:
    return parse(CASES, name="t", file="t.yaml")


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "known.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_profile_says_who_it_is_and_what_it_can_do(tmp_path: Path) -> None:
    text = "name: drachtio-0.9\nversion: v0.9.5\nfeatures: [ipv6]\n"
    assert load_profile(write(tmp_path, text), cases()) == Profile(
        name="drachtio-0.9", version="v0.9.5", features=["ipv6"]
    )
    assert load_profile(write(tmp_path, ""), cases()).features is None
    assert load_profile(write(tmp_path, "features: [cdrs, tea]"), cases()).features == ["cdrs", "tea"]


def test_a_profile_says_what_the_peer_does_instead(tmp_path: Path) -> None:
    text = "known_failing: {t/one: {reason: shouts, at: expect, got: 'token 4: PONG'}}"
    profile = load_profile(write(tmp_path, text), cases())
    assert profile.expected() == {"t/one": ExpectUnder(reason="shouts", at="expect", got="token 4: PONG")}


def test_the_features_are_those_that_the_suite_requires() -> None:
    assert {feature for case in suite_cases() for feature in case.requires} == set(FEATURES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "features: [cdr]",
            "expected features of admin_tls, cdrs, ipv6, outbound_connections, request_handlers, tea, tls, ws, wss,",
        ),
        ("feature: [ipv6]", "known.yaml:1: object contains unknown field 'feature'"),
        ("- x", "known.yaml:1: expected 'object', got 'array'"),
        ("features: ipv6", "known.yaml:1: features: expected"),
        ("a: [", "known.yaml:2: not YAML"),
        ("danger: {t/on: dies}", "danger: no case is called 't/on' (did you mean t/one?)"),
        ("danger: {t/one: dies, t/one: lives}", "known.yaml:1: the key 't/one' stands twice"),
        (
            "known_failing: {t/one: {reason: x, at: expect}}",
            "t/one: expected reason with either steps, or at",
        ),
        (
            "known_failing: {t/one: {reason: x, at: expect 2, got: y}}",
            "t/one: expected a check of the case, like 'sip_expect 2', got 'expect 2'; it has authenticate, expect",
        ),
        ("known_failing: {t/one: {reason: x, at: send, got: y}}", "got 'send'; it has authenticate, expect"),
        ("known_failing: {t/one: {reason: x, steps: [alive]}}", "t/one: expected reason, at and got"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProfileError) as error:
        load_profile(write(tmp_path, text), cases())
    assert message in str(error.value)


def test_of_other_cases_it_may_say_anything_where_these_are_not_all(tmp_path: Path) -> None:
    path = write(tmp_path, "danger: {else/where: dies}")
    assert load_profile(path, cases(), strict=False).danger == {"else/where": "dies"}


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        ProfileError, match=r"drachtio-0\.9\.4: No such file or directory; with the suite come "
    ):
        load_profile("drachtio-0.9.4", cases())


def test_a_profile_says_what_the_peer_is_configured_with(tmp_path: Path) -> None:
    text = "configured: {request-handler: POST, handled-method: INVITE}\nhandler: '[::1]:8080'\n"
    profile = load_profile(write(tmp_path, text), cases())
    assert profile.configured == ServerSettings(request_handler="POST", handled_method="INVITE")
    assert profile.handler_address == ("::1", 8080)
    assert load_profile(write(tmp_path, "configured: {cdrs: true}"), cases()).handler_address is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("configured: {request-handler: GET}", "together"),
        ("handler: 127.0.0.1:1", "together"),
        ("configured: {t1: 1}\nhandler: 127.0.0.1:1", "together"),
        ("configured: {request-handler: GET}\nhandler: nowhere", "expected HOST:PORT, got 'nowhere'"),
        ("configured: {request-handler: GET}\nhandler: h:70000", "expected HOST:PORT, got 'h:70000'"),
        ("configured: {request-handler: PUT}", "request-handler"),
    ],
)
def test_where_the_handler_is_goes_with_what_it_is(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ProfileError, match=complaint):
        load_profile(write(tmp_path, text), cases())
