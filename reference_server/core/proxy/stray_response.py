"""A 2xx to an INVITE that no transaction waits for any more (RFC 3261 §16.7 step 10, RFC 6026, PROXY-21).

A far end repeats its 2xx for 64·T1, longer than we may remember the INVITE. It is passed on by its Via alone, but only
if its topmost branch proves that this server sent the INVITE above that very Via: else anybody could have us send
anything to anybody.
"""

from __future__ import annotations

from reference_server.core.ports import NoWay, Way
from reference_server.core.proxy.core import ProxyCore
from reference_server.sip.forwarding import forwarded_response, via_values
from reference_server.sip.messages.message import Response
from reference_server.sip.messages.via import parse_top_via, reply_uri


def pass_stray(proxy: ProxyCore, response: Response) -> bool:
    """Pass ``response`` on without a transaction; False if it is none of ours."""
    if not 200 <= response.status < 300 or response.cseq_method != "INVITE":
        return False
    vias = via_values(response)
    any_2xx = proxy.context.settings.defects.passes_any_2xx and len(vias) > 1
    if not any_2xx and not proxy.branches.proves(response):
        return False
    below = parse_top_via(vias[1])
    if below is None:
        return False

    def opened(flow: Way) -> None:
        if isinstance(flow, NoWay):
            proxy.context.event("sip-dropped", reason=f"stray response: {flow.reason}", source=below.value)
            return
        proxy.transactions.send(forwarded_response(response, flow.transport.stream), flow)

    proxy.context.network.open(reply_uri(below), opened)
    return True
