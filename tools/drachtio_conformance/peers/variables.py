"""The variables of a running case, and how texts are filled with them.

Texts of a case are Unicode; the wire is octets. :func:`octets` is the only way from one to the other:
UTF-8, one character for each octet. Values of variables are wire text already.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable

_VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_.-]*)\}")
_LONG = re.compile(r"text\.([0-9]{1,6})")
AUTO = "auto"
"""``${auto}`` is not a variable: it stands for a length that is computed when the message is complete."""


class UnknownVariable(Exception):
    """A text names a variable that has no value (yet)."""


def octets(text: str) -> str:
    """Unicode text as wire text."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def readable(wire: str) -> str:
    """Wire text as Unicode, for people: CR LF as a line end, octets that are not UTF-8 as U+FFFD, and what a
    terminal would obey spelled out."""
    text = wire.encode("latin-1", "replace").decode("utf-8", "replace")
    return spelled_out(text.replace("\r\n", "\n"), keep="\n\t")


def spelled_out(text: str, keep: str = "") -> str:
    """``text`` with its control characters, those in ``keep`` apart, as ``\\r`` and ``\\x1b``."""
    plain = text
    for char in keep:
        plain = plain.replace(char, "")
    if plain.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


_RUN = str(uuid.uuid4())
_number = itertools.count(1)
"""What is fresh begins alike in one run and ends in a number: a reader sees what came first, and a server that looks at
the beginning only is found out."""


def new_id() -> str:
    """A fresh message id."""
    return f"{_RUN[:24]}{next(_number):012x}"


def new_tag() -> str:
    """A fresh From or To tag."""
    return f"{_RUN[:4]}{next(_number):06x}"


def new_branch() -> str:
    """A fresh Via branch (RFC 3261 §8.1.1.7)."""
    return f"z9hG4bK{_RUN[:8]}{next(_number):08x}"


def new_call_id() -> str:
    """A fresh Call-ID."""
    return f"{_RUN[:8]}{next(_number):08x}@suite"


_FRESH: dict[str, Callable[[], str]] = {
    "new.uuid": new_id,
    "new.tag": new_tag,
    "new.branch": new_branch,
    "new.call_id": new_call_id,
}


class Variables:
    """Names and their values."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values: dict[str, str] = dict(values or {})

    def __setitem__(self, name: str, value: str) -> None:
        self.values[name] = value

    def __getitem__(self, name: str) -> str:
        if fresh := _FRESH.get(name):
            return fresh()
        if length := _LONG.fullmatch(name):
            return ("0123456789" * (int(length[1]) // 10 + 1))[: int(length[1])]
        try:
            return self.values[name]
        except KeyError:
            raise UnknownVariable(
                f"${{{name}}} has no value here; known are {', '.join(sorted(self.values)) or 'none'}"
            ) from None

    def get(self, name: str) -> str | None:
        """The value, or None."""
        return self.values.get(name)

    def fill(self, text: str) -> str:
        """A text of a case as wire text, every variable replaced; ``${auto}`` stays.

        Raises :class:`UnknownVariable`.
        """
        wire = text if text.isascii() else octets(text)
        return _VARIABLE.sub(self._value, wire) if "${" in wire else wire

    def fill_escaped(self, text: str) -> str:
        """Like :meth:`fill` for a regular expression: values are taken literally."""
        return _VARIABLE.sub(lambda match: re.escape(self._value(match)), octets(text))

    def _value(self, match: re.Match[str]) -> str:
        return match[0] if match[1] == AUTO else self[match[1]]
