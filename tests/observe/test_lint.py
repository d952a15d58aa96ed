"""What a server says of its applications, and what a strict one refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.admin.interceptors import in_a_row
from reference_server.config.fault import faults
from reference_server.config.model import AdminConfiguration, Configuration, ContactConfiguration
from reference_server.observe.lint import Lint
from reference_server.server import Server
from tests.admin.admin_port import Client
from tests.conftest import Run


class Heard:
    """A tap that keeps what lint says."""

    def __init__(self) -> None:
        self.rules: list[str] = []
        self.details: list[dict[str, str | int]] = []

    def event(self, name: str, **details: str | int) -> None:
        if name == "lint":
            self.rules.append(str(details["rule"]))
            self.details.append(details)


@asynccontextmanager
async def serving(
    *, lint: bool = False, strict: bool = False, fault: str = ""
) -> AsyncIterator[tuple[Server, Heard]]:
    heard = Heard()
    configuration = Configuration(
        admin=AdminConfiguration(port=0, secret="cymru"),
        contacts=(ContactConfiguration(port=0),),
        lint=lint,
        strict=strict,
        faults=faults(fault) if fault else (),
    )
    server = Server(configuration, taps=[heard])
    await server.start()
    try:
        yield server, heard
    finally:
        await server.stop()


def test_a_server_that_lints(run: Run) -> None:
    async def story() -> None:
        async with serving(lint=True) as (server, heard):
            client = Client(*await asyncio.open_connection(*server.admin_address))
            assert "|OK|" in await client.ask("authenticate|cymru|")
            assert (await client.ask("route|INVITE")).endswith("|OK")
            assert heard.rules == ["verb-in-capitals"]
            (told,) = heard.details
            assert told["clause"] == "APP-6"
            assert told["what"] == "route|INVITE matches no request"
            assert "lower case" in str(told["remedy"])
            await client.close()

    run(story())


def test_a_strict_server(run: Run) -> None:
    async def story() -> None:
        async with serving(strict=True) as (server, heard):
            client = Client(*await asyncio.open_connection(*server.admin_address))
            await client.ask("authenticate|cymru|")
            refused = await client.ask("route|INVITE")
            assert "|NOK|strict: APP-6: route|INVITE matches no request. Write verbs in lower case" in refused
            assert (await client.ask("route|invite")).endswith("|OK")
            assert heard.rules == ["verb-in-capitals"]
            await client.close()

    run(story())


def test_strict_and_faults_in_a_row(run: Run) -> None:
    async def story() -> None:
        async with serving(strict=True, fault="extra-tokens") as (server, _):
            client = Client(*await asyncio.open_connection(*server.admin_address))
            assert (await client.ask("authenticate|cymru|")).endswith("|later|more")
            assert "|NOK|strict: " in await client.ask("route|INVITE")
            await client.close()

    run(story())


def test_without_either_nothing_stands_at_the_seam(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, heard):
            client = Client(*await asyncio.open_connection(*server.admin_address))
            await client.ask("authenticate|cymru|")
            await client.ask("route|INVITE")
            assert heard.rules == []
            await client.close()

    run(story())
    assert in_a_row(None, None) is None


@pytest.mark.parametrize(
    ("name", "details", "rule"),
    [
        ("nobody-routed", {"verb": "invite", "source": "h"}, "nobody-routed"),
        ("application-silent", {"connection": 1, "method": "OPTIONS", "transaction": "t"}, "never-answered"),
        ("admin-refused", {"connection": 1, "reason": "framing error: expected …"}, "no-frame"),
        ("admin-refused", {"connection": 1, "reason": "incorrect secret"}, ""),
    ],
)
def test_what_events_tell(name: str, details: dict[str, str | int], rule: str) -> None:
    heard = Heard()
    Lint(heard.event).event(name, **details)
    assert heard.rules == ([rule] if rule else [])


def test_the_end_of_a_connection() -> None:
    heard = Heard()
    lint = Lint(heard.event)
    lint.frame(1, False, "a|authenticate|*")
    lint.frame(1, True, "x|response|a|OK|udp/h:5060")
    lint.frame(1, False, "b|route|message")
    lint.event("admin-disconnected", connection=1)
    assert heard.rules == ["route-never-used"]


def test_a_request_that_is_left(run: Run) -> None:
    """The server itself tells that it has answered 504."""

    async def story() -> None:
        async with serving(lint=True) as (server, heard):
            client = Client(*await asyncio.open_connection(*server.admin_address))
            await client.ask("authenticate|cymru|")
            await client.ask("route|options")
            loop, host = asyncio.get_running_loop(), server.hostports[0].partition("/")[2]
            address = (host.rpartition(":")[0], int(host.rpartition(":")[2]))
            phone, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
            phone.sendto(
                f"OPTIONS sip:bob@{host} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()
            )
            assert "OPTIONS" in await client.receive()
            await server.advance(32)
            assert heard.rules == ["never-answered"]
            phone.close()
            await client.close()

    run(story())
