"""All SIP that the conformance cases make the server emit, read by two parsers that are not ours.

What a new case brings is judged here without a word more: each kind of message that the server can emit is in some
case. A case whose messages cannot please a judge is listed with the reason; a listed one that pleases fails.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import sipmessage
from msgspec import Struct

from drachtio_conformance.cases.loader import load
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.embedded import EmbeddedServer, embedded
from drachtio_conformance.targets.settings import ServerSettings
from reference_server.core.ports import Flow
from tests.peers.capture import dissect

SCENARIOS = Path(__file__).parents[2] / "scenarios"

ODD = {
    (
        "response/headers/order-and-spelling",
        "Unrecognised SIP header (allow-bar)",
    ): "a header of the case's own",
    (
        "response/headers/order-and-spelling",
        "Unrecognised SIP header (foo-baz)",
    ): "a header of the case's own",
    ("response/headers/nul-in-a-body", "Trailing stray characters"): "tshark ends a body at its NUL",
}
"""(case, remark of tshark) → why it is no fault of the server"""

NO_ADDRESSES = {
    "out/requests/from-a-number": "a bare number is what the application gave",
    "out/requests/to-a-number": "a bare number is what the application gave",
    "robustness/slips/from-without-a-user": "the To of our BYE is the caller's From, as it came (SIP-46)",
}
"""case → why From or To of a request is no URI"""

REQUESTS = {
    "INVITE",
    "ACK",
    "CANCEL",
    "BYE",
    "OPTIONS",
    "INFO",
    "SUBSCRIBE",
    "NOTIFY",
    "PRACK",
    "UPDATE",
    "REFER",
}
"""of every application that is no proxy"""


class Emitted(Struct, frozen=True):
    """One message, and the case in which the server sent it."""

    case: str
    text: str


class EmittedSip:
    """Watches the SIP network."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """Keep what was sent."""
        if sent:
            self.texts.append(text)


class WatchedTarget:
    """Starts reference servers that somebody watches."""

    description = "reference server (embedded, watched)"
    embedded = True
    shared = True

    def __init__(self, watcher: EmittedSip) -> None:
        self._watcher = watcher

    async def start(self, settings: ServerSettings | None) -> EmbeddedServer:
        """A new server."""
        return await embedded(settings or ServerSettings(), taps=[self._watcher])


@pytest.fixture(scope="module")
def emitted() -> list[Emitted]:
    """What the server sends in all cases, each message of a case once."""
    watcher = EmittedSip()

    async def run() -> list[Emitted]:
        runner = Runner(WatchedTarget(watcher), Options(pace=Pace(deadline=10)))
        seen: dict[Emitted, None] = {}
        try:
            for case in load([SCENARIOS]):
                watcher.texts.clear()
                await runner.run_case(case)
                seen.update(dict.fromkeys(Emitted(case.name, text) for text in watcher.texts))
        finally:
            await runner.close()
        return list(seen)

    return asyncio.run(run())


def test_there_is_something_of_every_kind(emitted: list[Emitted]) -> None:
    kinds = {one.text.partition(" ")[0] for one in emitted}
    assert kinds >= {*REQUESTS, "SIP/2.0"}
    statuses = {one.text.split(" ", 2)[1] for one in emitted if one.text.startswith("SIP/2.0 ")}
    assert statuses >= {"100", "180", "183", "200", "400", "405", "481", "487", "503", "504", "505"}


def test_sipmessage_reads_every_message(emitted: list[Emitted]) -> None:
    no_addresses: set[str] = set()
    for one in emitted:
        message = sipmessage.Message.parse(one.text.encode("latin-1"))
        assert message.content_length == len(message.body), one
        if isinstance(message, sipmessage.Request):
            assert message.max_forwards is not None, one
            assert message.cseq is not None, one
            assert message.cseq.method == message.method, one
            branch = message.via[0].parameters["branch"]
            assert branch is not None, one
            assert branch.startswith("z9hG4bK"), one
            try:
                assert message.to_address is not None, one
                assert message.from_address is not None, one
            except ValueError:
                no_addresses.add(one.case)
            else:
                assert "tag" in message.from_address.parameters, one
        else:
            # Via, From and To are the caller's, who may have written anything.
            assert isinstance(message, sipmessage.Response)
            to = re.search(r"\r\nTo: ([^\r]*)", one.text)
            assert to is None or message.code == 100 or re.search(r";\s*tag\s*=", to[1]), one
    assert no_addresses == set(NO_ADDRESSES)


def test_tshark_has_nothing_to_remark(emitted: list[Emitted], tmp_path: Path) -> None:
    read = dissect([one.text for one in emitted], tmp_path / "emitted.pcap")
    remarks: set[tuple[str, str]] = set()
    for one, dissection in zip(emitted, read, strict=True):
        assert dissection.protocol.startswith("SIP"), one
        remarks.update((one.case, remark) for remark in dissection.complaints)
    assert remarks == set(ODD)
