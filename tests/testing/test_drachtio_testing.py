"""A server and telephones for tests: with ``async``, without, and as fixtures of pytest."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from drachtio_testing import Options, ReferenceServer, SyncReferenceServer
from drachtio_testing.synchronous import SyncPhone
from tests.admin.admin_port import Client


async def application(server: ReferenceServer, *verbs: str) -> Client:
    """An application that has authenticated and routed."""
    client = Client(*await asyncio.open_connection(server.host, server.port))
    await client.ask(f"authenticate|{server.secret}|")
    for verb in verbs:
        await client.ask(f"route|{verb}")
    return client


def test_with_async() -> None:
    async def story() -> None:
        async with ReferenceServer() as server:
            client = await application(server, "invite")
            await server.applications(1, routed=["invite"])
            phone = await server.phone("alice", "tcp")
            calling = asyncio.ensure_future(phone.call("bob"))
            transaction = (await client.receive()).split("|")[8]
            client.send(f"sip|{transaction}|\r\nSIP/2.0 486 Busy Here\r\n\r\n")
            assert (await calling).status == 486
            summaries = [event.summary for event in server.trace if event.kind == "sip"]
            assert summaries[0].startswith("INVITE sip:bob@")
            assert "486 Busy Here (INVITE)" in summaries
            assert "alice" in server.ladder()
            assert server.secret not in server.ladder()
            await client.close()

    asyncio.run(story())


def test_as_a_callee_of_the_application() -> None:
    async def story() -> None:
        async with ReferenceServer() as server:
            client = await application(server)
            callee = await server.phone("carol")
            answering = asyncio.ensure_future(callee.answer())
            client.send(f"sip||\r\nINVITE {callee.uri} SIP/2.0\r\n\r\nv=0\r\n")
            frames = [await client.receive() for _ in range(3)]
            dialog = frames[2].split("|")[9]
            client.send(f"sip||{dialog}\r\nACK sip:x SIP/2.0\r\n\r\n")
            invite = await answering
            assert invite.method == "INVITE"
            await client.receive()
            bye = asyncio.ensure_future(callee.hang_up())
            frame = await client.receive()
            client.send(f"sip|{frame.split('|')[8]}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert (await bye).status == 200
            await client.close()

    asyncio.run(story())


def test_a_telephone_says_what_came_instead() -> None:
    async def story() -> None:
        async with ReferenceServer(Options(patience=0.2)) as server:
            phone = await server.phone()
            phone.send("OPTIONS")
            with pytest.raises(AssertionError, match=r"phone: expected 200, got 503 .*OPTIONS"):
                await phone.receive(200)
            with pytest.raises(AssertionError, match=r"phone: expected BYE, nothing came within 0\.2 s"):
                await phone.receive("BYE")
            with pytest.raises(TimeoutError, match="1 applications"):
                await server.applications(1)

    asyncio.run(story())


def test_what_a_server_is_told() -> None:
    async def story() -> None:
        async with ReferenceServer(Options(lint=True, dialect="0.8", cdrs=True)) as server:
            client = await application(server, "INVITE")
            assert server.findings == ["APP-6: route|INVITE matches no request"]
            await client.close()

    asyncio.run(story())


def test_before_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = ReferenceServer().port


def test_without_async() -> None:
    with SyncReferenceServer(Options(patience=2)) as server:
        with socket.create_connection((server.host, server.port)) as connection:
            payload = f"a|authenticate|{server.secret}|"
            connection.sendall(f"{len(payload)}#{payload}".encode())
            server.applications(1)
        phone = server.phone("alice")
        assert phone.call("bob").status == 503
        phone.send("OPTIONS")
        phone.receive(503)
        phone.send("INVITE", "sip:bob@example.invalid")
        phone.receive(503)
        phone.ack()
        server.advance(32)
        assert server.occupancy()
        assert any(event.source == "alice" for event in server.trace)
        assert server.findings == []
        assert "alice" in server.ladder(80)
        assert server.sip("tcp").startswith("127.0.0.1:")


@pytest.mark.drachtio(lint=True)
def test_as_fixtures(
    phone: SyncPhone,
    callee: SyncPhone,
    drachtio_server: SyncReferenceServer,
    drachtio_trace: Callable[[], list[object]],
    advance: Callable[[float], None],
) -> None:
    assert phone.call("bob").status == 503
    assert drachtio_server.findings == ["CALL-2: invite came, and no application has routed it"]
    assert callee.uri.startswith("sip:callee@127.0.0.1:")
    assert drachtio_trace()
    advance(32)
