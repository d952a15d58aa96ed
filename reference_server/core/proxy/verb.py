"""The application's ``proxy`` message: what can be said against it, and the request on its way."""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import registered_connection
from reference_server.core.ports import Application
from reference_server.core.proxy.challenges import challenger_of
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.proxy.report import Report
from reference_server.core.proxy.response_context import UNREACHABLE, ResponseContext
from reference_server.core.server_request import ServerRequest, reject
from reference_server.core.uas.respond import may_answer
from reference_server.sip.forwarding import ForwardedRequest, forwards_left, route_values
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.uri import UriError
from reference_server.sip.target_set import Target, TargetSet, target_for
from reference_server.wire.replies import NotSent
from reference_server.wire.requests import Proxy

TOO_MANY_HOPS = "Rejected with 483 Too Many Hops due to Max-Forwards value of 0"


def proxy(state: Context, application: Application, message: Proxy) -> None:
    """Proxy the request that ``message`` names, which nobody has answered yet, as its tokens say."""
    incoming = state.incoming.get(message.transaction_id)
    if (
        incoming is None
        or incoming.answered
        or incoming.dialog is not None
        or not may_answer(incoming, application)
    ):
        application.deliver(NotSent(message.message_id, f"Unknown transaction id: {message.transaction_id}"))
        return
    directions = ProxyOptions.of(message.tokens)
    local = incoming.flow.local
    at = f"{local.advertised_host}:{local.port}"
    added = Draft(message.text, at, state.settings.preserved_header_names)
    report = Report(application, message.message_id, directions.full_response, state.time_token)
    proxy_request(state, incoming, directions, added, report)


def proxy_request(
    state: Context, incoming: ServerRequest, directions: ProxyOptions, added: Draft, report: Report
) -> None:
    """Send ``incoming`` on with the headers of ``added``; ``report`` hears how it goes."""
    request = incoming.request
    if forwards_left(request) == 0:
        report.refused(TOO_MANY_HOPS)
        reject(state, incoming, 483)
        return
    targets: list[Target] = []
    no_uris: list[str] = []
    challenger = challenger_of(state, request)
    if challenger is not None:
        targets.append(challenger)
    else:
        kept = None if state.own_addresses.include(request.uri) else request.uri
        outbound_proxy = state.settings.outbound_proxy
        for destination in directions.destinations:
            try:
                target = target_for(destination, kept)
                if outbound_proxy and registered_connection(state, target.next_hop) is None:
                    target = Target(outbound_proxy, target.uri)
                targets.append(target)
            except UriError as error:
                state.event("proxy-target-unreachable", target=destination, reason=str(error))
                no_uris.append(destination)
    what_is_no_uri = no_uris[0] if no_uris else ""
    if not targets:
        report.refused(f"{UNREACHABLE}{what_is_no_uri}")
        reject(state, incoming, 500)
        return
    signature = state.proxying.branches.signature(request)
    routes = route_values(request)[1:] if "route" in request.first else None
    forwarded = ForwardedRequest(request, incoming.completed_via_line(), routes=routes, added=added)
    ResponseContext(
        state, incoming, forwarded, TargetSet(targets), signature, directions, report, what_is_no_uri
    ).begin()
