"""The application's requests outside dialogs (family OUT): what it gives, what the server fills in, where it goes.

The next hop is the route URL of the frame, else the outbound proxy of the configuration, else the Request-URI.
Everything but the request line has a default. A request that cannot leave is answered all the same: with ``OK`` and a
response of the server's own behind it, as from a far end (OUT-6); only what is wrong with the request itself is
``NOK``.
"""

from __future__ import annotations

import re

from msgspec import Struct

from reference_server.core.application_draft import default_content_type, drafted, mere_word
from reference_server.core.context import Context
from reference_server.core.dialog.large_request import by_tcp, is_large
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.methods import ACK, INVITE, SUBSCRIBE, Method, method_named
from reference_server.core.ports import Application, Endpoint, Flow, NoWay, Way
from reference_server.core.transactions import Sent
from reference_server.core.uac.client_request import ClientRequest
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.early_dialogs import Caller
from reference_server.core.uac.failover import Failover
from reference_server.core.uac.invite import OriginatedCall
from reference_server.core.uac.subscribe import Delivery, OriginatedSubscription
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.messages.message import LONGEST_NUMBER
from reference_server.sip.messages.uri import Uri, UriError, parse_address, parse_uri, tag_of
from reference_server.sip.transport import NOWHERE, UDP
from reference_server.wire.frames_to_application import NotSent
from reference_server.wire.requests import Sip

NO_TRANSACTION = "Error creating sip transaction for uac request"
NO_LEG = "Error creating leg"
INVALID_FROM = "invalid from value provided by client:"
DIALOG_OF_ANOTHER = "dialog id is in use by another application"
TO_MYSELF = "can not send request to myself"
TOO_MANY_DIALOGS = "too many dialogs"
NO_CONTENT_TYPE = "missing content-type"
_NTP_EPOCH = 2_208_988_800  # seconds between 1900 and 1970
_NUMBER = re.compile(r"[+0-9A-Za-z*#._-]+\Z")
"""An address that is only a user or a telephone number, as applications give it."""


class _Refusal(Exception):
    """The text of the ``NOK``."""


class _RequestLine(Struct, frozen=True):
    text: str
    method: Method
    uri: str
    target: Uri


def request_outside_dialogs(uac: UacCore, application: Application, message: Sip, delivery: Delivery) -> None:
    """Send the request in ``message`` for ``application``, and echo it."""
    context = uac.context
    try:
        line = _request_line(message.text)
        given_hop = message.route_url or context.settings.outbound_proxy
        hop = _next_hop(given_hop, line.target)
        to_myself = uac.location.own.include_parsed(hop) or _is_in(hop, context.settings.local_domain)
        if to_myself and not message.route_url:
            raise _Refusal(TO_MYSELF)
        if line.method.forms_dialog and len(uac.dialogs.known) >= context.settings.most_dialogs:
            context.event("application-over-limit", connection=application.number, limit="dialogs")
            raise _Refusal(TOO_MANY_DIALOGS)
    except _Refusal as refusal:
        application.deliver(NotSent(message.message_id, str(refusal)))
        return
    next_hop = given_hop or line.uri
    others = next_hop if _is_name(hop) else ""
    request = _Request(uac, application, message, line=line, delivery=delivery)

    def opened(flow: Way) -> None:
        if not application.connected:
            return  # it went while the way was sought; nothing has been sent
        if flow is NoWay.NOT_AVAILABLE:
            application.deliver(NotSent(message.message_id, flow.reason))
            return
        try:
            if isinstance(flow, NoWay):
                request.answer_locally(hop, flow)
            else:
                request.send(flow, others)
        except _Refusal as refusal:
            application.deliver(NotSent(message.message_id, str(refusal)))

    registered = None if message.route_url else uac.location.registered_flow_to(line.target)
    if registered is not None:
        others = ""
        opened(registered)
    else:
        context.network.open(next_hop, opened)


def _request_line(text: str) -> _RequestLine:
    """The request line taken apart; its URI is a SIP URI with a host, or one of a scheme that goes nowhere."""
    start_line = text.partition("\r\n")[0]
    name, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    method = method_named(name)
    refusal = _Refusal(f"invalid request-uri: {start_line}")
    if not method.sendable or version != "SIP/2.0" or not uri:
        raise refusal
    try:
        target = parse_uri(uri)
    except UriError:
        raise refusal from None
    if target.scheme not in ("sip", "sips", "http", "https"):
        raise refusal
    return _RequestLine(start_line, method, uri, target)


