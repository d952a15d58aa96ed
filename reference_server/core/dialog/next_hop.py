"""Where a request goes: inside a dialog (RFC 3261 §12.2.1.1, and NAT: docs/protocol.md, DLG-10), or to a URI."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Context
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.messages.uri import UriError, parse_uri
from reference_server.sip.transport import UDP


def reach(state: Context, next_hop: str, done: Callable[[Way], None]) -> None:
    """Give ``done`` the flow to the URI ``next_hop``, or the reason why there is none.

    A phone that has registered over a connection is reached by that, wherever its Contact leads (NET-7).
    """
    way = registered_connection(state, next_hop) or state.network.flow_to(next_hop)
    if way is not None:
        done(way)
    else:
        state.network.open(next_hop, done)


def registered_connection(state: Context, text: str) -> Flow | None:
    """The connection by which the phone with the URI ``text`` has registered.

    A URI without a user names a host, be it a proxy's in a Route: no registration diverts what goes there.
    """
    if not state.bindings:
        return None
    try:
        uri = parse_uri(text)
    except UriError:
        return None  # the network says what is wrong with it
    return state.bindings.flow_to(uri) if uri.user and "lr" not in uri.parameters else None


def open_flow(state: Context, found: DialogUsage, done: Callable[[Way], None]) -> None:
    """Give ``done`` the flow for the dialog's next request, or the reason why there is none.

    With a route set: to its first route. Without: to where the far end was last heard, which is its Contact unless
    a NAT is between. Over TCP: by the connection that exists; where that is gone, by the one over which the far end
    has since sent an INVITE or UPDATE, else by another to the Contact. Two settings say otherwise (NET-4).
    """
    dialog = found.dialog
    follows_routes = bool(dialog.route_set)
    if follows_routes and state.settings.aggressive_nat_detection and not found.follows_contact:
        follows_routes = "nat=yes" not in dialog.route_set[0].lower()
    if not dialog.remote_target:
        done(NoWay.NO_CONTACT)
    elif follows_routes or (found.follows_contact and found.flow.transport is UDP):
        reach(state, dialog.next_hop(), done)
    elif found.flow.transport is UDP or state.network.alive(found.flow):
        done(found.flow)
    else:
        asked = [*found.invites, *([found.update] if found.update is not None else [])]
        others = [one.flow for one in asked if one.flow.connection and state.network.alive(one.flow)]
        if others:
            done(others[-1])
        else:
            reach(state, dialog.next_hop(), done)


def via_for(flow: Flow, branch: str) -> str:
    """The Via of a request of ours; over UDP it asks for rport (RFC 3581 §3)."""
    local = flow.local
    transport = flow.transport
    rport = "" if transport.reliable else ";rport"
    return f"SIP/2.0/{transport.via_token} {local.advertised_host}:{local.port}{rport};branch={branch}"
