"""Dialogs and the applications that own them (DLG-1, DLG-2, CONN-4, CONN-5).

An application names a dialog by its id: the Call-ID and the From tag of the request that began it (in the 0.8 dialect
the Call-ID and ``;uas``). A dialog belongs to the application that answered that request. When its owner disconnects
the dialog stays, owned by nobody, until another application uses its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.core.cdr.leg import CallLeg, Reason, Source
from reference_server.core.context import Context
from reference_server.core.ports import Application, Flow
from reference_server.core.server_request import ServerRequest, reject
from reference_server.sip.dialog import Dialog, DialogState, record_route_of
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transactions.accepted_2xx import SuccessRepeater

if TYPE_CHECKING:
    from reference_server.core.dialog.session_timer import SessionTimer
    from reference_server.core.uac.client_request import ClientRequest
    from reference_server.sip.deadline import Deadline

_ACKS_KEPT = 8


class DialogUsage:
    """A dialog, who owns it, and what of it is still in the air."""

    __slots__ = (
        "acknowledgements",
        "begun_here",
        "description",
        "dialog",
        "dialog_id",
        "expiry",
        "flow",
        "follows_contact",
        "hang_up_after_ack",
        "invites",
        "key",
        "last_answered_invite",
        "leg",
        "own_acks",
        "own_offers",
        "owner",
        "session",
        "subscription",
        "update",
    )

    def __init__(self, dialog: Dialog, dialog_id: str, owner: Application | None, flow: Flow) -> None:
        self.dialog = dialog
        self.dialog_id = dialog_id
        self.owner = owner
        self.flow = flow
        """where the far end was last heard, for requests to a peer that nothing else routes to"""
        self.follows_contact = False
        """requests go to the far end's Contact instead"""
        self.hang_up_after_ack = False
        """the application has cancelled the call that was answered"""
        self.key = dialog.key
        self.invites: list[ServerRequest] = []
        """the far end's latest INVITE, or the SUBSCRIBE that began it, and before it those without a final response"""
        self.update: ServerRequest | None = None
        """the latest UPDATE from the far end"""
        self.own_offers: set[ClientRequest] = set()
        """the application's INVITEs and UPDATEs inside the dialog that have no final response"""
        self.acknowledgements: dict[int, tuple[ServerRequest, SuccessRepeater]] = {}
        """our 2xx to INVITEs that wait for an ACK, by CSeq number"""
        self.own_acks: dict[int, str] = {}
        """the ACKs that the application has sent, by CSeq number, to repeat them"""
        self.last_answered_invite = -1
        """the CSeq number of the application's latest INVITE that got a 2xx"""
        self.leg: CallLeg | None = None
        """of an answered call, if there are call detail records and it has not stopped"""
        self.begun_here = False
        """the application sent the request that began it; else the far end did"""
        self.subscription = False
        self.expiry: Deadline | None = None
        """when a subscription is over"""
        self.session: SessionTimer | None = None
        """there is one if both ends agreed on a time within which the call is to be refreshed"""
        self.description = ""
        """our latest message with a session description, with a Contact; a refresh repeats both"""

    @property
    def awaits_own_ack(self) -> bool:
        """An INVITE of the application got a 2xx that it has not acknowledged yet."""
        return self.last_answered_invite >= 0 and self.last_answered_invite not in self.own_acks

    def keep_own_ack(self, cseq: int, text: str) -> None:
        """Keep an ACK, empty if it has not gone yet, to repeat it; of many re-INVITEs only the latest matter."""
        self.own_acks[cseq] = text
        if len(self.own_acks) > _ACKS_KEPT:
            del self.own_acks[min(self.own_acks)]

    def acknowledge_again(self, state: Context, cseq: int, flow: Flow) -> None:
        """A 2xx came again: so does our ACK, if there was one and it has found its way."""
        if text := self.own_acks.get(cseq):
            state.send(text, flow)

    def describe(self, text: str) -> None:
        """Our session description is now the one in ``text``; where that has no Contact, the former's stays."""
        if "\r\nContact: " not in text and self.description:
            contact = parse_message(self.description).get("contact")
            text = text.replace("\r\n", f"\r\nContact: {contact}\r\n", 1)
        self.description = text

    def current_owner(self) -> Application | None:
        """The owner, unless it has disconnected."""
        owner = self.owner
        return owner if owner is not None and owner.connected else None

    def usable_by(self, application: Application) -> bool:
        """Whether ``application`` may use the id; if nobody owned the dialog, it does from now on (CONN-5)."""
        owner = self.current_owner()
        if owner is None:
            self.owner = application
            return True
        return owner is application


