"""The application's ``proxy`` message: what can be said against it, and the request on its way."""

from __future__ import annotations

from reference_server.core.application_draft import drafted
from reference_server.core.ports import Application
from reference_server.core.proxy.challenges import challenger_of
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.proxy.report import Report
from reference_server.core.proxy.response_context import UNREACHABLE, ResponseContext
from reference_server.core.server_request import ServerRequest
from reference_server.sip.forwarding import ForwardedRequest, forwards_left, route_values
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.uri import UriError
from reference_server.sip.target_set import Target, TargetSet, target_for
from reference_server.wire.frames_to_application import NotSent
from reference_server.wire.requests import Proxy

TOO_MANY_HOPS = "Rejected with 483 Too Many Hops due to Max-Forwards value of 0"


def proxy_for(proxy: ProxyCore, application: Application, message: Proxy) -> None:
    """Proxy the request that ``message`` names, which nobody has answered yet, as its tokens say."""
    incoming = proxy.pending.get(message.transaction_id)
    if (
        incoming is None
        or incoming.answered
        or incoming.usage is not None
        or not incoming.may_be_answered_by(application)
    ):
        application.deliver(NotSent(message.message_id, f"Unknown transaction id: {message.transaction_id}"))
        return
    options = ProxyOptions.of(message.tokens)
    added = drafted(proxy.context, message.text, incoming.flow.local)
    report = Report(proxy.context, application, message.message_id, full=options.full_response)
    proxy_request(proxy, incoming, options, added, report)


def proxy_request(
    proxy: ProxyCore, incoming: ServerRequest, options: ProxyOptions, added: Draft, report: Report
) -> None:
    """Send ``incoming`` on with the headers of ``added``; ``report`` hears how it goes."""
    request = incoming.request
    if forwards_left(request) == 0:
        report.refused(TOO_MANY_HOPS)
        incoming.reject(483)
        return
    targets: list[Target] = []
    no_uris: list[str] = []
    challenger = challenger_of(proxy, request)
    if challenger is not None:
        targets.append(challenger)
    else:
        kept = None if proxy.location.own.include(request.uri) else request.uri
        outbound_proxy = proxy.context.settings.outbound_proxy
        for destination in options.destinations:
            try:
                target = target_for(destination, kept)
                if outbound_proxy and proxy.location.registered_flow(target.next_hop) is None:
                    target = Target(outbound_proxy, target.uri)
                targets.append(target)
            except UriError as error:
                proxy.context.event("proxy-target-unreachable", target=destination, reason=str(error))
                no_uris.append(destination)
    what_is_no_uri = no_uris[0] if no_uris else ""
    if what_is_no_uri and proxy.context.settings.defects.proxies_to_nowhere:
        incoming.close()
        report.under_way()
        return
    if not targets:
        report.refused(f"{UNREACHABLE}{what_is_no_uri}")
        incoming.reject(500)
        return
    signature = proxy.branches.signature(request)
    routes = route_values(request)[1:] if "route" in request.first else None
    forwarded = ForwardedRequest(request, incoming.completed_via_line(), routes=routes, added=added)
    ResponseContext(
        proxy,
        incoming,
        forwarded,
        targets=TargetSet(targets),
        signature=signature,
        options=options,
        report=report,
        what_is_no_uri=what_is_no_uri,
    ).begin()
