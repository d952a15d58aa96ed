"""Variables of the environment: which are meant for this server, and which are misspelt."""

from __future__ import annotations

from reference_server.config.environment import read_variables
from reference_server.config.given import Severity


def test_only_those_with_the_prefix_and_a_value_count_in_alphabetical_order() -> None:
    variables = read_variables(
        {
            "PATH": "/bin",
            "DRACHTIO_SECRET": "s",
            "DRACHTIO_ADMIN_TCP_PORT": "9023",
            "DRACHTIO_CONSOLE_LOGGING": "",
        }
    )
    assert [(one.text, one.place) for one in variables.given] == [
        ("9023", "variable DRACHTIO_ADMIN_TCP_PORT"),
        ("s", "variable DRACHTIO_SECRET"),
    ]
    assert [one.setting.variable for one in variables.given] == ["ADMIN_TCP_PORT", "SECRET"]
    assert variables.problems == []


def test_an_unknown_one_is_a_warning_with_the_nearest_name_and_without_its_value() -> None:
    variables = read_variables({"DRACHTIO_SECRT": "cymru"})
    assert variables.given == []
    (problem,) = variables.problems
    assert problem.severity is Severity.WARNING
    assert (
        str(problem)
        == "warning: variable DRACHTIO_SECRT: unknown variable, ignored, did you mean DRACHTIO_SECRET?"
    )


def test_no_value_is_judged_here() -> None:
    assert read_variables({"DRACHTIO_ADMIN_TCP_PORT": "x"}).problems == []
