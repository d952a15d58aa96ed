"""The command line, as getopt_long reads it: long names may be abbreviated, ``--name=value``, ``-pN``, ``--``.

Unlike the genuine server, which prints getopt's complaint and starts anyway, an option that cannot be read is an
error here, and so is a stray word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reference_server.config.given import Given, Problem, error, nearest
from reference_server.config.setting import Setting
from reference_server.config.table import BY_LETTER, BY_OPTION

_PLACE = "command line"


@dataclass(slots=True)
class CommandLine:
    """The options in their order, and what is wrong with them."""

    given: list[Given] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_options(arguments: Sequence[str]) -> CommandLine:
    """Read the arguments behind the program's name."""
    line = CommandLine()
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--":
            for stray in words:
                line.problems.append(_stray(stray))
            break
        if word.startswith("--"):
            _long(word[2:], words, line)
        elif word.startswith("-") and len(word) > 1:
            _cluster(word[1:], words, line)
        else:
            line.problems.append(_stray(word))
    return line


def _stray(word: str) -> Problem:
    hint = nearest(
        word, BY_OPTION, "--{}", cutoff=0.85
    )  # who left the dashes out, not who typed another word
    return error(_PLACE, f"takes options only, got the word {word!r}{hint}")


def _long(word: str, words: list[str], line: CommandLine) -> None:
    name, equals, value = word.partition("=")
    matches = _matches(name)
    if len(matches) != 1:
        if matches:
            text = f"is ambiguous: it may stand for {', '.join(f'--{match}' for match in matches)}"
        else:
            text = f"unknown option{nearest(name, BY_OPTION, '--{}')}"
        line.problems.append(error(f"option --{name}", text))
        if not equals:
            _leave_value(words)
        return
    setting = BY_OPTION[matches[0]]
    place = f"option --{setting.option}"
    if not setting.argument:
        if equals and not setting.word:
            line.problems.append(error(place, "takes no value"))
        else:
            line.given.append(Given(setting, value if equals else "1", place))
    elif equals:
        line.given.append(Given(setting, value, place))
    else:
        _with_next(setting, place, words, line)


def _matches(name: str) -> list[str]:
    """What an option may stand for. Our own options never make an abbreviation ambiguous that once was not."""
    if name in BY_OPTION:
        return [name]
    matches = [option for option in BY_OPTION if option.startswith(name)]
    return [option for option in matches if not BY_OPTION[option].own] or matches


def _cluster(letters: str, words: list[str], line: CommandLine) -> None:
    """``-p9022`` or ``-Iv``: letters, of which the first that takes a value takes the rest of the word."""
    for position, letter in enumerate(letters):
        setting = BY_LETTER.get(letter)
        place = f"option -{letter}"
        if setting is None:
            line.problems.append(error(place, "unknown option, see --help"))
            _leave_value(words)
            return
        if not setting.argument:
            line.given.append(Given(setting, "1", place))
            continue
        rest = letters[position + 1 :]
        if rest:
            line.given.append(Given(setting, rest, place))
        else:
            _with_next(setting, place, words, line)
        return


def _leave_value(words: list[str]) -> None:
    """Pass over what looks like the value of an unknown option: it may be a secret, and must not be shown."""
    if words and not words[0].startswith("-"):
        words.pop(0)


def _with_next(setting: Setting[object], place: str, words: list[str], line: CommandLine) -> None:
    if words:
        line.given.append(Given(setting, words.pop(0), place))
    else:
        line.problems.append(error(place, f"expected a value ({setting.kind.expected})"))
