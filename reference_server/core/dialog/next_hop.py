"""Where a request inside a dialog goes (RFC 3261 §12.2.1.1, and NAT: DLG-10)."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Flow, NoWay, Way


def open_flow(dialogs: DialogTable, usage: DialogUsage, done: Callable[[Way], None]) -> None:
    """Give ``done`` the flow for the usage's next request, or the reason why there is none.

    With a route set: to its first route. Without: to where the far end was last heard, which is its Contact unless
    a NAT is between. Over TCP: by the connection that exists; where that is gone, by the one over which the far end
    has since sent an INVITE or UPDATE, else by another to the Contact. Two settings say otherwise (NET-4).
    """
    dialog = usage.dialog
    network = dialogs.context.network
    by_datagrams = not usage.flow.transport.stream
    follows_routes = bool(dialog.route_set)
    if follows_routes and dialogs.context.settings.aggressive_nat_detection and not usage.follows_contact:
        follows_routes = "nat=yes" not in dialog.route_set[0].lower()
    if not dialog.remote_target:
        done(NoWay.NO_CONTACT)
    elif follows_routes or (usage.follows_contact and by_datagrams):
        dialogs.location.reach(dialog.next_hop(), done)
    elif by_datagrams or network.alive(usage.flow):
        done(usage.flow)
    else:
        others = [flow for flow in usage.far_flows() if flow.connection and network.alive(flow)]
        if others:
            done(others[-1])
        else:
            dialogs.location.reach(dialog.next_hop(), done)


def via_for(flow: Flow, branch: str) -> str:
    """The Via of a request of ours; over UDP it asks for rport (RFC 3581 §3)."""
    local = flow.local
    transport = flow.transport
    rport = "" if transport.reliable else ";rport"
    return f"SIP/2.0/{transport.via_token} {local.advertised}{rport};branch={branch}"
