"""Which calls are legs of one call that a back-to-back user agent (RFC 3261 §6) carries on.

What an application, or a server between two telephones, does is two calls: one that comes to it, and one that it makes
because of that. They belong together if the second one began while the first one was under way, came from where the
first one went, and has something of it: a header that names it, its Call-ID in any header, the same body, the same
parties. The strongest sign counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from msgtrace.answers import between
from msgtrace.calls import Call
from msgtrace.observed import APPLICATION, NETWORK, SERVER
from msgtrace.transactions import Transaction

_REMEMBERED = 32
"""calls with the same sign that are looked at, the latest first"""
_SOON = 10.0
"""seconds within which the other leg begins, where only the parties tell"""


def join(calls: Sequence[Call], header: str = "") -> dict[int, Call]:
    """By the number of a leg, the call of which it is one; ``header`` names a field that both have alike."""
    incoming: dict[tuple[str, str], deque[Call]] = {}
    joined: dict[int, Call] = {}
    for call in calls:
        first = _invite(call)
        if first is None:
            continue
        # What the network sent to a server that is known as such is no further leg of anything.
        found = None if first.source == NETWORK else _first_leg(call, first, incoming, header)
        if found is not None:
            joined[call.number] = joined.get(found.number, found)
        if first.source in (SERVER, APPLICATION):
            continue
        for sign in _signs(call, first, header):
            incoming.setdefault(sign, deque(maxlen=_REMEMBERED)).append(call)
    return joined


def _invite(call: Call) -> Transaction | None:
    attempts = call.attempts
    return attempts[0] if attempts and attempts[0].request is not None else None


def _signs(call: Call, first: Transaction, header: str) -> Iterator[tuple[str, str]]:
    """What the other leg may have, the strongest first."""
    request = first.request
    assert request is not None
    if header and (value := request.first(header)):
        yield "header", value
    yield "call-id", call.call_id
    if request.body.strip():
        yield "body", request.body
    if call.caller and call.callee:
        yield "parties", f"{call.caller} {call.callee}"
    if call.caller:
        yield "caller", call.caller
    if call.callee:
        yield "callee", call.callee


def _first_leg(
    call: Call, first: Transaction, incoming: dict[tuple[str, str], deque[Call]], header: str
) -> Call | None:
    request = first.request
    assert request is not None
    known = (field.value for field in request.fields if field.value != call.call_id)
    signs = [
        *([("header", request.first(header))] if header and request.first(header) else []),
        *(("call-id", value) for value in known if ("call-id", value) in incoming),
        *(sign for sign in _signs(call, first, "") if sign[0] != "call-id"),
    ]
    for sign in signs:
        for other in reversed(incoming.get(sign, ())):
            if other is not call and _carries_on(other, call, first, sign[0]):
                return other
    return None


def _carries_on(other: Call, call: Call, first: Transaction, sign: str) -> bool:
    """Whether ``call`` may be what somebody in between made of ``other``."""
    begun = _invite(other)
    if begun is None or first.number < begun.number:
        return False
    took = between(begun.at, first.at)
    if took is not None and sign in ("parties", "caller", "callee") and took > _SOON:
        return False
    if first.source in (SERVER, APPLICATION):
        on_way = begun.source not in (SERVER, APPLICATION)
    else:  # addresses: it goes on from where the first one went
        on_way = bool(first.sender) and first.sender != begun.sender and first.sender == begun.receiver
    over = min((final.number for final in begun.finals if final.status >= 300), default=0)
    return on_way and not (over and over < first.number) and not _ended_before(other, first)


def _ended_before(other: Call, first: Transaction) -> bool:
    return bool(other.byes) and all(bye.number < first.number for bye in other.byes)
