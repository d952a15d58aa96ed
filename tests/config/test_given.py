"""What a source gives, and what is wrong with it."""

from __future__ import annotations

import pytest

from reference_server.config.given import Given, Severity, error, judge, nearest, warning, without_effect
from reference_server.config.setting import Effect, Setting
from reference_server.config.values import PORT, TEXT

ADMIN_PORT: Setting[object] = Setting(kind=PORT, meaning="where to listen")
SECRET: Setting[object] = Setting(kind=PORT, meaning="hidden", secret=True)
NOT_YET: Setting[object] = Setting(
    kind=TEXT, meaning="x", effect=Effect.NOT_YET, without="spam is not filtered"
)


def test_a_problem_says_how_bad_where_and_what() -> None:
    assert str(error("option --port", "expected x")) == "error: option --port: expected x"
    assert str(warning("option --port", "ignored")) == "warning: option --port: ignored"


@pytest.mark.parametrize(("text", "came"), [("abc", "'abc'"), ("", "nothing")])
def test_a_wrong_value_is_an_error_that_shows_it(text: str, came: str) -> None:
    (problem,) = judge([Given(ADMIN_PORT, text, "here")])
    assert problem.severity is Severity.ERROR
    assert problem.text.endswith(f", got {came}")


def test_a_secret_is_not_shown() -> None:
    (problem,) = judge([Given(SECRET, "cymru", "here")])
    assert "cymru" not in str(problem)
    assert problem.text.endswith(", got something else")


def test_a_right_value_is_no_problem() -> None:
    assert judge([Given(ADMIN_PORT, "9022", "here")]) == []


def test_a_setting_without_effect_is_named_once_unless_it_was_before() -> None:
    (problem,) = judge([Given(NOT_YET, "a", "here"), Given(NOT_YET, "b", "there")])
    assert problem == without_effect("here", Effect.NOT_YET, "spam is not filtered")
    assert problem.without_effect
    assert judge([Given(NOT_YET, "a", "here", announced=True)]) == []


def test_the_nearest_name_is_one_that_is_near() -> None:
    assert nearest("prot", ["port", "secret"], "--{}") == ", did you mean --port?"
    assert nearest("frobnicate", ["port", "secret"]) == ""