def dialog_id_of(state: Context, incoming: ServerRequest) -> str:
    """The id that a dialog begun by ``incoming`` has (DLG-1, SIP-10); ``|`` would end a token, so it is escaped."""
    frame = incoming.frame
    call_id = frame.call_id.replace("|", "%7C")
    if state.settings.dialect_0_8:
        return f"{call_id};uas"
    return f"{call_id};from-tag={incoming.request.from_tag.replace('|', '%7C')}"


def begin_dialog(state: Context, incoming: ServerRequest) -> DialogUsage:
    """Make the dialog that the application's first response to ``incoming`` with a To tag establishes (§12.1.1)."""
    request = incoming.request
    dialog = Dialog(
        call_id=incoming.frame.call_id,
        local=incoming.to_with_tag(state.identifiers),
        local_tag=incoming.local_tag,
        remote=incoming.frame.from_,
        remote_tag=request.from_tag,
        local_cseq=request.cseq_number,
        remote_cseq=request.cseq_number,
        remote_contact=request.first.get("contact", ""),
        route_set=record_route_of(request),
    )
    begun = DialogUsage(dialog, dialog_id_of(state, incoming), incoming.application, incoming.flow)
    begun.follows_contact = state.settings.disable_nat_detection
    incoming.dialog = begun
    begun.invites.append(incoming)
    state.dialogs_by_key.setdefault(begun.key, begun)
    claim_id(state, begun)
    return begun


def claim_id(state: Context, claiming: DialogUsage) -> bool:
    """Let the id of ``claiming`` name it; False if it names a confirmed dialog already.

    An INVITE that comes by two ways (§8.2.2.2) gives two dialogs one id, which is the first's that is confirmed. A
    dialog with the same tags at both ends cannot be told from another at all: the first keeps them.
    """
    if state.dialogs_by_key.get(claiming.key) is not claiming:
        return False
    named = state.dialogs_by_id.setdefault(claiming.dialog_id, claiming)
    if named is claiming:
        return True
    if named.dialog.state is DialogState.CONFIRMED:
        return False
    state.dialogs_by_id[claiming.dialog_id] = claiming
    return True


def end_dialog(state: Context, ended: DialogUsage) -> None:
    """Forget a dialog and stop what it repeats; an INVITE that waits in it gets 487 (RFC 3261 §15.1.2)."""
    ended.dialog.state = DialogState.OVER
    invites, ended.invites = ended.invites, []
    for invite in invites:
        if state.invites.get(invite.transaction.key) is invite:
            reject(state, invite, 487)
    for own in ended.own_offers:
        own.wait_no_longer_than(state.timing.t1x64)
    if state.dialogs_by_key.get(ended.key) is ended:
        del state.dialogs_by_key[ended.key]
    if state.dialogs_by_id.get(ended.dialog_id) is ended:
        del state.dialogs_by_id[ended.dialog_id]
    for _, repeater in ended.acknowledgements.values():
        repeater.stop()
    ended.acknowledgements.clear()
    if ended.leg is not None:
        ended.leg.lose()
        ended.leg = None
    if ended.expiry is not None:
        ended.expiry.stop()
    if ended.session is not None:
        ended.session.stop()


def refuse(state: Context, incoming: ServerRequest, status: int) -> None:
    """Answer ``incoming`` with a failure of the server's own; the early dialog that it began, if it did, is over."""
    dialog = incoming.dialog
    reject(state, incoming, status)
    if dialog is not None and not incoming.in_dialog and dialog.dialog.state is DialogState.EARLY:
        end_dialog(state, dialog)


def record_bye(ended: DialogUsage, source: Source, bye: str) -> None:
    """A BYE ends the call of a dialog; before the answer that is the call of the INVITE that waits in it (CDR-3)."""
    leg, ended.leg = ended.leg, None
    if leg is None and ended.invites:
        leg = ended.invites[0].leg
    if leg is not None:
        leg.stop(source, Reason.NORMAL_RELEASE, bye)
