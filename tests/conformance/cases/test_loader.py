"""Case files: what they give, and what is said about those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.cases.case import Case, Level
from drachtio_conformance.cases.loader import LoadError, load, parse
from drachtio_conformance.steps.control import Authenticate, Route
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.stories import Alive, CallSucceeds
from drachtio_conformance.targets.settings import ServerSettings

GOOD = """\
title: Ping
clauses: [PING-1]
level: should
before:
  - authenticate: app
cases:
  - id: answered
    title: A ping is answered
    server: {emulate: 0.8, hangup-on-app-loss: true, t1: 0.1}
    requires: [ipv6]
    expect_under:
      drachtio-0.9: it does not
      drachtio-0.8: {reason: another way, steps: [alive]}
    danger: {drachtio-0.7: it dies}
    steps:
      - send: {tokens: ping, save: m, pad: 3}
      - expect: {tokens: "*|response|${m}|NO|pong", mutate: [{kind: token, index: 3, value: NO}]}
      - route: [invite, register]
      - call_succeeds
      - advance: 32s
      - respond: 486
  - id: second
    title: Another
    clauses: [PING-2]
    level: must
    slow: true
    steps: [alive]
"""


def cases(text: str = GOOD) -> list[Case]:
    return parse(text, name="ping/basic", file="ping.yaml")


def test_the_fields_of_a_case() -> None:
    first, second = cases()
    assert first.name == "ping/basic/answered"
    assert first.source == "ping.yaml:7"
    assert (first.clauses, second.clauses) == (("PING-1",), ("PING-2",))
    assert (first.level, second.level) == (Level.SHOULD, Level.MUST)
    assert (first.slow, second.slow) == (False, True)
    assert first.server == ServerSettings(emulate="0.8", hangup_on_app_loss=True, t1=0.1)
    assert first.danger == {"drachtio-0.7": "it dies"}


def test_steps_are_typed_and_know_their_line() -> None:
    first = cases()[0]
    assert [located.step for located in first.steps[:2]] == [
        Authenticate(app="app"),
        Send(tokens="ping", save="m", pad=3),
    ]
    assert [located.source for located in first.steps[:3]] == ["ping.yaml:5", "ping.yaml:16", "ping.yaml:17"]
    assert first.steps[3].step == Route(verb=["invite", "register"])
    assert first.steps[4].step == CallSucceeds()


def test_words_of_yaml_stay_texts() -> None:
    expect = cases()[0].steps[2].step
    assert isinstance(expect, Expect)
    assert expect.tokens == "*|response|${m}|NO|pong"
    assert expect.mutate[0].value == "NO"


def test_other_steps_for_a_profile() -> None:
    under = cases()[0].expect_under
    assert (under["drachtio-0.9"].reason, under["drachtio-0.9"].steps) == ("it does not", ())
    assert [located.step for located in under["drachtio-0.8"].steps] == [
        Authenticate(),
        Alive(),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("advance: 32s", "advance: 32", "ping.yaml:20: duration: expected 'str' matching regex"),
        ("respond: 486", "respond: busy", "ping.yaml:21: status: expected 'int', got 'str'"),
        ("- call_succeeds", "- call_suceeds", "ping.yaml:19: 'call_suceeds' is no step; there are abort,"),
        ("tokens: ping", "token: ping", "ping.yaml:16: object contains unknown field 'token'"),
        ("kind: token", "kind: tokn", "ping.yaml:17: mutate[0].kind: invalid enum value 'tokn'"),
        (
            "id: answered",
            "id: not answered",
            "ping.yaml:7: expected an id like 'wrong-secret', got 'not answered'",
        ),
        ("    title: A ping", "    titel: A ping", "ping.yaml:7: object"),
        ("t1: 0.1", "t9: 0.1", "ping.yaml:9: server: object contains unknown field 't9'"),
        ("pad: 3", "pad: 3, pad: 4", "ping.yaml:16: the key 'pad' stands twice"),
        ("clauses: [PING-1]", "", "ping.yaml:7: expected clauses"),
        ("steps: [alive]\n", "steps: []\n", "ping.yaml:22: expected at least one step"),
        (
            "  - authenticate: app",
            "  authenticate: app",
            "ping.yaml:5: before: expected 'array', got 'object'",
        ),
        ("- respond: 486", "- respond: 486\n        alive: x", "ping.yaml:21: expected a step: one word"),
        ("- route: [", "- note: [", "ping.yaml:18: text: expected 'str', got 'array'"),
        ("- call_succeeds", "- expect: x", "ping.yaml:19: expect expects a mapping"),
        ("cases:", "cases: [", "not YAML"),
    ],
)
def test_an_error_says_where_and_what(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(LoadError) as error:
        cases(GOOD.replace(old, new, 1))
    assert message in str(error.value)
    assert str(error.value).startswith("ping.yaml:")


def test_an_empty_file_is_an_error() -> None:
    with pytest.raises(LoadError, match=r"ping.yaml:1: expected a mapping with title and cases"):
        cases("")


def test_names_come_from_paths_below_scenarios(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "ping"
    folder.mkdir(parents=True)
    (folder / "basic.yaml").write_text(GOOD)
    names = ["ping/basic/answered", "ping/basic/second"]
    assert [case.name for case in load([tmp_path / "scenarios"])] == names
    assert [case.name for case in load([folder / "basic.yaml"])] == names
    assert [case.name for case in load([folder], root=folder)] == ["basic/answered", "basic/second"]


def test_a_name_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("id: second", "id: answered"))
    with pytest.raises(LoadError, match=r"a.yaml:22: expected a new id, a/answered is already at .*a.yaml:7"):
        load([tmp_path])


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is nothing"):
        load([tmp_path / "missing"])


def test_what_is_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(LoadError, match="cannot be read"):
        load([tmp_path])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("&a [*a]", "aliases"),
        ("a: &a [x,x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]", "aliases"),
        ("[" * 20_000, "expected at most 50 lists and mappings in each other"),
        ("x: " + "{a: " * 51 + "}" * 51, "expected at most 50 lists and mappings in each other"),
    ],
    ids=["endless", "billion laughs", "deep", "deep mapping"],
)
def test_a_small_file_cannot_grow(text: str, problem: str) -> None:
    with pytest.raises(LoadError, match=f"^bomb.yaml:[0-9]+: not YAML: {problem}"):
        parse(text, name="bomb", file="bomb.yaml")
