"""How long the core waits for people, for applications and for far ends. Seconds."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

PENDING_INVITE_SECONDS: Final = 64.0
"""How long an INVITE waits for an application's first response (CALL-11)."""


class Patience(Struct, frozen=True, kw_only=True):
    """The two times that are the operator's choice."""

    ringing: float = 1800.0
    """From one provisional response to an INVITE to the next response, in either direction (CALL-11, OUT-21): it is for
    a person to pick up, but an end that still rings says so every minute (RFC 3261 §13.3.1.1)."""
    timer_c: float = 185.0
    """The same inside a dialog and in a proxied call, where nobody has to pick up (§16.6 item 11)."""


# Tested by tests/core/uas/test_routing.py.