def _next_hop(given: str, target: Uri) -> Uri:
    """Where the request goes: the URI that is given for it, else the Request-URI (OUT-1, NET-3)."""
    try:
        hop = parse_uri(given) if given else target
    except UriError:
        raise _Refusal(NO_TRANSACTION) from None
    if hop.scheme not in ("sip", "sips"):
        raise _Refusal(NO_TRANSACTION)
    return hop


def _is_in(hop: Uri, domain: str) -> bool:
    """Whether the host is ``domain`` or below it."""
    host = hop.host.lower().rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_name(hop: Uri) -> bool:
    """Whether the host has to be looked up, and may have several addresses."""
    host = hop.parameters.get("maddr") or hop.host
    return ":" not in host and not host.replace(".", "").isdigit()


class _Composed(Struct, frozen=True):
    """A request, ready to be sent."""

    text: str
    caller: Caller


class _Request:
    """One request for which a way has been sought."""

    __slots__ = ("_application", "_delivery", "_line", "_message", "_uac")

    def __init__(
        self,
        uac: UacCore,
        application: Application,
        message: Sip,
        *,
        line: _RequestLine,
        delivery: Delivery,
    ) -> None:
        self._uac = uac
        self._application = application
        self._message = message
        self._line = line
        self._delivery = delivery

    def send(self, flow: Flow, next_hop: str) -> None:
        """Send by ``flow``; if the name ``next_hop`` leads to other addresses, they are tried when that one fails."""
        context = self._uac.context
        branch = context.identifiers.branch()
        composed = self._compose(flow.local, f"Via: {via_for(flow, branch)}\r\n")
        if is_large(context, flow, len(composed.text)) and self._line.method is not ACK:
            by_tcp(context, flow, lambda other: self._send_large(other, next_hop))
        else:
            self._put(composed, flow, branch, next_hop)

    def _send_large(self, flow: Flow, next_hop: str) -> None:
        """Send by TCP, or by UDP if nobody takes a connection."""
        if self._application.connected:
            branch = self._uac.context.identifiers.branch()
            self._put(self._compose(flow.local, f"Via: {via_for(flow, branch)}\r\n"), flow, branch, next_hop)

    def _put(self, composed: _Composed, flow: Flow, branch: str, next_hop: str) -> None:
        outgoing = self._begun(composed, flow, branch)
        if self._line.method is ACK:
            self._uac.transactions.send(composed.text, flow)
        else:
            if next_hop:
                outgoing.told_by(Failover(outgoing, next_hop))
            outgoing.begin()
        outgoing.echo(self._message.message_id)

    def answer_locally(self, hop: Uri, no_way: NoWay) -> None:
        """Echo what cannot leave, and answer it with ``no_way`` as a far end would (OUT-6)."""
        context = self._uac.context
        pretends = context.settings.defects.echoes_what_was_not_sent and no_way is NoWay.UNREACHABLE
        named = (hop.parameters.get("transport") or UDP.name).lower()
        endpoints = context.network.endpoints()
        local = next((endpoint for endpoint in endpoints if endpoint.transport.name == named), endpoints[0])
        if pretends:
            branch = context.identifiers.branch()
            flow = Flow(local.transport, hop.host, hop.port or local.transport.default_port, local)
            outgoing = self._begun(self._compose(local, f"Via: {via_for(flow, branch)}\r\n"), flow, branch)
            outgoing.echo(self._message.message_id)
        else:
            composed = self._compose(local, via="")
            outgoing = self._begun(composed, Flow(NOWHERE, "", 0, local), context.identifiers.branch())
            outgoing.echo_unsent(self._message.message_id)
        if self._line.method is not ACK:
            outgoing.answer_locally(no_way.status, no_way.reason)

    def _begun(self, composed: _Composed, flow: Flow, branch: str) -> ClientRequest:
        uac, method, caller = self._uac, self._line.method, composed.caller
        sent = Sent(method.name, branch, composed.text, flow)
        if method is INVITE:
            return OriginatedCall(uac, caller, sent)
        if method is SUBSCRIBE:
            return OriginatedSubscription(uac, caller, sent, self._delivery)
        return ClientRequest(uac, self._application, sent, caller.cseq)

    def _compose(self, local: Endpoint, via: str) -> _Composed:
        """The request with all that the application left to us (OUT-3, OUT-4); ``via`` is a header line, or empty."""
        context, line = self._uac.context, self._line
        method = line.method.name
        draft = drafted(context, self._message.text, local)
        if not default_content_type(draft):
            raise _Refusal(NO_CONTENT_TYPE)
        word = mere_word(draft)
        if word and not context.settings.defects.takes_words_for_contacts:
            raise _Refusal(word)
        if line.method.forms_dialog:
            draft.set_default("contact", f"<{local.contact}>")
        from_, local_tag = _from_of(context, draft, local.contact)
        to = _given(draft, "to")
        if not to:
            if (
                line.target.headers
            ):  # they belong in no Request-URI (RFC 3261 §19.1.1), and in a To still less
                raise _Refusal(NO_LEG)
            to = (
                _bare_to(line.uri, sent=bool(via))
                if context.settings.defects.makes_bare_to
                else f"<{line.uri}>"
            )
        given_call_id = draft.take("call-id")
        call_id = given_call_id or context.identifiers.uuid()
        if given_call_id and line.method.forms_dialog:
            self._check_is_nobody_elses(call_id, local_tag)
        number, *_ = draft.take("cseq").split() or ["-1"]
        cseq = int(number[:LONGEST_NUMBER])
        if not 0 <= cseq < 2**31:
            cseq = _first_cseq(context)
        forwards = draft.take("max-forwards") or "70"
        text = (
            f"{method} {line.uri} SIP/2.0\r\n{via}Max-Forwards: {forwards}\r\nFrom: {from_}\r\n"
            f"To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{draft.lines()}\r\n{draft.body}"
        )
        return _Composed(text, Caller(self._application, call_id, from_, local_tag, cseq, line.uri))

    def _check_is_nobody_elses(self, call_id: str, local_tag: str) -> None:
        """An application must not begin what has the name of a call of another: whose it is, is then uncertain."""
        uac, mine = self._uac, self._application
        dialog_id = uac.dialogs.id_of_uac(call_id, local_tag)
        known = uac.dialogs.by_id(dialog_id)
        owner = known.current_owner() if known is not None else None
        if owner is None:
            owner = uac.pending.asked(call_id, local_tag)
        if owner is not None and owner is not mine:
            raise _Refusal(f"{DIALOG_OF_ANOTHER}: {dialog_id}")


