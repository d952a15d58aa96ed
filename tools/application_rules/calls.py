"""What a judge knows of requests and dialogs: who still owes whom an answer, an ACK, a PRACK.

What is over is remembered for a while, so that a late frame is told from one that was made up. Nothing grows for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec import Struct, field

REMEMBERED = 4096
"""how many of each kind that are over are remembered"""
MOST_DIALOGS = 20_000
"""Of subscriptions that run out no frame tells: beyond so many dialogs the oldest one is not judged any more."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The latest values by key; the oldest are forgotten."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def __setitem__(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._limit:
            self._values.popitem(last=False)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._values.get(key)

    def forget(self, key: K) -> None:
        """Remember it no more."""
        self._values.pop(key, None)


class Incoming(Struct):
    """A request that was delivered to an application."""

    connection: int
    method: str
    dialog: str
    """its dialog id, if it came inside one"""
    asked: int = 0
    """final responses that were sent and not refused so far, and proxy"""
    over: bool = False
    """cancelled, or ended by the far end: a response that crosses that is no mistake"""


class Outgoing(Struct):
    """A request that the application has sent and the server has echoed."""

    connection: int
    method: str
    dialog: str
    """the dialog id by which it was sent, if it was"""
    call: str
    sequence: int | None
    names_100rel: bool
    status: int = 0


class Dialog(Struct):
    """One dialog."""

    ack_due: int = 0
    """2xx to INVITEs of the application that it has not acknowledged"""
    acknowledged: bool = True
    """False between a 2xx of the application and the far end's ACK"""
    invites: set[str] = field(default_factory=set)
    """transaction ids of INVITEs of either side without a final response"""
    pracks_due: list[str] = field(default_factory=list)
    """RSeq numbers of provisional responses that the application has not acknowledged"""
    answered: bool = False
    """it is more than early"""


class Calls:
    """All requests and dialogs of one server."""

    def __init__(self) -> None:
        self.incoming: dict[str, Incoming] = {}
        """by transaction id, those that wait for a final response"""
        self.outgoing: dict[str, Outgoing] = {}
        self.dialogs: dict[str, Dialog] = {}
        self.answered: Recent[str, Incoming] = Recent()
        """requests that have their final response"""
        self.ended: Recent[str, Outgoing] = Recent()
        """requests of the application that have theirs"""
        self.over: Recent[str, str] = Recent()
        """dialogs that are over, and why"""
        self.forgotten: Recent[str, bool] = Recent()
        """dialogs that may still be up, and are not judged any more"""
        self.challenged: Recent[str, int] = Recent()
        """Call-ID and From tag of requests that were refused with 401 or 407, and their CSeq numbers"""

    def dialog(self, dialog_id: str) -> Dialog:
        """The dialog; a new one if nobody knows it."""
        if dialog_id not in self.dialogs and len(self.dialogs) >= MOST_DIALOGS:
            oldest = next(iter(self.dialogs))
            del self.dialogs[oldest]
            self.forgotten[oldest] = True
        return self.dialogs.setdefault(dialog_id, Dialog())

    def end(self, dialog_id: str, why: str) -> None:
        """The dialog is over."""
        self.dialogs.pop(dialog_id, None)
        self.over[dialog_id] = why
        for request in self.incoming.values():
            if request.dialog == dialog_id:
                request.over = True

    def known(self, dialog_id: str) -> bool:
        """Whether the server has ever named it."""
        return dialog_id in self.dialogs or dialog_id in self.over
