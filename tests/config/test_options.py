"""The command line: getopt_long's ways of writing an option, without its way of going on after a mistake."""

from __future__ import annotations

import pytest

from reference_server.config.options import read_options
from reference_server.config.table import BY_LETTER, BY_OPTION


def read(*arguments: str) -> tuple[list[tuple[str, str]], list[str]]:
    line = read_options(arguments)
    return [(given.setting.option, given.text) for given in line.given], [str(p) for p in line.problems]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["--port", "1"], [("port", "1")]),
        (["--port=1"], [("port", "1")]),
        (["-p", "1"], [("port", "1")]),
        (["-p1"], [("port", "1")]),
        (["-Ip1"], [("aggressive-nat-detection", "1"), ("port", "1")]),
        (["--sec", "-x"], [("secret", "-x")]),
        (["--ext=1.2.3.4"], [("external-ip", "1.2.3.4")]),
        (["--secret="], [("secret", "")]),
        (["--stdout", "--port", "1"], [("stdout", "1"), ("port", "1")]),
        (["--fi", "a.xml"], [("file", "a.xml")]),
    ],
)
def test_the_forms_of_an_option(arguments: list[str], given: list[tuple[str, str]]) -> None:
    assert read(*arguments) == (given, [])


@pytest.mark.parametrize("name", sorted(BY_OPTION))
def test_every_option_is_read(name: str) -> None:
    setting = BY_OPTION[name]
    given, problems = read(f"--{name}", *(["5"] if setting.argument else []))
    assert given == [(name, "5" if setting.argument else "1")]
    assert problems == []


@pytest.mark.parametrize("letter", sorted(BY_LETTER))
def test_every_letter_is_read(letter: str) -> None:
    setting = BY_LETTER[letter]
    given, problems = read(f"-{letter}", *(["5"] if setting.argument else []))
    assert given == [(setting.option, "5" if setting.argument else "1")]
    assert problems == []


def test_our_own_options_make_no_old_abbreviation_ambiguous() -> None:
    assert read("--f", "a.xml") == ([("file", "a.xml")], [])  # --frame-limit is ours


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--prot", "1"], "error: option --prot: unknown option, did you mean --port?"),
        (["--qqqqq"], "error: option --qqqqq: unknown option"),
        (["--s"], "error: option --s: is ambiguous: it may stand for --secret, --stdout, --sofia-loglevel"),
        (["--port"], "error: option --port: expected a value (a port from 0 to 65535)"),
        (["-p"], "error: option -p: expected a value (a port from 0 to 65535)"),
        (["-d"], "error: option -d: unknown option, see --help"),
        (["--stdout=1"], "error: option --stdout: takes no value"),
        (["port"], "error: command line: takes options only, got the word 'port', did you mean --port?"),
        (["--", "--port"], "error: command line: takes options only, got the word '--port'"),
        (["-"], "error: command line: takes options only, got the word '-'"),
    ],
)
def test_what_cannot_be_read_is_an_error(arguments: list[str], problem: str) -> None:
    _, problems = read(*arguments)
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_a_word_that_resembles_no_option_brings_no_suggestion() -> None:
    assert read("extra")[1] == ["error: command line: takes options only, got the word 'extra'"]


def test_the_value_of_a_misspelt_option_is_not_shown() -> None:
    for arguments in (["--secrt", "cymru"], ["--secrt=cymru"], ["-Z", "cymru"]):
        _, problems = read(*arguments)
        assert problems
        assert "cymru" not in "".join(problems)
