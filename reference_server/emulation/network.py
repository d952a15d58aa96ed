"""The edge towards the SIP network: what comes in is altered, answered or dropped before the core sees it, what goes
out is altered on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from reference_server.core.core import Core
from reference_server.core.ports import Endpoint, Flow, NoWay, SipNetwork, Way
from reference_server.emulation.received import ReceivedMessages
from reference_server.emulation.sent import SentMessages
from reference_server.net.locate.hosts import HostsFile

_NO_NAME = re.compile(r"sips?:placeholder\Z")


class NoHosts(HostsFile):
    """No name is known without a name server (DEV-237)."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """None."""
        return ()


class GenuineNetwork:
    """Implements ``SipNetwork``: the real one, below what is done to messages."""

    def __init__(self, network: SipNetwork) -> None:
        self._network = network
        self.messages = SentMessages()
        """what is done to them"""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """``SipNetwork``"""
        return self._network.endpoints()

    def flow_to(self, next_hop: str) -> Way | None:
        """``SipNetwork``"""
        return self._network.flow_to(next_hop)

    def open(self, next_hop: str, done: Callable[[Way], None], tried: Sequence[Flow] = ()) -> None:
        """``SipNetwork``"""
        if _NO_NAME.match(next_hop):
            done(NoWay.NAME_UNKNOWN)  # no DNS server is asked, but the answer would be the same (DEV-77)
        else:
            self._network.open(next_hop, done, tried)

    def alive(self, flow: Flow) -> bool:
        """``SipNetwork``"""
        return self._network.alive(flow)

    def unanswered(self, connection: int) -> None:
        """``SipNetwork``"""
        self._network.unanswered(connection)

    def send(self, data: str, flow: Flow) -> bool:
        """``SipNetwork``; as the genuine server would send it."""
        return self._network.send(self.messages.altered(data), flow)


class GenuineUser:
    """Implements ``SipUser``: the core, behind what is done to messages."""

    def __init__(self, core: Core, network: GenuineNetwork) -> None:
        self._core = core
        silent = core.context.settings.defects.is_silent_without_owner
        self._received = ReceivedMessages(core, network.messages, network.send, silent=silent)

    def receive(self, text: str, flow: Flow) -> None:
        """``SipUser``; as the genuine server would read it."""
        heard = self._received.altered(text, flow)
        if heard:
            self._core.receive(heard, flow)

    def undelivered(self, beginning: str) -> None:
        """``SipUser``"""
        self._core.undelivered(beginning)

    def connection_lost(self, flow: Flow) -> None:
        """``SipUser``"""
        self._core.connection_lost(flow)


# Tested by tests/emulation/test_agreement.py.
