"""One row of the table of settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from reference_server.config import values
from reference_server.config.values import Kind

T_co = TypeVar("T_co", covariant=True)


class Effect(Enum):
    """Whether a setting does anything in this release."""

    NOW = "yes"
    NOT_YET = "not yet"
    NEVER = "none here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T_co]):
    """One row of the table."""

    kind: Kind[T_co]
    meaning: str
    default: str = ""
    """as a user would write it"""
    path: str = ""
    """in the file, below ``<drachtio>``; empty if the file has none"""
    option: str = ""
    """the long option without its dashes"""
    letter: str = ""
    """the short option, one letter"""
    argument: str = ""
    """how the help text calls the option's argument; empty: the option takes none"""
    variable: str = ""
    """the environment variable without ``DRACHTIO_``"""
    effect: Effect = Effect.NOW
    without: str = ""
    """what is not done because it has no effect, as a sentence: ``spam is not filtered``; only where it has none"""
    word: str = ""
    """what may stand behind the option with an equals sign, which it can do without: ``strict``"""
    own: bool = False
    """only this server has it"""
    secret: bool = False
    """the value is never shown"""

    @property
    def variable_kind(self) -> Kind[object]:
        """What the variable accepts: a switch is written 1 or 0 there, whatever it is elsewhere."""
        return values.FLAG if self.option and not self.argument else self.kind
