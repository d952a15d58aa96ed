"""The decimal digits of small numbers, at hand: lengths are most of the numbers that the server writes.

Formatting an integer costs as much as copying a message of some thousand octets.
"""

from __future__ import annotations

from typing import Final

_AT_HAND: Final = 2048
_DIGITS: Final = [str(number) for number in range(_AT_HAND)]


def decimal(number: int) -> str:
    """``str(number)`` for a ``number`` that is not negative, and usually small."""
    return _DIGITS[number] if number < _AT_HAND else str(number)
