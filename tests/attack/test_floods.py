"""More connections, more octets and less reading than any honest peer: others are served on, and all of it ends."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.config.model import LimitConfiguration
from reference_server.sip.identifiers import Identifiers
from tests.admin.admin_port import admin_port
from tests.conftest import Run
from tests.test_server import SECRET, Phone, serving

ROOT = Path(__file__).parents[2]


def test_strangers_crowd_out_each_other_and_no_application(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            port.connections._strangers.most = 5
            application = await port.application("invite")
            strangers = [await port.client() for _ in range(8)]
            for stranger in strangers[:3]:
                assert await stranger.rest() == ""
            assert len(port.connections) == 6
            late = await port.application("invite")
            assert (await application.ask("ping")).endswith("|OK|pong")
            assert (await late.ask("ping")).endswith("|OK|pong")
            assert (await strangers[-1].ask("ping")).endswith("|NO|authentication required")

    run(story())


def test_a_stranger_that_leaves_costs_no_look_at_the_calls(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with admin_port() as port:
            lost: list[object] = []
            monkeypatch.setattr(port.world.core, "application_lost", lost.append)
            stranger = await port.client()
            await stranger.ask("ping")
            await stranger.close()
            application = await port.application()
            await application.close()
            while len(port.connections):
                await asyncio.sleep(0.001)
            assert len(lost) == 1

    run(story())


def test_who_does_not_read_cannot_keep_the_server_from_ending(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            silent = await application("invite")
            silent.reader._transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(40):
                silent.send(f"sip|{'t' * 200_000}|\r\nCANCEL x\r\n")
            await silent.writer.drain()
            other = await application("options")
            assert (await other.ask("ping")).endswith("|OK|pong")
            await asyncio.wait_for(server.stop(), 5)

    run(story())


async def sip_connection(server_port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server_port)


def test_connections_that_never_speak_make_room(run: Run) -> None:
    async def story() -> None:
        async with serving(limits=LimitConfiguration(sip_connections=5)) as (server, application):
            app = await application("options")
            port = int(server.hostports[1].rpartition(":")[2])
            speaking, writer = await sip_connection(port)
            request = OPTIONS.replace("BRANCH", "speaking")
            writer.write(request.encode())
            assert "OPTIONS" in await app.receive()
            silent = [await sip_connection(port) for _ in range(6)]
            for reader, _ in silent[:2]:
                assert await gone(reader)
            _, late = await sip_connection(port)
            late.write(OPTIONS.replace("BRANCH", "late").encode())
            assert "late" in await app.receive()
            writer.write(OPTIONS.replace("BRANCH", "again").encode())
            assert "again" in await app.receive()
            for one in (writer, late, *(writer for _, writer in silent)):
                one.close()
            assert not speaking.at_eof()

    run(story())


OPTIONS = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKBRANCH\r\n"
    "From: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: BRANCH\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


async def gone(reader: asyncio.StreamReader) -> bool:
    """Whether the connection was closed or reset."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def test_an_unfinished_message_is_not_waited_for_without_end(run: Run) -> None:
    async def story() -> None:
        async with serving(limits=LimitConfiguration(incomplete_message_timeout=0.2)) as (
            server,
            application,
        ):
            app = await application("options")
            port = int(server.hostports[1].rpartition(":")[2])
            reader, writer = await sip_connection(port)
            whole = OPTIONS.replace("BRANCH", "one").encode()
            writer.write(whole + whole[:50])
            assert "OPTIONS" in await app.receive()
            assert await gone(reader)
            idle, idler = await sip_connection(port)
            idler.write(b"\r\n\r\n")
            assert await idle.readexactly(2) == b"\r\n"
            idler.write(whole)
            idler.write(OPTIONS.replace("BRANCH", "two").encode())
            assert "two" in await app.receive()
            await asyncio.sleep(
                0.3
            )  # nothing is unfinished, so nothing happens: there is no event to wait for
            assert not idle.at_eof()
            writer.close()
            idler.close()

    run(story())


def test_unfinished_messages_have_a_limit_together(run: Run) -> None:
    async def story() -> None:
        async with serving(limits=LimitConfiguration(kept_for_peers=600_000)) as (server, application):
            app = await application("options")
            port = int(server.hostports[1].rpartition(":")[2])
            head = OPTIONS.replace("Content-Length: 0", "Content-Length: 1000000").encode()
            greedy, first = await sip_connection(port)
            first.write(head + b"x" * 250_000)
            await first.drain()
            modest, second = await sip_connection(port)
            second.write(head + b"x" * 100_000)
            assert await gone(greedy), "the one that keeps most"
            _, third = await sip_connection(port)
            third.write(OPTIONS.replace("BRANCH", "third").encode())
            assert "third" in await app.receive()
            assert not modest.at_eof()
            for writer in (first, second, third):
                writer.close()

    run(story())


