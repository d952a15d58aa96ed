"""A request too large for a datagram, by the operator's measure (``<udp-mtu>``), goes by TCP (RFC 3261 §18.1.1).

To the same address and port, with a Via that says TCP. If nobody takes a connection there, or not soon, it goes by UDP
all the same, as it does without the setting; so does the ACK of a 2xx, which goes the way of its INVITE.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Context
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.transport import TCP

SECONDS_FOR_TCP = 4.0
"""How long a connection may take to be made; there is another way."""


def is_large(context: Context, flow: Flow, octets: int) -> bool:
    """Whether a request of so many octets should not go by ``flow``, which is the way to its next hop."""
    largest = context.settings.largest_datagram
    return 0 < largest < octets and not flow.transport.stream


def by_tcp(context: Context, flow: Flow, done: Callable[[Flow], None]) -> None:
    """Give ``done`` a connection to where ``flow`` leads, or ``flow`` itself if there is none."""
    waiting = True

    def decide(way: Flow) -> None:
        nonlocal waiting
        if waiting:
            waiting = False
            timer.cancel()
            done(way)

    def opened(way: Way) -> None:
        decide(flow if isinstance(way, NoWay) else way)

    timer = context.timers.start(SECONDS_FOR_TCP, lambda: decide(flow))
    host = f"[{flow.remote_host}]" if ":" in flow.remote_host else flow.remote_host
    context.network.open(f"sip:{host}:{flow.remote_port}{TCP.uri_parameter}", opened)
