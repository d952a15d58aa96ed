"""The flows that are played: an application, a caller, both transports; each played once for all tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.messages import SeenMessage
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, LoadRun, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.processes import Line, NodeApplication, Server

APPLICATIONS = Path(__file__).with_name("apps")

CALLS = 4
"""calls of each flow by each transport"""


class Flow(Struct, frozen=True):
    """Who calls whom."""

    application: str
    """of ``apps/``"""
    scenario: str
    """of ``sipp/``"""
    last: str
    """what the application says when a call is over for it"""


FLOWS = (
    Flow("reject", "reject", "sent"),
    Flow("answer", "answered", "destroyed"),
    Flow("answer_hangup", "answered_callee_bye", "hung-up"),
    Flow("cancel", "cancel", "cancelled"),
    Flow("options", "options", "options"),
    Flow("message", "message", "message"),
    Flow("register", "register", "register"),
    Flow("reinvite", "reinvite", "destroyed"),
    Flow("update", "update", "destroyed"),
    Flow("early_media", "early_media", "destroyed"),
    Flow("subscribe", "subscribe", "over"),
    Flow("register_digest", "register_digest", "register"),
    Flow("answer_hangup", "route_set", "hung-up"),
    Flow("reliable", "prack", "destroyed"),
    Flow("reliable_hasty", "prack", "destroyed"),
    Flow("early_media", "prack", "destroyed"),
    Flow("refer", "refer", "told"),
    Flow("late_offer", "late_offer", "destroyed"),
    Flow("watched", "resubscribe", "over"),
)


class Played(Struct, frozen=True):
    """One flow by one transport, as the caller and the application saw it."""

    transport: str
    run: LoadRun
    said: list[Line]
    """lines of the application that tell of these calls"""
    connected: Line
    """its line about the connection to the server"""

    def sent(self, start: str) -> list[SeenMessage]:
        """What the caller sent that begins so."""
        return [seen for seen in self.run.messages if seen.sent and seen.start_line.startswith(start)]

    def received(self, start: str) -> list[SeenMessage]:
        """What the server sent that begins so."""
        return [seen for seen in self.run.messages if not seen.sent and seen.start_line.startswith(start)]

    def events(self, event: str) -> list[Line]:
        """What the application said of this kind."""
        return [line for line in self.said if line["event"] == event]

    def call_ids(self) -> list[str]:
        """The Call-ID of each call, in the order of their beginning."""
        return list(dict.fromkeys(seen.header("Call-ID") or "" for seen in self.run.messages if seen.sent))


class Flows:
    """Plays flows on one server, the applications on one version of drachtio-srf, and remembers them."""

    def __init__(self, server: Server, library: str, folder: Path) -> None:
        self.server = server
        self.library = library
        self._folder = folder
        self._played: dict[Flow, list[Played]] = {}

    def play(self, flow: Flow) -> Sequence[Played]:
        """The flow by UDP, then by TCP."""
        if flow not in self._played:
            script = APPLICATIONS / f"{flow.application}.js"
            application = NodeApplication(script, self.server.admin_port, library=self.library)
            try:
                self._played[flow] = [self._play(flow, application, by) for by in Transport]
            finally:
                application.stop()
        return self._played[flow]

    def _play(self, flow: Flow, application: NodeApplication, transport: Transport) -> Played:
        folder = self._folder / f"{flow.application}-{flow.scenario}-{transport}"
        folder.mkdir(exist_ok=True)  # it is there if the flow was played in vain
        plan = LoadPlan(
            scenario=find_scenario(flow.scenario),
            host="127.0.0.1",
            port=self.server.sip_port(transport),
            transport=transport,
            rate=40,
            calls=CALLS,
            credentials=("1001", "secret"),
            trace_messages=True,
        )
        before = len(application.events(flow.last))
        run = asyncio.run(run_sipp(plan, folder))
        assert judge(run).code is ExitCode.OK, judge(run).sentence
        application.wait_for_events(flow.last, before + CALLS)
        played = Played(transport, run, [], application.connected)
        calls = played.call_ids()
        said = [line for line in application.said if line.get("callId") in calls]
        return Played(transport, run, said, application.connected)
