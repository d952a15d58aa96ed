"""Patterns: what a case expects of a token, a header value, a start line or a body (STEPS.md, Patterns).

Matching is tried on a copy of the variables, so that a check which fails in the end has captured nothing. A
pattern also knows how to be *broken*: :func:`counterexample` finds a text that resembles what came and does
not match, from which the broken twins are made. Where there is none, the pattern asserts nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

from drachtio_conformance.peers.variables import Variables

SHAPES = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "time": r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}",
    "number": r"[0-9]+",
    "proof": r"[0-9a-f]{16}",
    "tag13": r"[0-9A-Za-z]{13}",
    "branch": r"z9hG4bK[^;,\s]+",
    "any": r".*",
}
"""What ``{name:shape}`` and ``{shape}`` demand."""

_PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z][A-Za-z0-9_-]*)(?::([a-z0-9]+))?\}")


class PatternError(Exception):
    """A pattern cannot be understood."""


def matches(pattern: str, actual: str, variables: Variables) -> bool:
    """Whether a wire text matches; captures go into ``variables``.

    Raises :class:`PatternError` and UnknownVariable.
    """
    if pattern == "*":
        return True
    if pattern.startswith("="):
        return actual == variables.fill(pattern[1:])
    if pattern.startswith("~"):
        return _captured(_regex(variables.fill_escaped(pattern[1:])).fullmatch(actual), {}, variables)
    if _PLACEHOLDER.search(pattern) is None:
        return actual == variables.fill(pattern)
    expression, names = _translate(pattern, variables)
    return _captured(_regex(expression).fullmatch(actual), names, variables)


def describe(pattern: str, variables: Variables) -> str:
    """The pattern with its variables replaced, as wire text, for messages."""
    if pattern.startswith("~"):
        return "~" + variables.fill_escaped(pattern[1:])
    return variables.fill(pattern)


def counterexample(pattern: str, actual: str, variables: Variables) -> str | None:
    """A text near ``actual`` that does not match the pattern; None if every candidate does."""
    for candidate in (actual + "~", "~" + actual, actual[:-1], "", "another"):
        if candidate != actual and not matches(pattern, candidate, Variables(variables.values)):
            return candidate
    return None


def cut_tokens(tokens: str | list[str]) -> list[str]:
    """Patterns or tokens as a list; one text is cut at each ``|``."""
    return tokens.split("|") if isinstance(tokens, str) else list(tokens)


def _translate(pattern: str, variables: Variables) -> tuple[str, dict[str, str]]:
    """A regular expression, and group names to variable names."""
    pieces: list[str] = []
    names: dict[str, str] = {}
    position = 0
    for match in _PLACEHOLDER.finditer(pattern):
        pieces.append(re.escape(variables.fill(pattern[position : match.start()])))
        pieces.append(_placeholder(match[1], match[2], variables, names=names))
        position = match.end()
    pieces.append(re.escape(variables.fill(pattern[position:])))
    return "".join(pieces), names


def _placeholder(name: str, shape: str | None, variables: Variables, *, names: dict[str, str]) -> str:
    if shape is None and name in SHAPES:
        return f"(?:{SHAPES[name]})"
    if shape is not None and shape not in SHAPES:
        raise PatternError(f"{{{name}:{shape}}}: {shape!r} is no shape; there are {', '.join(SHAPES)}")
    for group, known in names.items():
        if known == name:
            return f"(?P={group})"
    value = variables.get(name)
    if value is not None:
        return re.escape(value)
    group = f"c{len(names)}"
    names[group] = name
    return f"(?P<{group}>{SHAPES[shape] if shape else '.+?'})"


@lru_cache(maxsize=1024)
def _regex(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as error:
        raise PatternError(f"~{expression}: not a regular expression: {error}") from None


def _captured(match: re.Match[str] | None, names: dict[str, str], variables: Variables) -> bool:
    """Take over what a match captured; false if there is none, or it contradicts a known value."""
    if match is None:
        return False
    for group, value in match.groupdict().items():
        name = names.get(group, group)
        if value is None:
            continue
        known = variables.get(name)
        if known is not None and known != value:
            return False
        variables[name] = value
    return True
