"""A whole server, a DNS server of the tests' own, and phones: where the requests of an application really arrive."""

from __future__ import annotations

import asyncio
import socket

from reference_server.config.model import RoutingConfiguration
from tests.conftest import Run
from tests.net.nameserver import Nameserver
from tests.test_server import Phone, serving


def _closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_call_to_a_domain_passes_a_dead_server_and_reaches_the_next(run: Run) -> None:
    async def story() -> None:
        async with Nameserver() as nameserver:
            routing = RoutingConfiguration(nameserver=nameserver.address)
            async with serving(routing=routing) as (server, application):
                client, phone = await application(), await Phone.to(server)
                nameserver.write(
                    'example NAPTR 1 1 "s" "SIP+D2U" "" servers\n'
                    f"servers SRV 1 0 {_closed_port()} here\nservers SRV 2 0 {phone.port} here\nhere A 127.0.0.1\n"
                )
                echo = await client.ask("sip||\r\nOPTIONS sip:carol@example.test SIP/2.0\r\nX-A: 1\r\n\r\n")
                request = await phone.came.get()
                assert request.startswith("OPTIONS sip:carol@example.test SIP/2.0\r\n")
                assert "\r\nX-A: 1\r\n" in request
                phone.answer(request)
                answer = await client.receive()
                assert answer.split("|")[8] == echo.split("|")[10]
                assert "\r\nSIP/2.0 200 OK\r\n" in answer
                phone.transport.close()

    run(story())


def test_calls_go_on_while_a_nameserver_is_silent(run: Run) -> None:
    async def story() -> None:
        async with Nameserver() as nameserver:
            nameserver.silent = {"*"}
            routing = RoutingConfiguration(nameserver=nameserver.address)
            async with serving(routing=routing) as (server, application):
                client, phone = await application(), await Phone.to(server)
                for number in range(200):
                    client.send(f"sip||\r\nOPTIONS sip:x@n{number}.test SIP/2.0\r\n\r\n")
                echo = await client.ask(f"sip||\r\nOPTIONS sip:carol@127.0.0.1:{phone.port} SIP/2.0\r\n\r\n")
                assert "|OK|application|" in echo
                async with asyncio.timeout(2):
                    phone.answer(await phone.came.get())
                    assert "\r\nSIP/2.0 200 OK\r\n" in await client.receive()
                phone.transport.close()

    run(story())
