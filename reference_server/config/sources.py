"""The texts of the three sources, asked in their precedence: the command line, the environment, the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from reference_server.config.given import Given
from reference_server.config.setting import Setting

T = TypeVar("T")


@dataclass(slots=True)
class Sources:
    """The three sources, asked in their precedence. Values have been judged before they are asked for."""

    line: list[Given]
    variables: list[Given]
    document: list[Given]

    def texts(self, setting: Setting[T]) -> Iterator[str]:
        """Every text for the setting, the one that counts first: the last option, the variable, the file."""
        for given in chain(reversed(self.line), self.variables, self.document):
            if given.setting is setting:
                yield given.text

    def value(self, setting: Setting[T], default: T) -> T:
        """The value that counts."""
        for text in self.texts(setting):
            return setting.kind.parse(text)
        return default

    def switched_on(self, setting: Setting[bool]) -> bool:
        """Whether any source switches it on; a variable switches off nothing."""
        return any(text != "0" for text in self.texts(setting))

    def given(self, setting: Setting[object]) -> Given | None:
        """The text that counts, with the place that it comes from."""
        for given in chain(reversed(self.line), self.variables, self.document):
            if given.setting is setting:
                return given
        return None


# Tested by tests/config/test_reading.py.
