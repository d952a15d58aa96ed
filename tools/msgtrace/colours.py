"""Colours for a terminal, or none."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TextIO


class Colour(StrEnum):
    """What is set apart, and the SGR code (ECMA-48) that does it."""

    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    REMARK = "33"
    TO_SERVER = "36"
    FROM_SERVER = "35"
    STRONG = "1"


class Paint:
    """Puts colour on text, if there is to be any."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def __call__(self, colour: Colour, text: str) -> str:
        """``text`` in ``colour``."""
        return f"\x1b[{colour.value}m{text}\x1b[0m" if self.enabled and text else text


def wanted(choice: str, stream: TextIO) -> bool:
    """``choice`` is ``always``, ``never`` or ``auto``: a terminal, unless NO_COLOR is set or TERM is ``dumb``."""
    if choice == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return choice == "always"
