"""The dialogs that an INVITE or SUBSCRIBE of the application makes outside dialogs (RFC 3261 §12.1.2, RFC 6665 §4.1).

Each branch of a fork has a dialog of its own; the application knows them all by one id (OUT-5).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reference_server.core.dialog.usage import DialogUsage, UsageEvent, begin_usage
from reference_server.core.ports import Application, Flow
from reference_server.core.uac.core import UacCore
from reference_server.sip.dialog import Dialog, contact_uri_of, record_route_of
from reference_server.sip.messages.message import Request, Response, SipMessage
from reference_server.sip.messages.uri import UriError, parse_uri

MOST_BRANCHES = 64
"""Forks of one INVITE that are followed; each further tag would be a dialog, and each further 2xx a BYE from us."""


class Caller(Struct, frozen=True):
    """What all dialogs of one request have in common at our end."""

    application: Application
    call_id: str
    local: str
    """the From, its tag included"""
    local_tag: str
    cseq: int
    target: str
    """the Request-URI"""


class EarlyDialogs:
    """The dialogs of one request, by the tag of the far end."""

    __slots__ = ("_by_tag", "_caller", "_uac", "dialog_id")

    def __init__(self, uac: UacCore, caller: Caller) -> None:
        self._uac = uac
        self._caller = caller
        self._by_tag: dict[str, DialogUsage] = {}
        self.dialog_id = uac.dialogs.id_of_uac(caller.call_id, caller.local_tag)
        """Call-ID and our tag, whatever branch of a fork answers"""

    @property
    def by_tag(self) -> Mapping[str, DialogUsage]:
        """All that are known."""
        return self._by_tag

    @property
    def local_tag(self) -> str:
        """Of our From."""
        return self._caller.local_tag

    def follows(self, tag: str) -> bool:
        """Whether a dialog with that far end is known, or one more may be."""
        return tag in self._by_tag or len(self._by_tag) < MOST_BRANCHES

    def of(self, response: Response, flow: Flow) -> DialogUsage:
        """The dialog that ``response``, to what went by ``flow``, belongs to, made if it is the first of its branch."""
        known = self._by_tag.get(response.to_tag)
        if known is not None:
            known.dialog.refresh_target(response)
            return known
        routes = record_route_of(response)[::-1]
        return self._added(response, flow, remote=response.get("to"), tag=response.to_tag, routes=routes)

    def of_notify(self, notify: Request, flow: Flow) -> DialogUsage:
        """The dialog that ``notify`` makes, which is the first that is heard of its branch (RFC 6665 §4.4.1)."""
        routes = record_route_of(notify)
        return self._added(notify, flow, remote=notify.get("from"), tag=notify.from_tag, routes=routes)

    def _added(
        self, message: SipMessage, flow: Flow, *, remote: str, tag: str, routes: list[str]
    ) -> DialogUsage:
        caller = self._caller
        dialog = Dialog(
            call_id=caller.call_id,
            local=caller.local,
            local_tag=caller.local_tag,
            remote=remote,
            remote_tag=tag,
            local_cseq=caller.cseq,
            remote_cseq=-1,
            remote_contact=_contact_of(message, caller.target),
            route_set=routes,
        )
        usage = begin_usage(dialog, self.dialog_id, caller.application, flow)
        usage.calls(caller.target, follows_contact=_is_at_its_contact(dialog, flow))
        self._by_tag[tag] = usage
        self._uac.dialogs.add(usage)
        return usage

    def end_all(self, event: UsageEvent) -> None:
        """Nothing is left of them, but a far end may still be known."""
        for usage in self._by_tag.values():
            self._uac.dialogs.end(usage, event)

    def end_others(self, kept: DialogUsage) -> None:
        """One branch has answered: the others are nobody's any more (§13.2.2.4)."""
        for tag, usage in list(self._by_tag.items()):
            if usage is not kept:
                del self._by_tag[tag]
                self._uac.dialogs.end(usage, UsageEvent.CANCELLED)

    def begin_again(self) -> None:
        """The request goes to another address; what rang at the first is over."""
        self.end_all(UsageEvent.GONE)
        self._by_tag.clear()


def _contact_of(message: SipMessage, target: str) -> str:
    """The far end's Contact, or what it was called by if that leads nowhere: or nothing could end the call."""
    contact = message.get("contact")
    return contact if not contact or contact_uri_of(contact) else f"<{target}>"


def _is_at_its_contact(dialog: Dialog, flow: Flow) -> bool:
    """Whether the far end's Contact names the address that we reach it by, so that no NAT is between."""
    try:
        return parse_uri(dialog.remote_target).host == flow.remote_host
    except UriError:
        return False
