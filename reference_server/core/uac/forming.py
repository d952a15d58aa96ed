"""Requests outside dialogs that make dialogs: the application's INVITE and SUBSCRIBE (RFC 3261 §12.1.2, RFC 6665 §4.1).

Each branch of a fork has a dialog of its own; the application knows them all by one id (OUT-5).
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.usage import DialogUsage, claim_id
from reference_server.core.uac.client_request import ClientRequest
from reference_server.sip.dialog import Dialog, contact_uri_of, record_route_of
from reference_server.sip.messages.message import Request, Response, SipMessage
from reference_server.sip.messages.uri import UriError, parse_uri


class OriginatedRequest(ClientRequest):
    """One of them, and the dialogs of its branches."""

    call_id = ""
    local = ""
    local_tag = ""
    confirmed: DialogUsage | None = None

    def identify(self, call_id: str, local: str, local_tag: str) -> None:
        """The Call-ID, the From and its tag."""
        self.call_id = call_id
        self.local = local
        self.local_tag = local_tag
        self.early: dict[str, DialogUsage] = {}
        """by the tag of the far end"""

    @property
    def dialog_id(self) -> str:
        """Call-ID and our tag, whatever branch of a fork answers."""
        return originated_id(self.state, self.call_id, self.local_tag)

    def dialog_of(self, response: Response) -> DialogUsage:
        """The dialog that ``response`` belongs to, made if it is the first of its branch."""
        known = self.early.get(response.to_tag)
        if known is not None:
            known.dialog.refresh_target(response)
            return known
        routes = record_route_of(response)[::-1]
        return self._made(response, response.get("to"), response.to_tag, routes)

    def dialog_by(self, notify: Request) -> DialogUsage:
        """The dialog that ``notify`` makes, which is the first that is heard of its branch (RFC 6665 §4.4.1)."""
        return self._made(notify, notify.get("from"), notify.from_tag, record_route_of(notify))

    def _made(self, message: SipMessage, remote: str, tag: str, routes: list[str]) -> DialogUsage:
        dialog = Dialog(
            call_id=self.call_id,
            local=self.local,
            local_tag=self.local_tag,
            remote=remote,
            remote_tag=tag,
            local_cseq=self.cseq,
            remote_cseq=-1,
            remote_contact=self._contact_of(message),
            route_set=routes,
        )
        made = DialogUsage(dialog, self.dialog_id, self.application, self.flow)
        made.begun_here = True
        made.follows_contact = self._is_at_its_contact(dialog)
        self.early[tag] = made
        self.state.dialogs_by_key.setdefault(made.key, made)
        claim_id(self.state, made)
        return made

    def _contact_of(self, message: SipMessage) -> str:
        """The far end's Contact, or what it was called by if that leads nowhere: or nothing could end the call."""
        contact = message.get("contact")
        return contact if not contact or contact_uri_of(contact) else f"<{self.text.split(' ', 2)[1]}>"

    def _is_at_its_contact(self, dialog: Dialog) -> bool:
        """Whether the far end's Contact names the address that we reach it by, so that no NAT is between."""
        try:
            return parse_uri(dialog.remote_target).host == self.flow.remote_host
        except UriError:
            return False


def originated_id(state: Context, call_id: str, local_tag: str) -> str:
    """The id of the dialogs that a request of the application makes."""
    suffix = "uac" if state.settings.dialect_0_8 else f"from-tag={local_tag}"
    return f"{call_id};{suffix}".replace("|", "%7C")
