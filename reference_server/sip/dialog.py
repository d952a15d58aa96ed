"""Dialogs (RFC 3261 §12): what both ends agreed on, and the requests that are made from it."""

from __future__ import annotations

from msgspec import Struct

from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.lenient import MOST_ELEMENTS, are_routes, first_uri, read_address
from reference_server.sip.messages.message import SipMessage
from reference_server.sip.messages.uri import UriError, parse_uri


class Dialog(Struct, kw_only=True, eq=False):
    """One dialog in which this server is an end."""

    call_id: str
    local: str
    """the value of the From of our requests, tag included"""
    local_tag: str
    remote: str
    """the value of the To of our requests, tag included"""
    remote_tag: str
    local_cseq: int
    remote_cseq: int
    remote_contact: str
    """the far end's Contact, as written"""
    route_set: list[str]
    target: str | None = None
    """the URI of that Contact or of a later one, once it was needed"""

    @property
    def remote_target(self) -> str:
        """The URI of the far end's Contact, empty if it gave none that can be used; parsed when it is needed."""
        target = self.target
        if target is None:
            target = self.target = contact_uri_of(self.remote_contact)
        return target

    @property
    def key(self) -> str:
        """What requests from the far end bring back: Call-ID, our tag, theirs (§12.2.2)."""
        return dialog_key(self.call_id, self.local_tag, self.remote_tag)

    def next_hop(self) -> str:
        """The URI to send requests to, by address (§12.2.1.1): the first route, else the remote target."""
        return uri_of(self.route_set[0]) if self.route_set else self.remote_target

    def refresh_target(self, message: SipMessage) -> None:
        """Take over the Contact of a request or 2xx that refreshes the target (§12.2)."""
        target = contact_uri_of(message.get("contact"))
        if target:
            self.target = target

    def aim_at(self, target: str) -> None:
        """The far end gave no Contact: requests go to the URI that it was called by."""
        self.target = target

    def next_cseq(self) -> int:
        """The number of our next request (§12.2.1.1)."""
        self.local_cseq += 1
        return self.local_cseq

    def accepts(self, cseq: int) -> bool:
        """Whether a request of the far end with the number ``cseq`` is in order, as the latest of all (§12.2.2)."""
        if cseq < self.remote_cseq:
            return False
        self.remote_cseq = cseq
        return True

    def follow(self, routes: list[str]) -> None:
        """The route set is that of the 2xx, whatever the early dialog's was (§13.2.2.4)."""
        self.route_set = routes

    def request(self, method: str, cseq: int, via: str, *, draft: Draft) -> str:
        """A request inside the dialog; the application's From, To and Call-ID win, its CSeq does not (DLG-11)."""
        draft.take("cseq")
        target, routes = self.remote_target, self.route_set
        if routes and not is_loose(routes[0]):  # a strict router (§12.2.1.1)
            target, routes = uri_of(routes[0]), [*routes[1:], f"<{self.remote_target}>"]
        route = "".join([f"Route: {value}\r\n" for value in routes])
        forwards = draft.take("max-forwards") or "70"
        return (
            f"{method} {target} SIP/2.0\r\nVia: {via}\r\n{route}Max-Forwards: {forwards}\r\n"
            f"From: {draft.take('from') or self.local}\r\nTo: {draft.take('to') or self.remote}\r\n"
            f"Call-ID: {draft.take('call-id') or self.call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"{draft.lines()}\r\n{draft.body}"
        )


def dialog_key(call_id: str, local_tag: str, remote_tag: str) -> str:
    """The identity of a dialog as one text."""
    return f"{call_id}\n{local_tag}\n{remote_tag}"


def contact_uri_of(value: str) -> str:
    """The URI of the first address of a Contact, or an empty text if there is none that can be used."""
    return first_uri(value) if value else ""


def uri_of(route: str) -> str:
    """The URI of a Route or Record-Route value, empty if it leads nowhere."""
    try:
        return read_address(_in_brackets(route)).uri_text
    except UriError:
        return ""


def is_loose(route: str) -> bool:
    """Whether a route is a loose router's (``;lr``, §19.1.1)."""
    try:
        return "lr" in parse_uri(uri_of(route)).parameters
    except UriError:
        return True


def record_route_of(message: SipMessage) -> list[str]:
    """Every Record-Route value of a message in order (§20.30), as written but in brackets; what leads nowhere is passed
    over."""
    if "record-route" not in message.first:
        return []
    found = [value for line in message.all("record-route") for value in elements(line)]
    return [_in_brackets(value) for value in found[:MOST_ELEMENTS] if are_routes(value)]


def _in_brackets(route: str) -> str:
    """A route must have brackets (§25.1, ``rec-route``); without, nothing but its URI can be meant, ``;lr`` and all."""
    return route if "<" in route else f"<{route}>"
