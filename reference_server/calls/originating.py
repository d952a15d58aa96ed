"""The application's requests outside dialogs (family OUT): what it gives, what the server fills in, where it goes.

The next hop is the route URL of the frame, else the Request-URI. Everything but the request line has a default. A
request that cannot leave is answered all the same: with ``OK`` and a response of the server's own behind it, as from a
far end (OUT-6); only what is wrong with the request itself is ``NOK``.
"""

from __future__ import annotations

from msgspec import Struct

from reference_server.calls.call import OriginatedCall, OriginatedSubscription
from reference_server.calls.outgoing import METHODS, OutgoingRequest
from reference_server.calls.ports import Application, Endpoint, Flow
from reference_server.calls.route import via_for
from reference_server.calls.state import CallState
from reference_server.sip.draft import Draft
from reference_server.sip.headers import HEADERS
from reference_server.sip.uri import Uri, UriError, parse_address, parse_uri, tag_of
from reference_server.wire.replies import NotSent
from reference_server.wire.requests import Sip

NOT_AVAILABLE = "requested protocol/transport not available"
NO_TRANSACTION = "Error creating sip transaction for uac request"
NO_LEG = "Error creating leg"
TO_MYSELF = "can not send request to myself"
NO_CONTENT_TYPE = "missing content-type"
DEFAULT_SIP_PORT = 5060
_WITH_CONTACT = frozenset({"INVITE", "SUBSCRIBE"})
_NTP_EPOCH = 2_208_988_800  # seconds between 1900 and 1970


class _Refusal(Exception):
    """The text of the ``NOK``."""


class _RequestLine(Struct, frozen=True):
    method: str
    uri: str


def request_outside_dialogs(state: CallState, application: Application, message: Sip) -> None:
    """Send the request in ``message`` for ``application``, and echo it."""
    try:
        line = _request_line(message.text)
        next_hop = message.route_url or line.uri
        hop = _next_hop(next_hop, line)
        if _is_ours(state.network.endpoints(), hop):
            raise _Refusal(TO_MYSELF)
    except _Refusal as refusal:
        application.deliver(NotSent(message.message_id, str(refusal)))
        return

    def opened(flow: Flow | str) -> None:
        if flow == NOT_AVAILABLE:
            application.deliver(NotSent(message.message_id, NOT_AVAILABLE))
            return
        try:
            _send(state, application, message, line, flow)
        except _Refusal as refusal:
            application.deliver(NotSent(message.message_id, str(refusal)))

    if hop.scheme == "sips":
        opened("Unsupported URI Scheme")
    else:
        state.network.open(next_hop, opened)


def _request_line(text: str) -> _RequestLine:
    start_line = text.partition("\r\n")[0]
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if method not in METHODS or version != "SIP/2.0" or not uri:
        raise _Refusal(f"invalid request-uri: {start_line}")
    return _RequestLine(method, uri)


def _next_hop(next_hop: str, line: _RequestLine) -> Uri:
    try:
        target = parse_uri(line.uri)
    except UriError:
        target = None
    if target is None or (target.scheme in ("sip", "sips", "tel") and not target.host) or ":" not in line.uri:
        raise _Refusal(f"invalid request-uri: {line.method} {line.uri} SIP/2.0")
    try:
        hop = parse_uri(next_hop)
    except UriError:
        raise _Refusal(NO_TRANSACTION) from None
    if hop.scheme not in ("sip", "sips") or not hop.host:
        # ``http://x/`` names somewhere, but nowhere that SIP goes; other schemes name nothing.
        known = next_hop != line.uri or hop.scheme in ("http", "https")
        raise _Refusal(NO_TRANSACTION if known else f"invalid request-uri: {line.method} {line.uri} SIP/2.0")
    return hop


def _is_ours(endpoints: tuple[Endpoint, ...], hop: Uri) -> bool:
    """Whether the next hop is this server (OUT-7)."""
    port = hop.port or DEFAULT_SIP_PORT
    for endpoint in endpoints:
        names = {endpoint.host, endpoint.advertised_host.strip("[]"), *map(str.lower, endpoint.dns_names)}
        if endpoint.host == "127.0.0.1":
            names.add("localhost")
        if port == endpoint.port and hop.host.strip("[]").lower() in names:
            return True
    return False


def _send(
    state: CallState, application: Application, message: Sip, line: _RequestLine, opened: Flow | str
) -> None:
    """Compose and send, or compose and answer with what ``opened`` says instead of a flow."""
    unreachable = opened if isinstance(opened, str) else ""
    flow = _somewhere(state) if isinstance(opened, str) else opened
    local = flow.local
    method = line.method
    at = f"{local.advertised_host}:{local.port}"
    draft = Draft(message.text, at, state.settings.preserved_header_names)
    if draft.body and not draft.get("content-type"):
        if not draft.body.startswith("v=0"):
            raise _Refusal(NO_CONTENT_TYPE)
        draft.set_default("content-type", "application/sdp")
    if method in _WITH_CONTACT:
        draft.set_default("contact", f"<{local.contact}>")
    if HEADERS["from"] in draft.invalid or HEADERS["to"] in draft.invalid:
        raise _Refusal(NO_LEG)
    from_, local_tag = _from_of(state, draft.take("from"), local.contact)
    to = draft.take("to") or f"<{line.uri}>"
    call_id = draft.take("call-id") or state.identifiers.uuid()
    number = draft.take("cseq").partition(" ")[0]
    cseq = int(number) if number and int(number) < 2**31 else _first_cseq(state)
    forwards = draft.take("max-forwards") or "70"
    branch = state.identifiers.branch()
    via = "" if unreachable else f"Via: {via_for(flow, branch)}\r\n"
    text = (
        f"{method} {line.uri} SIP/2.0\r\n{via}Max-Forwards: {forwards}\r\nFrom: {from_}\r\nTo: {to}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{draft.lines()}\r\n{draft.body}"
    )
    kind = {"INVITE": OriginatedCall, "SUBSCRIBE": OriginatedSubscription}.get(method, OutgoingRequest)
    outgoing = kind(state, application, method, cseq, text, flow, branch)
    if isinstance(outgoing, OriginatedSubscription):
        outgoing.identify(call_id, from_, local_tag)
    if unreachable:
        outgoing.echo_unsent(message.message_id)
        outgoing.answer_locally(416 if unreachable == "Unsupported URI Scheme" else 503, unreachable)
    elif method == "ACK":
        state.send(text, flow)
        outgoing.echo(message.message_id)
    else:
        outgoing.begin()
        outgoing.echo(message.message_id)


def _from_of(state: CallState, given: str, contact: str) -> tuple[str, str]:
    """The From with its tag, and the tag: the application's, or one of ours (OUT-3)."""
    if not given:
        tag = state.identifiers.tag()
        return f"<{contact}>;tag={tag}", tag
    tag = tag_of(given)
    if tag:
        return given, tag
    tag = state.identifiers.tag()
    if "<" not in given:  # an addr-spec: what follows ``;`` is the header's, so the URI gets its brackets
        address = parse_address(given)
        given = f"<{address.uri_text}>{given[len(address.uri_text) :]}"
    return f"{given};tag={tag}", tag


def _first_cseq(state: CallState) -> int:
    """The first CSeq number of a dialog: half the seconds of NTP time, as in the genuine server (OUT-3)."""
    return (int(state.wall()) + _NTP_EPOCH >> 1) & 0x7FFFFFF


def _somewhere(state: CallState) -> Flow:
    """A flow to nobody, for a request that has nowhere to go but needs a From and a Contact."""
    return Flow("unknown", "", 0, state.network.endpoints()[0])
