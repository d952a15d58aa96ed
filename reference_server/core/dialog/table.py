"""All dialog usages: how they are found, which of several has an id, and what ends with one."""

from __future__ import annotations

from collections.abc import Iterator

from reference_server.core.call_observer import Ended
from reference_server.core.context import Context
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.location.service import LocationService
from reference_server.core.ports import Application
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.dialog import dialog_key


class DialogTable:
    """The usages, by dialog id and by dialog; what else the functions of this folder need is at hand, too."""

    __slots__ = ("_begun_here", "_by_id", "_by_key", "context", "known", "location", "transactions")

    def __init__(self, context: Context, transactions: TransactionLayer, location: LocationService) -> None:
        self.context = context
        self.transactions = transactions
        self.location = location
        self._by_id: dict[str, DialogUsage] = {}
        self._by_key: dict[str, DialogUsage] = {}
        self.known = self._by_key
        """every usage that is not over; others only look how many there are"""
        self._begun_here: dict[str, DialogUsage] = {}
        """those that an application's request began, by what a request of the far end without a To tag says"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "dialogs by id": len(self._by_id),
            "dialogs by key": len(self._by_key),
            "dialogs begun here": len(self._begun_here),
        }

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[DialogUsage]:
        """Every usage that is not over, as it is now."""
        return iter(list(self._by_key.values()))

    def stable(self) -> tuple[int, int]:
        """How many dialogs are confirmed: begun by the far end, begun by an application's request."""
        begun_here = set(self._begun_here.values())
        ours = sum(usage.is_confirmed for usage in begun_here)
        return sum(usage.is_confirmed for usage in self._by_key.values() if usage not in begun_here), ours

    def by_id(self, dialog_id: str) -> DialogUsage | None:
        """The usage that an application names."""
        return self._by_id.get(dialog_id)

    def by_tags(self, call_id: str, local_tag: str, remote_tag: str) -> DialogUsage | None:
        """The usage that a request of the far end belongs to (RFC 3261 §12.2.2)."""
        return self._by_key.get(dialog_key(call_id, local_tag, remote_tag))

    def by_far_end(self, call_id: str, remote_tag: str) -> DialogUsage | None:
        """The usage that a request of the far end belongs to which has not learnt our tag, or left it out.

        A call of the far end has the id that Call-ID and tag make; one of an application is found by the far tag.
        """
        usage = self._by_id.get(self.id_of_uas(call_id, remote_tag))
        if usage is not None and usage.dialog.call_id == call_id and usage.dialog.remote_tag == remote_tag:
            return usage
        return self._begun_here.get(far_key(call_id, remote_tag))

    def by_call_id(self, call_id: str, owner: Application) -> DialogUsage | None:
        """The one usage of ``owner`` with that Call-ID; None, too, if there are several (DLG-21)."""
        found = [
            known
            for known in self._by_id.values()
            if known.dialog.call_id == call_id and known.owner is owner
        ]
        return found[0] if len(found) == 1 else None

    def id_of_uas(self, call_id: str, from_tag: str) -> str:
        """The id of a usage that a request of the far end begins (DLG-1, SIP-10); ``|`` would end a token."""
        escaped = call_id.replace("|", "%7C")
        if self.context.settings.dialect_0_8:
            return f"{escaped};uas"
        return f"{escaped};from-tag={from_tag.replace('|', '%7C')}"

    def id_of_uac(self, call_id: str, from_tag: str) -> str:
        """The id of the usages that a request of the application begins, whatever branch of a fork answers (OUT-5)."""
        suffix = "uac" if self.context.settings.dialect_0_8 else f"from-tag={from_tag}"
        return f"{call_id};{suffix}".replace("|", "%7C")

    def add(self, usage: DialogUsage) -> None:
        """A usage begins; its id is its own unless another has it."""
        self._by_key.setdefault(usage.key, usage)
        if usage.begun_here:
            self._begun_here.setdefault(far_key(usage.dialog.call_id, usage.dialog.remote_tag), usage)
        self.claim(usage)

    def claim(self, usage: DialogUsage) -> bool:
        """Let the id of ``usage`` name it; False if it names one that is up already.

        An INVITE that comes by two ways (§8.2.2.2) gives two usages one id, which is the first's that is confirmed. A
        dialog with the same tags at both ends cannot be told from another at all: the first keeps them.
        """
        if self._by_key.get(usage.key) is not usage:
            return False
        named = self._by_id.setdefault(usage.dialog_id, usage)
        if named is usage:
            return True
        if named.is_confirmed:
            return False
        self._by_id[usage.dialog_id] = usage
        return True

    def end(self, usage: DialogUsage, event: UsageEvent, ended: Ended | None = None) -> None:
        """Forget ``usage`` and stop what it repeats; an INVITE that waits in it gets 487 (RFC 3261 §15.1.2).

        ``ended`` is the message that says so, if there is one: before the answer it ends the call of that INVITE.
        """
        usage.move(event)
        observer = self.context.observer
        if observer is not None:
            observer.ended(usage, ended, usage.begun_by if ended is not None else None)
        for invite in usage.forget_far_requests():
            invite.reject(487)
        for own in usage.own_offers:
            own.wait_no_longer_than(self.context.timing.t1x64)
        if self._by_key.get(usage.key) is usage:
            del self._by_key[usage.key]
        if self._by_id.get(usage.dialog_id) is usage:
            del self._by_id[usage.dialog_id]
        if usage.begun_here:
            far = far_key(usage.dialog.call_id, usage.dialog.remote_tag)
            if self._begun_here.get(far) is usage:
                del self._begun_here[far]
        usage.stop_repeating()
        if usage.expiry is not None:
            usage.expiry.stop()
        if usage.session is not None:
            usage.session.stop()


def far_key(call_id: str, remote_tag: str) -> str:
    """What a request of the far end has in common with all others in its dialog, be our tag in it or not."""
    return f"{call_id}\n{remote_tag}"
