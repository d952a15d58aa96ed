"""Requests of a dialog that come back because we record-routed it (RFC 3261 §16.4, §16.6 step 6, PROXY-22 to PROXY-25).

They pass without an application: nothing is remembered of the dialog, the Route says where they go, and proves that it
was made for their call (PROXY-30): else anybody could have us send anything anywhere. Routes that name
this server are taken off, all that follow one another, since a dialog that changes the transport here has two. The ACK
of a 2xx passes without a transaction, for it has none.
"""

from __future__ import annotations

from reference_server.core.dialog.next_hop import via_for
from reference_server.core.methods import INVITE
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.proxy.response_context import ResponseContext
from reference_server.core.server_request import ServerRequest
from reference_server.sip.dialog import is_loose, uri_of
from reference_server.sip.forwarding import ForwardedRequest, forwards_left, route_values
from reference_server.sip.messages.headers import split_values
from reference_server.sip.messages.lenient import sound_uri
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.uri import UriError, parse_uri
from reference_server.sip.messages.via import TopVia, completed_via
from reference_server.sip.route_token import without_token
from reference_server.sip.target_set import Target, TargetSet

_BY_ROUTE = ProxyOptions(destinations=())


def route_on(proxy: ProxyCore, incoming: ServerRequest) -> bool:
    """Send a request inside a dialog to where its Route leads; False if the Route does not name us, or ends here."""
    request = incoming.request
    found = _onward(proxy, request)
    if found is None:
        return False
    route, target, routes = found
    if not proxy.may_relay(route, request, incoming.flow.remote_host):
        incoming.reject(403)
        return True
    signature = proxy.branches.signature(request)
    if forwards_left(request) == 0:
        incoming.reject(483)
        return True
    if proxy.branches.has_been_here(request, signature):
        incoming.reject(482)
        return True
    if incoming.method is INVITE:
        incoming.trying()
    forwarded = ForwardedRequest(request, incoming.completed_via_line(), routes=routes)
    ResponseContext(
        proxy, incoming, forwarded, targets=TargetSet([target]), signature=signature, options=_BY_ROUTE
    ).begin()
    return True


def route_ack(proxy: ProxyCore, request: Request, via: TopVia, flow: Flow) -> bool:
    """Send the ACK of a 2xx to where its Route leads, once; False as for :func:`route_on`."""
    found = _onward(proxy, request)
    if found is None:
        return False
    route, target, routes = found
    if not proxy.may_relay(route, request, flow.remote_host):
        return True
    branches = proxy.branches
    signature = branches.signature(request)
    if forwards_left(request) == 0 or branches.has_been_here(request, signature):
        return True
    received = request.get("via")
    line = completed_via(via, flow.remote_host, flow.remote_port) + received[len(via.value) :]
    forwarded = ForwardedRequest(request, line, routes=routes)

    def opened(onward: Way) -> None:
        if isinstance(onward, NoWay):
            proxy.context.event("ack-not-sent", dialog=request.get("call-id"), reason=onward.reason)
            return
        branch = branches.make(signature, split_values(line)[0])
        proxy.transactions.send(forwarded.copy(target.uri, via_for(onward, branch)), onward)

    proxy.location.reach(target.next_hop, opened)
    return True


def _onward(proxy: ProxyCore, request: Request) -> tuple[str, Target, list[str]] | None:
    """Our own route, where the request goes, and the routes that it keeps; None if it is not for us to send on."""
    routes = route_values(request)
    own = proxy.location.own
    uri = route = request.uri
    by_strict_router = "lr" in uri and own.include(without_token(uri)) and _has_lr(uri)
    if by_strict_router:  # it put our Record-Route value into the Request-URI, and that to the end (§16.4)
        uri = uri_of(routes.pop())
    ours = 0
    while ours < len(routes) and own.include(without_token(uri_of(routes[ours]))):
        ours += 1
    if not ours and not by_strict_router:
        return None
    if not by_strict_router:
        route = routes[0]
    routes = routes[ours:]
    if not routes:
        return None if own.include(uri) else (route, Target(_reachable(uri), uri), routes)
    next_hop = uri_of(routes[0])
    if is_loose(routes[0]):
        return route, Target(next_hop, uri), routes
    return route, Target(next_hop, next_hop), [*routes[1:], f"<{uri}>"]


def _reachable(uri: str) -> str:
    """The Request-URI without its slips, by which it is looked for."""
    try:
        return sound_uri(uri)
    except UriError:
        return uri


def _has_lr(uri: str) -> bool:
    try:
        return "lr" in parse_uri(uri).parameters
    except UriError:
        return False
