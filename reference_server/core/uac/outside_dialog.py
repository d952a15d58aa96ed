"""The application's requests outside dialogs (family OUT): what it gives, what the server fills in, where it goes.

The next hop is the route URL of the frame, else the outbound proxy of the configuration, else the Request-URI.
Everything but the request line has a default. A request that cannot leave is answered all the same: with ``OK`` and a
response of the server's own behind it, as from a far end (OUT-6); only what is wrong with the request itself is
``NOK``.
"""

from __future__ import annotations

import re

from msgspec import Struct

from reference_server.core.cdr.leg import Source
from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.ports import Application, Endpoint, Flow, NoWay, Way
from reference_server.core.uac.client_request import METHODS, ClientRequest
from reference_server.core.uac.failover import Failover
from reference_server.core.uac.forming import OriginatedRequest
from reference_server.core.uac.invite import OriginatedCall
from reference_server.core.uac.subscribe import OriginatedSubscription
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.messages.message import LONGEST_NUMBER
from reference_server.sip.messages.uri import Uri, UriError, parse_address, parse_uri, tag_of
from reference_server.sip.transport import NOWHERE, UDP
from reference_server.wire.replies import NotSent
from reference_server.wire.requests import Sip

NO_TRANSACTION = "Error creating sip transaction for uac request"
NO_LEG = "Error creating leg"
INVALID_FROM = "invalid from value provided by client:"
TO_MYSELF = "can not send request to myself"
NO_CONTENT_TYPE = "missing content-type"
_WITH_CONTACT = frozenset({"INVITE", "SUBSCRIBE"})
_NTP_EPOCH = 2_208_988_800  # seconds between 1900 and 1970
_NUMBER = re.compile(r"[+0-9A-Za-z*#._-]+\Z")
"""An address that is only a user or a telephone number, as applications give it."""


class _Refusal(Exception):
    """The text of the ``NOK``."""


class _RequestLine(Struct, frozen=True):
    text: str
    method: str
    uri: str


def request_outside_dialogs(state: Context, application: Application, message: Sip) -> None:
    """Send the request in ``message`` for ``application``, and echo it."""
    try:
        line = _request_line(message.text)
        target = _target(line)
        given_hop = message.route_url or state.settings.outbound_proxy
        next_hop = given_hop or line.uri
        hop = _next_hop(given_hop, target)
        if state.own_addresses.include_parsed(hop):
            raise _Refusal(TO_MYSELF)
    except _Refusal as refusal:
        application.deliver(NotSent(message.message_id, str(refusal)))
        return

    others = next_hop if _is_name(hop) else ""

    def opened(flow: Way) -> None:
        if not application.connected:
            return  # it went while the way was sought; nothing has been sent
        if flow is NoWay.NOT_AVAILABLE:
            application.deliver(NotSent(message.message_id, flow.reason))
            return
        try:
            if isinstance(flow, NoWay):
                _answer_locally(state, application, message, line, target, hop, flow)
            else:
                _send(state, application, message, line, target, flow, others)
        except _Refusal as refusal:
            application.deliver(NotSent(message.message_id, str(refusal)))

    registered = None if message.route_url or not state.bindings else state.bindings.flow_to(target)
    if registered is not None:
        others = ""
        opened(registered)
    elif hop.scheme == "sips":
        opened(NoWay.UNSUPPORTED_SCHEME)
    else:
        state.network.open(next_hop, opened)


def _request_line(text: str) -> _RequestLine:
    start_line = text.partition("\r\n")[0]
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if method not in METHODS or version != "SIP/2.0" or not uri:
        raise _Refusal(f"invalid request-uri: {start_line}")
    return _RequestLine(start_line, method, uri)


def _target(line: _RequestLine) -> Uri:
    """The Request-URI taken apart: a SIP URI with a host, or one of a scheme that goes nowhere."""
    try:
        target = parse_uri(line.uri)
    except UriError:
        raise _Refusal(f"invalid request-uri: {line.text}") from None
    if target.scheme not in ("sip", "sips", "http", "https"):
        raise _Refusal(f"invalid request-uri: {line.text}")
    return target


def _next_hop(given: str, target: Uri) -> Uri:
    """Where the request goes: the URI that is given for it, else the Request-URI (OUT-1, NET-3)."""
    try:
        hop = parse_uri(given) if given else target
    except UriError:
        raise _Refusal(NO_TRANSACTION) from None
    if hop.scheme not in ("sip", "sips"):
        raise _Refusal(NO_TRANSACTION)
    return hop


def _is_name(hop: Uri) -> bool:
    """Whether the host has to be looked up, and may have several addresses."""
    host = hop.parameters.get("maddr") or hop.host
    return ":" not in host and not host.replace(".", "").isdigit()


