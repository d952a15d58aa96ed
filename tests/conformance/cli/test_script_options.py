"""The options of telephones come from the table of acts, and add up in the order in which they are given."""

from __future__ import annotations

import argparse

import pytest

from drachtio_conformance.cli import script_options
from drachtio_conformance.cli.command_line import build_parser
from drachtio_conformance.telephone.acts import (
    ACTS,
    Act,
    Answer,
    Cancel,
    Dtmf,
    HangUp,
    Hold,
    Ring,
    Side,
    Talk,
)


def script(*arguments: str) -> list[Act]:
    return list(build_parser("0").parse_args(arguments).script)


def test_acts_stand_in_the_order_of_the_options() -> None:
    given = ["--talk", "1", "--dtmf", "12", "--hold", "--talk", "2", "--hang-up-after", "3"]
    expected: list[Act] = [Talk(1), Dtmf("12"), Hold(), Talk(2), HangUp(3)]
    assert script("call", "sip:x@y", *given) == expected
    assert script("call", "sip:x@y", "--cancel-after", "1") == [Cancel(1)]
    assert script("call", "sip:x@y") == []
    assert script("phone", "--ring", "--busy") == [Ring(), Answer(486)]
    assert script("phone", "--answer", "603") == [Answer(603)]


@pytest.mark.parametrize("side", Side)
def test_every_act_of_a_side_has_an_option(side: Side) -> None:
    parser = argparse.ArgumentParser(prog="x")
    script_options.add(parser, side)
    told = parser.format_help()
    for kind in ACTS:
        assert (f"--{kind.name()}" in told) is (side in kind.sides), kind.name()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["call", "sip:x", "--hold", "sip:y"], "argument --hold: expected seconds, 0 or more, got 'sip:y'"),
        (["call", "sip:x", "--cancel-after"], "argument --cancel-after: expected one argument"),
        (["phone", "--answer", "busy"], "argument --answer: expected a status from 200 to 699, got 'busy'"),
        (["call", "sip:x", "--ring", "1"], "unrecognized arguments: --ring"),
    ],
)
def test_values_are_checked(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser("0").parse_args(arguments)
    assert message in capsys.readouterr().err
