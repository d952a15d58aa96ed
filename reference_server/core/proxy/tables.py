"""What is remembered of proxied requests; part of :class:`reference_server.core.context.Context`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.sip.proxy_branch import ProxyBranches
from reference_server.sip.target_set import Target
from reference_server.sip.transactions.timing import ForwardedTiming, Timing

if TYPE_CHECKING:
    from reference_server.core.proxy.observer import ProxyObserver
    from reference_server.core.proxy.response_context import ResponseContext
    from reference_server.sip.identifiers import Identifiers


class ProxyTables:
    """The tables and the observer."""

    __slots__ = ("branches", "challengers", "observer", "open", "timing")

    def __init__(self, identifiers: Identifiers, timing: Timing) -> None:
        self.timing = ForwardedTiming(timing.t1, timing.t2, timing.t4, timing.t1x64)
        self.branches = ProxyBranches(identifiers)
        self.open: dict[str, ResponseContext] = {}
        """INVITEs whose caller has no final response, by the key of their server transaction: a CANCEL may end them"""
        self.challengers: dict[str, Target] = {}
        """who asked for credentials a moment ago, by realm and nonce"""
        self.observer: ProxyObserver | None = None
