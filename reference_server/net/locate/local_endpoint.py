"""Which of our endpoints a new request leaves from, when several of its transport and family listen.

The genuine server prefers an endpoint whose local net contains the target, then the longest run of equal
leading octets, then one with an external address, and loopback last. Here an endpoint with an external
address is preferred only for targets that are not loopback themselves, and equal candidates keep the order
of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct

from reference_server.core.ports import Endpoint
from reference_server.sip.transport import Transport

_DEFAULT_NETS = tuple(
    IPv4Network(net) for net in ("127.0.0.1/32", "192.168.0.0/24", "172.16.0.0/16", "10.0.0.0/8")
)


class Candidate(Struct, frozen=True):
    """An endpoint with what the choice depends on."""

    endpoint: Endpoint
    local_net: IPv4Network | IPv6Network | None
    external: bool


def candidate(endpoint: Endpoint, local_net: str, external_ip: str) -> Candidate:
    """Take an endpoint with its contact's ``local-net`` (CIDR, may be empty) and ``external-ip``.

    Without a configured net it is the private one that the address lies in. Raises ValueError for a wrong
    net.
    """
    if local_net:
        return Candidate(endpoint, ip_network(local_net, strict=False), bool(external_ip))
    address = ip_address(endpoint.host)
    default = next((net for net in _DEFAULT_NETS if address in net), None)
    return Candidate(endpoint, default, bool(external_ip))


def choose(candidates: Iterable[Candidate], transport: Transport, host: str) -> Endpoint | None:
    """The endpoint for a target at the literal address ``host``, or None if there is none of that kind."""
    target = ip_address(host)

    def order(one: Candidate) -> tuple[bool, int, bool, bool]:
        own = ip_address(one.endpoint.host)
        equal = 0
        for ours, theirs in zip(own.packed, target.packed, strict=True):
            if ours != theirs:
                break
            equal += 1
        elsewhere = one.local_net is None or target not in one.local_net
        return elsewhere, -equal, not one.external and not target.is_loopback, own.is_loopback

    suitable = (
        one
        for one in candidates
        if one.endpoint.transport is transport and (":" in one.endpoint.host) == (":" in host)
    )
    best = min(suitable, key=order, default=None)
    return best.endpoint if best is not None else None