def _bare_to(uri: str, *, sent: bool) -> str:
    """The To made from the Request-URI as the genuine server makes it (DEV-30)."""
    if not sent:
        return uri
    address, semicolon, parameters = uri.partition(";")
    return f"<{address}>{semicolon}{parameters}"


def _given(draft: Draft, name: str) -> str:
    """The application's From or To, a bare number in its angle brackets; empty if it gave none."""
    header = HEADERS[name]
    wrong = draft.invalid.get(header)
    if wrong is None:
        return draft.take(name)
    number, semicolon, parameters = wrong.partition(";")
    if _NUMBER.match(number.strip()):
        return f"<{number.strip()}>{semicolon}{parameters}"
    raise _Refusal(f"{INVALID_FROM} {wrong}" if name == "from" and "@localhost" in wrong else NO_LEG)


def _from_of(context: Context, draft: Draft, contact: str) -> tuple[str, str]:
    """The From with its tag, and the tag: the application's, or one of ours (OUT-3)."""
    given = _given(draft, "from") or f"<{contact}>"
    tag = tag_of(given)
    if tag:
        return given, tag
    tag = context.identifiers.tag()
    if "<" not in given:  # an addr-spec: what follows ``;`` is the header's, so the URI gets its brackets
        address = parse_address(given)
        given = f"<{address.uri_text}>{given[len(address.uri_text) :]}"
    return f"{given};tag={tag}", tag


def _first_cseq(context: Context) -> int:
    """The first CSeq number of a dialog: half the seconds of NTP time, as in the genuine server (OUT-3)."""
    return (int(context.wall()) + _NTP_EPOCH >> 1) & 0x7FFFFFF
