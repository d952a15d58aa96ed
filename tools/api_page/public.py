"""What programs may import, by what they are after; every other module is our own business and may change."""

from __future__ import annotations

from msgspec import Struct


class Part(Struct, frozen=True):
    """One purpose."""

    title: str
    about: str
    example: str
    """a program that a test runs"""
    modules: tuple[str, ...]


PARTS = (
    Part(
        "A server in your own process",
        "For tests in Python: a reference server in the running event loop, on free ports of the loopback interface. "
        "It needs msgspec and nothing else. Its clock can be moved on, and it tells when it holds nothing any more.",
        """\
import asyncio

from reference_server.config.model import AdminConfiguration, Configuration, ContactConfiguration
from reference_server.server import Server

CONFIGURATION = Configuration(
    admin=AdminConfiguration(port=0, secret="cymru"),
    contacts=(ContactConfiguration(host="127.0.0.1", port=0),),
)


async def main() -> None:
    async with Server(CONFIGURATION) as server:
        print("applications:", server.admin_address, "phones:", server.hostports)
        await server.advance(32)  # what falls due in 32 seconds happens now
        assert not any(server.occupancy().values())


asyncio.run(main())
""",
        ("reference_server.server", "reference_server.config.model", "reference_server.config.reading"),
    ),
    Part(
        "A server and telephones for the tests of an application",
        "For tests of an application in any language: a server on free ports, telephones that do what a test says, "
        "the trace as a ladder. `ReferenceServer` is the same with `async`; pytest finds fixtures (`drachtio_server`, "
        "`phone`, `callee`, `advance`), see [Test your application](guides/test-your-application.md).",
        """\
from drachtio_testing import Options, SyncReferenceServer

with SyncReferenceServer(Options(lint=True)) as server:
    phone = server.phone("alice")
    assert phone.call("bob").status == 503  # no application has routed INVITE
    print(server.ladder())
    print(server.findings)
""",
        (
            "drachtio_testing.server",
            "drachtio_testing.synchronous",
            "drachtio_conformance.telephone.acts",
            "drachtio_conformance.telephone.telephone",
        ),
    ),
    Part(
        "An application and phones in a few lines",
        "For tests of a server: a session plays the steps of the suite, one after another, without `async`. A step "
        "that does not go as expected raises, with what was expected and what came. `ForeignTarget` takes the place of "
        "`EmbeddedTarget` where a server runs already.",
        """\
from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.control import Authenticate, Route
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest
from drachtio_conformance.targets.embedded import EmbeddedTarget

with Session(EmbeddedTarget()) as session:
    session.do(Authenticate())
    session.do(Route(verb="invite"))
    session.do(SipPeer(name="phone"))
    session.do(SipRequest(method="INVITE"))
    session.do(Expect(tokens="*|sip|network|**"))
    session.do(Respond(status=486))
    session.do(SipExpect(status=486, skip=["100"]))
""",
        (
            "drachtio_conformance.engine.session",
            "drachtio_conformance.targets.target",
            "drachtio_conformance.targets.embedded",
            "drachtio_conformance.targets.foreign",
            "drachtio_conformance.cases.case",
            "drachtio_conformance.steps.connections",
            "drachtio_conformance.steps.control",
            "drachtio_conformance.steps.send",
            "drachtio_conformance.steps.expect",
            "drachtio_conformance.steps.sip_send",
            "drachtio_conformance.steps.sip_expect",
            "drachtio_conformance.steps.absence",
            "drachtio_conformance.steps.stories",
            "drachtio_conformance.engine.results",
        ),
    ),
    Part(
        "Load",
        "What `drachtio-load run` does: SIPp calls a server, its statistics are judged.",
        """\
import asyncio
import tempfile
from pathlib import Path

from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, run_sipp
from drachtio_load.verdict import judge

plan = LoadPlan(scenario=find_scenario("options"), host="127.0.0.1", port=5060, calls=10, answer_within=1)
with tempfile.TemporaryDirectory() as folder:
    print(judge(asyncio.run(run_sipp(plan, Path(folder)))).sentence)
""",
        (
            "drachtio_load.scenarios",
            "drachtio_load.sipp",
            "drachtio_load.stopping",
            "drachtio_load.verdict",
            "drachtio_load.statistics",
            "drachtio_load.series",
            "drachtio_load.answers",
        ),
    ),
    Part(
        "Reading traffic",
        "The decoders of `msgtrace`: tolerant, for recordings of any kind, of servers that do right or wrong. They "
        "know nothing of the reference server.",
        """\
from msgtrace import frames, messages

for item in frames.decode(b"21#c72afaf3|route|invite"):
    assert isinstance(item, frames.Frame)
    message = messages.decode(item.payload)
    print(message.kind, {token.name: token.value for token in message.tokens})
""",
        (
            "msgtrace.frames",
            "msgtrace.messages",
            "msgtrace.sip",
            "msgtrace.entries",
            "msgtrace.recordings",
            "msgtrace.calls",
        ),
    ),
)

# Tested by tests/api_page/test_page.py.