def test_invites_without_ack_to_an_application_that_never_answers(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            app = await application("invite")
            flood = await Phone.to(server)
            for number in range(150):
                flood.transport.sendto(invite(flood.port, number))
                if number % 50 == 49:
                    for _ in range(50):
                        assert "100 Trying" in await flood.came.get()
            assert server.occupancy()["pending requests"] == 150
            for _ in range(150):
                assert "INVITE" in await app.receive()
            await server.advance(65)
            assert server.occupancy()["pending requests"] == 0
            for _ in range(150):
                assert "CANCEL" in await app.receive(), "it learns that each is over"
            await server.advance(33)
            tables = server.occupancy()
            assert (tables["server transactions"], tables["timers"]) == (0, 0)
            caller = await Phone.to(server)
            caller.send("INVITE")
            assert await caller.status() == 100
            offered = await app.receive()
            assert "INVITE" in offered
            app.send(f"sip|{offered.split('|')[8]}|\r\nSIP/2.0 486 Busy Here\r\n\r\n")
            assert await caller.status() == 486
            caller.send("ACK", same=True)
            caller.transport.close()
            flood.transport.close()

    run(story())


def invite(port: int, number: int) -> bytes:
    return (
        f"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKf{number}\r\n"
        f"From: <sip:a@127.0.0.1>;tag=f{number}\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: f{number}\r\n"
        f"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class Process:
    """A server process with few descriptors."""

    def __init__(self, loop: str, descriptors: int) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "reference_server.cli", "--secret", SECRET, "--port", "0"),
                *("--loop", loop, "--contact", "sip:127.0.0.1:0", "--loglevel", "notice"),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        host, _, port = ready["admin"].rpartition(":")
        self.admin = (host, int(port))
        self.sip = ("127.0.0.1", int(ready["sip"][1].rpartition(":")[2]))

    def end(self) -> int:
        """Stop it as a user does; the status."""
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.stdout.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    """A process that may have 100 descriptors."""
    started = Process(request.param, 100)
    yield started
    assert started.end() == 0


def test_a_lack_of_descriptors_is_survived(process: Process) -> None:
    held = [socket.create_connection(process.admin, 10) for _ in range(150)]
    held += [socket.create_connection(process.sip, 10) for _ in range(150)]
    with socket.create_connection(process.admin, 10) as application:
        application.sendall(f"{18 + len(SECRET)}#id1|authenticate|{SECRET}|8#id2|ping".encode())
        answers = b""
        while not answers.endswith(b"|OK|pong"):
            came = application.recv(4096)
            assert came, answers
            answers += came
    for one in held:
        one.close()


def test_identifiers_of_two_connections_share_nothing_that_can_be_guessed() -> None:
    identifiers = Identifiers(os.urandom)
    transaction_ids = {identifiers.uuid() for _ in range(10_000)}
    assert len(transaction_ids) == 10_000
    first, second = identifiers.message_ids(), identifiers.message_ids()
    assert first.next()[:23] != second.next()[:23]


def test_peers_that_spoke_once_lock_nobody_out(run: Run) -> None:
    async def story() -> None:
        async with serving(limits=LimitConfiguration(sip_connections=5)) as (server, application):
            app = await application("options")
            port = int(server.hostports[1].rpartition(":")[2])
            idle = []
            for number in range(5):
                idle.append(await sip_connection(port))
                idle[-1][1].write(OPTIONS.replace("BRANCH", f"idle{number}").encode())
                assert f"idle{number}" in await app.receive()
            _, writer = await sip_connection(port)
            assert await gone(idle[0][0]), "the longest silent"
            writer.write(OPTIONS.replace("BRANCH", "late").encode())
            assert "late" in await app.receive()
            for _, one in (*idle, (None, writer)):
                one.close()

    run(story())


def test_refused_ones_that_do_not_close_keep_no_application_out(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            port.connections._strangers.most = 20
            refused = [await port.client() for _ in range(100)]
            for one in refused:
                one.write(b"x")
            for one in refused[:80]:
                assert await gone(one.reader)
            assert port.connections.sockets <= 21
            application = await port.application("invite")
            assert (await application.ask("ping")).endswith("|OK|pong")

    run(story())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("descriptors", [64, 40])
def test_strangers_leave_what_the_server_itself_needs(loop: str, descriptors: int) -> None:
    started = Process(loop, descriptors)
    each = descriptors + 20  # more than there are, and no more than wait to be accepted
    strangers = [connected(address) for address in each * [started.admin, started.sip]]
    with socket.create_connection(started.admin, 10) as application:
        application.sendall(f"{18 + len(SECRET)}#id1|authenticate|{SECRET}|8#id2|ping".encode())
        answers = b""
        while not answers.endswith(b"|OK|pong"):
            came = application.recv(4096)
            assert came, answers
            answers += came
        with socket.create_server(("127.0.0.1", 0)) as callee:
            callee.settimeout(10)
            host, number = callee.getsockname()
            request = (
                f"id3|sip||\r\nOPTIONS sip:{host}:{number};transport=tcp SIP/2.0\r\n"
                f"From: <sip:a@h>\r\nTo: <sip:b@h>\r\n\r\n"
            )
            application.sendall(f"{len(request)}#{request}".encode())
            theirs, _ = callee.accept()
            with theirs:
                assert theirs.recv(4096).startswith(b"OPTIONS sip:")
    for one in strangers:
        one.close()
    assert started.end() == 0


def connected(address: tuple[str, int]) -> socket.socket:
    """A stranger."""
    return socket.create_connection(address, 10)
