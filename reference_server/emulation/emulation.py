"""All that is emulated put together, for the server that assembles itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import structs

from reference_server.admin.connection import AdminConnection
from reference_server.config.model import Configuration, Dialect
from reference_server.core.core import Core
from reference_server.core.defects import Defects
from reference_server.core.ports import SipNetwork, SipUser, Timers
from reference_server.emulation.calls import EarlyUpdates, InDialogRequests, ReInvites
from reference_server.emulation.control import EveryRoute, LostAnswers, Swallowed
from reference_server.emulation.door import GenuineDoor
from reference_server.emulation.frames import Filters, Silence
from reference_server.emulation.messages import CStrings, ReplacedHeaders, Uncovered
from reference_server.emulation.network import GenuineNetwork, GenuineUser, NoHosts
from reference_server.emulation.records import MissingRecords
from reference_server.emulation.releases import DEFECTS
from reference_server.emulation.responses import FormerAnswers, LengthOfTheInvite
from reference_server.emulation.stream import GenuineStream

FOR_EVER: Final = 365 * 86_400.0
"""seconds that are never over"""

WARNING: Final = (
    "The defects of genuine servers are emulated, their holes in security, too: applications need no secret, "
    "anybody may relay. This is for tests only, never for a network that others reach"
)


class Emulation:
    """The defects of one release."""

    def __init__(self, release: Dialect) -> None:
        self._release = release

    @property
    def warning(self) -> str:
        """What is said of it at the start."""
        return WARNING

    def as_genuine(self, configuration: Configuration) -> Configuration:
        """The configuration as the genuine server heeds it."""
        screening = configuration.screening
        return structs.replace(
            configuration,
            admin=structs.replace(configuration.admin, authentication_delay=0.0),  # DEV-236
            routing=structs.replace(configuration.routing, open_relay=True),  # DEV-132
            screening=structs.replace(  # DEV-141
                screening,
                action="reject",
                tcp_action="reject",
                spam=tuple(sign for sign in screening.spam if sign.name.lower() != "contact"),
            ),
            timers=structs.replace(configuration.timers, ringing=FOR_EVER, timer_c=FOR_EVER),  # DEV-74
            transports=structs.replace(configuration.transports, udp_mtu=0),  # DEV-140
        )

    @property
    def defects(self) -> Defects:
        """Those that the core brings about."""
        return DEFECTS[self._release]

    def frames(self, core: Core, timers: Timers) -> Filters:
        """What is done to frames."""
        return Filters(
            Silence(),
            LostAnswers(timers),
            Swallowed(),
            CStrings(),
            Uncovered(),
            ReplacedHeaders(self._network.messages.replaced),
            EveryRoute(),
            EarlyUpdates(core),
            ReInvites(),
            InDialogRequests(core),
            FormerAnswers(),
            LengthOfTheInvite(),
            MissingRecords(),
        )

    def door(self, secret: str) -> Callable[[AdminConnection], asyncio.Protocol]:
        """What stands before a connection of an application."""
        return lambda connection: GenuineDoor(connection, secret)

    @property
    def hosts(self) -> NoHosts:
        """What it knows of names without asking a name server."""
        return NoHosts()

    @property
    def stream(self) -> type[GenuineStream]:
        """How SIP is cut out of TCP connections."""
        return GenuineStream

    def network(self, network: SipNetwork) -> SipNetwork:
        """The network as the core sees it."""
        self._network = GenuineNetwork(network)
        return self._network

    def user(self, core: Core) -> SipUser:
        """The core as the network sees it."""
        return GenuineUser(core, self._network)


# Tested by tests/emulation/test_agreement.py.
