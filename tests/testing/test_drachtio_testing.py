"""A server and telephones for tests: with ``async``, without, and as fixtures of pytest."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from drachtio_testing import Options, ReferenceServer, SyncReferenceServer, acts
from drachtio_testing.server import Transport
from drachtio_testing.synchronous import SyncPhone
from tests.admin.admin_port import Client
from tests.conformance.client.reference_app import APP


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


async def answering(client: Client) -> None:
    """An application that answers everything 200, and hangs up when it gets the digit 0."""
    while True:
        frame = await client.receive()
        tokens, _, message = frame.partition("\r\n")
        if "|sip|network|" not in tokens or message.startswith("ACK"):
            continue
        transaction, dialog = tokens.split("|")[8:10]
        body = message.partition("\r\n\r\n")[2] if message.startswith("INVITE") else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        client.send(f"sip|{transaction}|\r\nSIP/2.0 200 OK\r\n{kind}\r\n{body}")
        if "Signal=0" in message:
            client.send(f"sip||{dialog}\r\nBYE sip:x SIP/2.0\r\n\r\n")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "ws", "wss"])
def test_scripts_on_each_transport(transport: Transport) -> None:
    async def story() -> None:
        async with ReferenceServer(Options(transports=("tls", "ws", "wss"))) as server:
            client = await application(server, "invite")
            working = asyncio.ensure_future(answering(client))
            phone = await server.phone("alice", transport)
            played = await phone.play(acts.Dtmf("1"), acts.Hold(0.05), user="bob")
            assert (played.good, played.status) == (True, 200), played.sentence
            assert [done.act for done in played.did] == ["call", "dtmf", "hold"]
            further = await phone.go_on(acts.Reinvite(), acts.Dtmf("0"), acts.HungUp(5))
            assert further.good, further.sentence
            with pytest.raises(ValueError, match="there is no call that is up"):
                await phone.go_on(acts.Reinvite())
            with pytest.raises(ValueError, match="ring is what a callee does, not a caller"):
                await phone.play(acts.Ring())
            assert "alice" in server.ladder()
            working.cancel()
            await client.close()

    asyncio.run(story())


def test_a_transport_that_was_not_asked_for() -> None:
    async def story() -> None:
        async with ReferenceServer() as server:
            with pytest.raises(ValueError, match=r"the server has udp, tcp, not tls: Options\(transports="):
                await server.phone("x", "tls")
            phone = await server.phone()
            with pytest.raises(AssertionError, match=r"phone: expected a call, none came within 0\.05 s"):
                await phone.take(within=0.05)

    asyncio.run(story())


def test_harm_while_the_server_runs() -> None:
    async def story() -> None:
        async with ReferenceServer() as server:
            client = await application(server)
            assert server.set_faults("random=0.5").startswith("random=0.5:")
            assert server.faults.startswith("random=0.5:")
            assert server.set_faults("extra-tokens") == "extra-tokens"
            assert (await client.ask("ping")).endswith("|OK|pong|later|more")
            with pytest.raises(ValueError, match="there is no fault 'rain'"):
                server.set_faults("rain")
            assert server.set_faults("") == ""
            assert (await client.ask("ping")).endswith("|OK|pong")
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
        assert server.set_faults("no-pong") == "no-pong" == server.faults
        assert server.set_faults("") == ""
        assert server.occupancy()
        assert any(event.source == "alice" for event in server.trace)
        assert server.findings == []
        assert "alice" in server.ladder(80)
        assert server.sip("tcp").startswith("127.0.0.1:")


@contextmanager
def app_process(environment: dict[str, str]) -> Iterator[None]:
    """The conformance app, which is killed whatever happens."""
    with subprocess.Popen(
        [sys.executable, str(APP)],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as app:
        try:
            yield
        finally:
            app.kill()


def test_scripts_without_async() -> None:
    """The application calls one telephone when the other asks it to."""
    with SyncReferenceServer() as server:
        told = {
            "DRACHTIO_HOST": server.host,
            "DRACHTIO_PORT": str(server.port),
            "DRACHTIO_SECRET": server.secret,
        }
        with app_process(told):
            server.applications(1, routed=["message"])
            phone, callee = server.phone("alice"), server.phone("carol")
            for script, sentence in (
                ((acts.Ring(), acts.Answer(486)), "rang for 0 s; answered 486"),
                (
                    (acts.Hold(0.05), acts.HangUp()),
                    "answered 200; on hold for 0.05 s: 200 OK (sendrecv); taken back: 200 OK (sendrecv); "
                    "hung up after 0 s: 200 OK",
                ),
            ):
                taking = callee.taking(*script)
                job = {"do": "call", "id": "1", "uri": callee.uri}
                phone.send("MESSAGE", "do", headers={"Content-Type": "text/plain"}, body=json.dumps(job))
                phone.receive(200)
                taken = taking.end()
                assert (taken.good, taken.sentence) == (True, sentence)
            before = len(server.trace)
            playing = phone.playing(acts.NoAck(), user="answer")
            assert server.happens("200 OK (INVITE)", times=3, since=before).at
            server.advance(32)
            assert playing.end().sentence == "answered 200 OK, not acknowledged: the other side hung up"
            assert phone.play(acts.Dtmf("1"), user="answer").good
            assert phone.go_on(acts.HangUp()).good
            with pytest.raises(AssertionError, match="carol: expected a call"):
                callee.take(within=0.05)
            with pytest.raises(
                TimeoutError, match=r"'487 Request' has been seen 0 times, not 1, within 0\.05 s"
            ):
                server.happens("487 Request", within=0.05)  # 487 alone may be part of a port


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