class _Composed(Struct, frozen=True):
    """A request, ready to be sent."""

    text: str
    cseq: int
    call_id: str
    from_: str
    local_tag: str


def _compose(
    state: Context, message: Sip, line: _RequestLine, target: Uri, local: Endpoint, via: str
) -> _Composed:
    """The request with all that the application left to us (OUT-3, OUT-4); ``via`` is a header line, or empty."""
    method = line.method
    draft = Draft(
        message.text, f"{local.advertised_host}:{local.port}", state.settings.preserved_header_names
    )
    if draft.body and not draft.get("content-type"):
        if not draft.body.startswith("v=0"):
            raise _Refusal(NO_CONTENT_TYPE)
        draft.set_default("content-type", "application/sdp")
    if method in _WITH_CONTACT:
        draft.set_default("contact", f"<{local.contact}>")
    from_, local_tag = _from_of(state, draft, local.contact)
    to = _given(draft, "to")
    if not to:
        if target.headers:  # they belong in no Request-URI (RFC 3261 §19.1.1), and in a To still less
            raise _Refusal(NO_LEG)
        to = f"<{line.uri}>"
    call_id = draft.take("call-id") or state.identifiers.uuid()
    number, *_ = draft.take("cseq").split() or ["-1"]
    cseq = int(number[:LONGEST_NUMBER])
    if not 0 <= cseq < 2**31:
        cseq = _first_cseq(state)
    text = (
        f"{method} {line.uri} SIP/2.0\r\n{via}Max-Forwards: {draft.take('max-forwards') or '70'}\r\nFrom: {from_}\r\n"
        f"To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{draft.lines()}\r\n{draft.body}"
    )
    return _Composed(text, cseq, call_id, from_, local_tag)


def _begun(
    state: Context,
    application: Application,
    method: str,
    composed: _Composed,
    flow: Flow,
    branch: str,
) -> ClientRequest:
    kind = {"INVITE": OriginatedCall, "SUBSCRIBE": OriginatedSubscription}.get(method, ClientRequest)
    outgoing = kind(state, application, method, composed.cseq, composed.text, flow, branch)
    if isinstance(outgoing, OriginatedRequest):
        outgoing.identify(composed.call_id, composed.from_, composed.local_tag)
    if state.records is not None and isinstance(outgoing, OriginatedCall):
        outgoing.leg = state.records.attempt(Source.APPLICATION, composed.text)
    return outgoing


def _send(
    state: Context,
    application: Application,
    message: Sip,
    line: _RequestLine,
    target: Uri,
    flow: Flow,
    next_hop: str,
) -> None:
    """Send by ``flow``; if the name ``next_hop`` leads to other addresses, too, they are tried when that one fails."""
    branch = state.identifiers.branch()
    composed = _compose(state, message, line, target, flow.local, f"Via: {via_for(flow, branch)}\r\n")
    outgoing = _begun(state, application, line.method, composed, flow, branch)
    if line.method == "ACK":
        state.send(composed.text, flow)
    else:
        if next_hop:
            outgoing.user = Failover(outgoing, next_hop)
        outgoing.begin()
    outgoing.echo(message.message_id)


def _answer_locally(
    state: Context,
    application: Application,
    message: Sip,
    line: _RequestLine,
    target: Uri,
    hop: Uri,
    no_way: NoWay,
) -> None:
    """Echo what cannot leave, and answer it with ``no_way`` as a far end would (OUT-6)."""
    endpoints = state.network.endpoints()
    named = (hop.parameters.get("transport") or UDP.name).lower()
    local = next((endpoint for endpoint in endpoints if endpoint.transport.name == named), endpoints[0])
    composed = _compose(state, message, line, target, local, via="")
    nowhere = Flow(NOWHERE, "", 0, local)
    outgoing = _begun(state, application, line.method, composed, nowhere, state.identifiers.branch())
    outgoing.echo_unsent(message.message_id)
    if line.method != "ACK":
        outgoing.answer_locally(no_way.status, no_way.reason)


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


def _from_of(state: Context, draft: Draft, contact: str) -> tuple[str, str]:
    """The From with its tag, and the tag: the application's, or one of ours (OUT-3)."""
    given = _given(draft, "from") or f"<{contact}>"
    tag = tag_of(given)
    if tag:
        return given, tag
    tag = state.identifiers.tag()
    if "<" not in given:  # an addr-spec: what follows ``;`` is the header's, so the URI gets its brackets
        address = parse_address(given)
        given = f"<{address.uri_text}>{given[len(address.uri_text) :]}"
    return f"{given};tag={tag}", tag


def _first_cseq(state: Context) -> int:
    """The first CSeq number of a dialog: half the seconds of NTP time, as in the genuine server (OUT-3)."""
    return (int(state.wall()) + _NTP_EPOCH >> 1) & 0x7FFFFFF
