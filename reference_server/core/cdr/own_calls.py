"""Call detail records of calls that end at an application: one leg each (CDR-1 to CDR-6).

A leg is filed under the INVITE that tries the call, and from the answer on under the dialog usage in which it goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.call_observer import Ended, Role, Source
from reference_server.core.cdr.leg import CallLeg, Records


class OwnCalls:
    """The legs, by what the core knows the call by."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tried: dict[object, CallLeg] = {}
        """by INVITE"""
        self._up: dict[object, CallLeg] = {}
        """by dialog usage"""

    def attempted(self, call: object, source: Source, invite: str) -> None:
        """An INVITE tries a call."""
        self._tried[call] = self._records.attempt(source, invite)

    def answered(self, call: object, usage: object, role: Role, success: str) -> None:
        """It is up, and goes on as ``usage`` does."""
        leg = self._tried.pop(call, None)
        if leg is not None:
            source = Source.APPLICATION if role is Role.UAS else Source.NETWORK
            leg.start(source, role, success)
            self._up[usage] = leg

    def failed(self, call: object, ended: Ended) -> None:
        """It came to nothing."""
        leg = self._tried.pop(call, None)
        if leg is not None:
            leg.stop(ended)

    def take(self, call: object) -> CallLeg | None:
        """The leg of a call that is proxied: others end it."""
        return self._tried.pop(call, None)

    def ended(self, usage: object, ended: Ended | None, call: object = None) -> None:
        """The call of ``usage`` is over, or the one that ``call`` tries in it."""
        leg = self._up.pop(usage, None)
        if leg is None and call is not None:
            leg = self._tried.pop(call, None)
        if leg is not None:
            _end(leg, ended)

    def detach(self, usage: object) -> Callable[[Ended | None], None]:
        """``usage`` ends now; how, who calls what this returns knows later."""
        leg = self._up.pop(usage, None)

        def end(ended: Ended | None) -> None:
            if leg is not None:
                _end(leg, ended)

        return end


def _end(leg: CallLeg, ended: Ended | None) -> None:
    if ended is None:
        leg.lose()
    else:
        leg.stop(ended)
