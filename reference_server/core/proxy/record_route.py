"""How what follows a proxied request comes back through us: Record-Route (RFC 3261 §16.6) and Path (RFC 3327 §5.2)."""

from __future__ import annotations

from reference_server.core.ports import Endpoint


def route_to(local: Endpoint, token: str = "") -> str:
    """A Record-Route or Path value that leads back to ``local``, by a loose route; ``token`` is a parameter."""
    return f"<sip:{local.advertised}{local.transport.uri_parameter};lr{token}>"


def record_routes(towards: Endpoint, back: Endpoint, token: str) -> str:
    """The Record-Route lines of a request that goes by ``towards`` and came by ``back``.

    Where they differ each side gets its own (RFC 5658 §6).
    """
    to_target, to_caller = route_to(towards, token), route_to(back, token)
    lines = f"Record-Route: {to_target}\r\n"
    return lines if to_target == to_caller else f"{lines}Record-Route: {to_caller}\r\n"
