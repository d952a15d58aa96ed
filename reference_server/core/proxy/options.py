"""What an application wants done with a request: the tokens of a ``proxy`` message (PROXY-1 to PROXY-4)."""

from __future__ import annotations

import re

from msgspec import Struct

_TIMEOUT = re.compile(r"(\d{1,9})(ms|s)", re.ASCII)
_FIXED = 6  # tokens before the first destination


class ProxyOptions(Struct, frozen=True, kw_only=True):
    """The options of one proxied request, and where it may go."""

    destinations: tuple[str, ...]
    record_route: bool = False
    """requests of the dialog are to come this way, too"""
    full_response: bool = False
    """the application wants to see every final response"""
    follow_redirects: bool = False
    simultaneous: bool = False
    """all targets at once, not one after the other"""
    provisional_timeout: float = 0.0
    """seconds that a target has for its first response; 0 for no limit"""
    final_timeout: float = 0.0
    """seconds that a target has for its final response; 0 for no limit"""

    @classmethod
    def of(cls, tokens: tuple[str, ...]) -> ProxyOptions:
        """From tokens 3 to the last of a ``proxy`` message; flags compare exactly (PROXY-2)."""
        remain, full, follow, forking, provisional, final = tokens[:_FIXED]
        return cls(
            destinations=tokens[_FIXED:],
            record_route=remain == "remainInDialog",
            full_response=full == "fullResponse",
            follow_redirects=follow == "followRedirects",
            simultaneous=forking == "simultaneous",
            provisional_timeout=seconds_of(provisional),
            final_timeout=seconds_of(final),
        )


def seconds_of(timeout: str) -> float:
    """``2s`` or ``700ms`` in seconds; anything else, and zero, is no limit (PROXY-3)."""
    matched = _TIMEOUT.fullmatch(timeout)
    if matched is None:
        return 0.0
    return int(matched[1]) / (1000 if matched[2] == "ms" else 1)
