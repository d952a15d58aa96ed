"""One admin connection on a real socket: framing, the gate, answers, limits, the end."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest
from msgspec import structs

from reference_server.admin import connection as connection_module
from reference_server.admin.connection import AdminConnection
from reference_server.config.model import LimitConfiguration
from reference_server.wire.framing import encode_frame
from tests.admin.admin_port import HOSTPORTS, LOCAL_HOSTPORTS, SECRET, AdminPort, Client, admin_port
from tests.conftest import Run
from tests.core.world import Phone, status_of, statuses_of

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def until_quiet(client: Client) -> None:
    """Everything that was written before has been handled: a ping behind it is answered."""
    assert (await client.ask("ping")).endswith("|OK|pong")


def test_authenticate(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            answer = await client.ask(f"authenticate|{SECRET}|")
            message_id, *tokens = answer.split("|")
            assert UUID.fullmatch(message_id)
            assert tokens == ["response", "id1", "OK", HOSTPORTS, "v0.9.5-test", LOCAL_HOSTPORTS]

    run(story())


def test_authenticate_in_the_0_8_dialect(run: Run) -> None:
    async def story() -> None:
        async with admin_port(dialect_0_8=True) as port:
            client = await port.client()
            assert (await client.ask(f"authenticate|{SECRET}")).split("|")[1:] == [
                "response",
                "id1",
                "OK",
                HOSTPORTS,
            ]

    run(story())


@pytest.mark.parametrize(
    "secret", ["", "wrong", "Cymru", "cymru ", " cymru", "cymr", "cymruu", "cymru\0", "\xff"]
)
def test_a_wrong_secret(run: Run, secret: str) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            client.write(encode_frame(f"id1|authenticate|{secret}|") + encode_frame("id2|ping"))
            answer = await client.rest()
            assert answer.endswith("|response|id1|NO|incorrect secret")
            assert answer.count("#") == 1, "what is queued behind is not handled"
            assert len(port.connections) == 0

    run(story())


def test_a_secret_in_utf_8(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            port.context.configure(
                structs.replace(port.context.configuration, secret="пароль"), port.context.limits
            )
            client = await port.client()
            assert "|OK|" in await client.ask("authenticate|" + "пароль".encode().decode("latin-1"))

    run(story())


def test_authenticating_again_adds_tags_and_a_wrong_secret_still_ends_it(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("options", tags="a,b")
            assert "|OK|" in await client.ask(f"authenticate|{SECRET}|,c")
            for tag in "abc":
                assert port.world.registry.select("options", tag) is not None
            assert port.world.registry.select("options", "d") is None
            client.send("authenticate|wrong")
            assert (await client.rest()).endswith("|NO|incorrect secret")
            assert port.world.registry.select("options") is None

    run(story())


@pytest.mark.parametrize(
    "payload",
    [
        "id1|ping",
        "id1|route|invite",
        "id1|remove_route|invite",
        "id1|sip|x|\r\nSIP/2.0 200 OK\r\n\r\n",
        "id1|sip",
        "id1|route",
        "id1|proxy|x",
        "id1|nonsense",
        "id1|PING",
        "id1",
    ],
)
def test_nothing_but_authenticate_before_authentication(run: Run, payload: str) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            client.write(encode_frame(payload) + encode_frame(f"id2|authenticate|{SECRET}"))
            answer = await client.rest()
            assert answer.endswith("|response|id1|NO|authentication required")
            assert len(port.world.registry) == 0

    run(story())


def test_a_broken_authenticate_is_named_as_such(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            client.write(encode_frame("id1|authenticate"))
            assert (await client.rest()).endswith("|response|id1|NO|Invalid message format")

    run(story())


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ("id1|route", "id1|NO|Invalid message format"),
        ("id1|remove_route", "id1|NO|Invalid message format"),
        ("id1|sip", "id1|NO|Invalid message format"),
        ("id1", "id1|NO|Invalid message format"),
        ("id1|nonsense", "id1|NO|Unknown message type"),
        ("\xff\xfe|nonsense", "\xff\xfe|NO|Unknown message type"),
        ("id1|proxy|x", "id1|NO|Invalid proxy request: not enough information provided"),
        ("id1|sip||\r\nSIP/2.0 200 OK\r\n\r\n", "id1|NO|transaction id missing"),
    ],
)
def test_errors_that_end_the_connection(run: Run, payload: str, answer: str) -> None:
    async def story() -> None:
        async with admin_port() as port:
            other = await port.application("options")
            client = await port.application()
            client.write(encode_frame(payload) + encode_frame("id9|ping"))
            rest = await client.rest()
            assert rest.endswith(f"|response|{answer}")
            assert "id9" not in rest
            await until_quiet(other)

    run(story())


def test_each_frame_gets_its_answer_in_order(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            client.write(b"".join(encode_frame(f"p{number}|ping") for number in range(1000)))
            for number in range(1000):
                assert (await client.receive()).split("|")[1:] == ["response", f"p{number}", "OK", "pong"]

    run(story())


def test_octet_by_octet(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            accepted = client.writer.get_extra_info("socket")
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for octet in (
                encode_frame(f"id1|authenticate|{SECRET}|\xff") + b"0#" + encode_frame("|ping\r\nx: \0")
            ):
                client.write(bytes([octet]))
                await client.writer.drain()
                await asyncio.sleep(0)
            assert "|id1|OK|" in await client.receive()
            assert (await client.receive()).endswith("|response||OK|pong")

    run(story())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello", "framing error: expected 1–8 digits and '#', got 'hello' at byte 0"),
        (b"#id1|ping", "framing error: expected 1–8 digits and '#', got '#id1\\x7cping' at byte 0"),
        (
            b"8#id1|ping\r\n8#id2|ping",
            "framing error: expected 1–8 digits and '#', got '\\r\\n8#id2\\x7cping' at byte 10",
        ),
        (
            b"99999999#",
            "framing error: expected a payload of at most 16777216 bytes, got 99999999 bytes at byte 0",
        ),
    ],
)
def test_framing_errors(run: Run, data: bytes, text: str) -> None:
    async def story() -> None:
        async with admin_port() as port:
            other = await port.application()
            client = await port.client()
            greeting = encode_frame(f"id0|authenticate|{SECRET}")
            client.write(greeting)
            await client.receive()
            client.write(data)
            rest = await client.rest()
            # The octet is that of the stream, in which the authentication came first.
            *_, place = text.split(" ")
            at = text.removesuffix(place) + str(int(place) + len(greeting))
            assert rest.encode("latin-1").decode().endswith(f"|response||NO|{at}")
            if b"id1" in data and data.startswith(b"8"):
                assert "|response|id1|OK|pong" in rest
            length, _, payload = rest[rest.rindex("#", 0, rest.rindex("|NO|")) - 3 :].partition("#")
            assert int(length.lstrip("gn")) == len(payload), "counted in octets"
            await until_quiet(other)

    run(story())


@pytest.mark.parametrize(("size", "fits"), [(4096, True), (4097, False)])
def test_the_limit_before_authentication(run: Run, size: int, fits: bool) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            start = f"id1|authenticate|{SECRET}|"
            client.write(encode_frame(start + "x" * (size - len(start))))
            if fits:
                assert "|id1|OK|" in await client.receive()
                client.write(encode_frame("id2|ping|" + "x" * 100_000))
                assert (await client.receive()).endswith("|id2|OK|pong")
            else:
                assert "NO|framing error: expected a payload of at most 4096 bytes" in await client.rest()

    run(story())


def test_the_configured_limits(run: Run) -> None:
    async def story() -> None:
        async with admin_port(frame_limit=100, frame_limit_before_authentication=50) as port:
            client = await port.application()
            client.write(encode_frame("id2|ping|" + "x" * 91))
            assert (await client.receive()).endswith("|id2|OK|pong")
            client.write(encode_frame("id3|ping|" + "x" * 92))
            assert "NO|framing error: expected a payload of at most 100 bytes" in await client.rest()

    run(story())


def test_a_frame_of_the_greatest_size_in_many_pieces(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            frame = encode_frame("id2|ping|".ljust(16 * 1024 * 1024, "x"))
            for start in range(0, len(frame), 1_000_000):
                client.write(frame[start : start + 1_000_000])
                await client.writer.drain()
            assert (await client.receive()).endswith("|id2|OK|pong")

    run(story())


def test_the_answer_arrives_although_more_was_sent_than_was_read(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            client.write(b"20000000#" + b"x" * 20_000_000)
            assert "NO|framing error: expected a payload of at most 16777216 bytes" in await client.rest()

    run(story())


@pytest.mark.parametrize(("authenticated", "seconds"), [(False, 10.0), (True, 60.0)])
@pytest.mark.parametrize("piece", [b"5", b"50#abc", b"8#id1|ping8#id2"])
def test_an_incomplete_frame_ends_the_connection(
    run: Run, authenticated: bool, seconds: float, piece: bytes
) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application() if authenticated else await port.client()
            if not authenticated and b"ping" in piece:
                return
            client.write(piece)
            while not len(port.world.clock.timers):
                await asyncio.sleep(0)
            port.world.advance(seconds - 0.5)
            assert len(port.connections) == 1
            port.world.advance(0.5)
            assert len(port.connections) == 0
            await client.rest()

    run(story())


@pytest.mark.parametrize("pieces", [[b"8#id1", b"|ping"], [b"0", b"#"], [b"8", b"#id1|ping", b"0", b"0#"]])
def test_a_frame_that_is_completed_in_time_leaves_no_timer(run: Run, pieces: list[bytes]) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            for piece in pieces[:-1]:
                client.write(piece)
                while not len(port.world.clock.timers):
                    await asyncio.sleep(0)
            client.write(pieces[-1])
            while len(port.world.clock.timers):
                await asyncio.sleep(0)
            port.world.advance(1000)
            assert len(port.connections) == 1

    run(story())


def test_drops_of_one_frame_do_not_restart_its_time(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            for octet in b"50#abcdef":
                client.write(bytes([octet]))
                while not len(port.world.clock.timers):
                    await asyncio.sleep(0)
                port.world.advance(7)
            await client.rest()
            assert "admin-incomplete-frame" in port.tap.names()

    run(story())


def test_an_idle_connection_stays(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            silent, known = await port.client(), await port.application()
            port.world.advance(1_000_000)
            await until_quiet(known)
            assert "|OK|" in await silent.ask(f"authenticate|{SECRET}")

    run(story())


def test_routes(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("invite", "options")
            assert (await client.ask("remove_route|invite")).endswith("|OK")
            assert (await client.ask("remove_route|never")).endswith("|OK")
            assert port.world.registry.select("invite") is None
            assert port.world.registry.select("options") is not None
            await client.close()
            while len(port.connections):
                await asyncio.sleep(0)
            assert len(port.world.registry) == 0

    run(story())


def test_a_call_through_the_port(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("message")
            phone = Phone(port.world)
            phone.send("MESSAGE", body="v=0 \xe2\x98\x8e")
            offered = await client.receive()
            transaction_id = offered.split("|")[8]
            answer = await client.ask(
                f"sip|{transaction_id}|\r\nSIP/2.0 200 OK\r\nSubject: \xe2\x98\x8e\r\n\r\n\xff\0"
            )
            assert "|OK|application|" in answer
            (sent,) = port.world.network.take()
            assert answer.endswith(sent)
            assert sent.endswith("\r\n\r\n\xff\0")

    run(story())


def test_the_0_8_dialect_counts_code_points_of_what_it_says_about_sip(run: Run) -> None:
    async def story() -> None:
        async with admin_port(dialect_0_8=True) as port:
            client = await port.application("message")
            Phone(port.world).send("MESSAGE", "Subject: \xe2\x98\x8e")
            digits = int((await client.reader.readuntil(b"#"))[:-1])
            offered = await client.reader.readexactly(digits + 2)
            assert len(offered.decode()) == digits
            transaction_id = offered.split(b"|")[8].decode()
            client.send(f"sip|{transaction_id}|\r\nSIP/2.0 200 \xe2\x98\x8e\r\n\r\n")
            digits = int((await client.reader.readuntil(b"#"))[:-1])
            assert len((await client.reader.readexactly(digits + 2)).decode()) == digits
            await until_quiet(client)

    run(story())


def test_in_the_0_8_dialect_what_is_no_utf_8_is_left_out(run: Run) -> None:
    async def story() -> None:
        async with admin_port(dialect_0_8=True) as port:
            client = await port.application("message")
            phone = Phone(port.world)
            phone.send("MESSAGE", "Subject: \xff")
            await until_quiet(client)
            assert "frame-not-sent" in port.tap.names()
            port.world.advance(31.5)
            assert statuses_of(port.world.network.take()) == [504]

    run(story())


def test_losing_an_application_ends_what_it_had_not_answered(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("options")
            Phone(port.world).send("OPTIONS")
            await client.receive()
            client.writer.transport.abort()
            while len(port.connections):
                await asyncio.sleep(0)
            assert statuses_of(port.world.network.take()) == [480]

    run(story())


def test_being_refused_is_being_lost(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("options")
            Phone(port.world).send("OPTIONS")
            await client.receive()
            client.send("nonsense")
            assert "NO|Unknown message type" in await client.rest()
            (sent,) = port.world.network.take()
            assert status_of(sent) == 480

    run(story())


def test_a_refused_client_that_never_closes_is_cut_off(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.client()
            client.send("ping")
            assert "|NO|authentication required" in await client.rest()
            for _ in range(100):
                client.write(b"x" * 10_000)
                await client.writer.drain()
            assert (len(port.connections), port.connections.sockets) == (0, 1)
            port.world.advance(2)
            while port.connections.sockets:
                await asyncio.sleep(0)

    run(story())


def test_a_client_that_only_half_closes_still_gets_its_answers(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            client.write(b"".join(encode_frame(f"p{number}|ping") for number in range(100)))
            client.writer.write_eof()
            assert (await client.rest()).count("|OK|pong") == 100

    run(story())


class Stuck:
    """Two applications that want MESSAGE, of which the first reads nothing; and who sends them."""

    def __init__(self, port: AdminPort, stuck: Client, other: Client) -> None:
        self._port = port
        self.stuck = stuck
        self.other = other
        self.phone = Phone(port.world)

    @classmethod
    async def on(cls, port: AdminPort) -> Stuck:
        stuck = await port.application("message")
        stuck.pause()
        return cls(port, stuck, await port.application("message"))

    async def send(self) -> None:
        """One large MESSAGE."""
        self.phone.send("MESSAGE", "X-Long: " + "x" * 60_000)
        await asyncio.sleep(0)

    async def until_it_waits(self) -> None:
        """Messages by turns until the kernel takes no more for the one that does not read."""
        while not any(one._untaken_timer for one in self._port.connections._open):  # type: ignore[attr-defined]
            await self.send()


def test_an_application_that_does_not_read_gets_no_requests_and_is_closed_at_last(run: Run) -> None:
    async def story() -> None:
        async with admin_port(unread_timeout=30.0) as port:
            applications = await Stuck.on(port)
            await applications.until_it_waits()
            waits = len(port.world.core.pending)
            port.world.advance(connection_module.STUCK_SECONDS)
            assert "application-stuck" in port.tap.names()
            owners = [one.application for one in port.world.core.pending]
            assert [owner and owner.number for owner in owners] == [2] * waits, "what waited for it, too"
            for _ in range(4):
                selected = port.world.registry.select("message")
                assert selected is not None
                assert selected.number == 2
            port.world.advance(27)
            assert len(port.connections) == 2
            port.world.advance(2)
            assert len(port.connections) == 1
            assert port.tap.names()[-2:] == ["application-does-not-read", "admin-disconnected"]
            while port.connections.sockets == 2:
                await asyncio.sleep(0)

    run(story())


def test_an_application_that_reads_again_gets_requests_again(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            applications = await Stuck.on(port)
            await applications.until_it_waits()
            port.world.advance(10)
            applications.stuck.resume()
            while "application-reads-again" not in port.tap.names():
                await asyncio.sleep(0)
                await applications.stuck.receive()
            numbers = {found.number for _ in range(2) if (found := port.world.registry.select("message"))}
            assert numbers == {1, 2}
            port.world.advance(1000)
            assert len(port.connections) == 2

    run(story())


def test_if_nobody_reads_callers_are_told(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            applications = await Stuck.on(port)
            await applications.other.close()
            while port.connections.sockets == 2:
                await asyncio.sleep(0)
            await applications.until_it_waits()
            port.world.advance(10)
            port.world.network.take()
            await applications.send()
            assert statuses_of(port.world.network.take()) == [503]

    run(story())


def test_an_application_for_which_too_much_waits_is_cut_off_at_once(run: Run) -> None:
    async def story() -> None:
        async with admin_port(limits=LimitConfiguration(unread=100_000)) as port:
            applications = await Stuck.on(port)
            while len(port.connections) == 2:
                await applications.send()
            (told,) = [details for name, details in port.tap.events if name == "application-does-not-read"]
            assert told["limit"] == "unread-limit"
            assert 100_000 < int(told["waiting"]) < 200_000
            await asyncio.sleep(0)

    run(story())


def test_what_is_delivered_in_one_turn_leaves_in_one_write(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            client.write(b"".join(encode_frame(f"p{number}|ping") for number in range(50)))
            data = await client.reader.read(100_000)
            assert data.count(b"|OK|pong") == 50

    run(story())


def test_those_who_watch_see_frames_and_events(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("options")
            client.send("nonsense")
            await client.rest()
            assert port.tap.frames[0] == (1, False, "id1|authenticate|***|")
            assert "|NO|Unknown message type" in port.tap.frames[-1][2]
            assert [sent for _, sent, _ in port.tap.frames] == [False, True, False, True, False, True]
            assert port.tap.names() == ["admin-connected", "admin-refused", "admin-disconnected"]
            assert {details["connection"] for _, details in port.tap.events} == {1}

    run(story())


def test_without_anybody_watching(run: Run) -> None:
    async def story() -> None:
        async with admin_port(watched=False) as port:
            await until_quiet(await port.application("options"))
            assert port.tap.frames == []

    run(story())


@pytest.mark.parametrize(("keepalive", "on"), [(45, 1), (0, 0)])
def test_socket_options(run: Run, keepalive: int, on: int) -> None:
    async def story() -> None:
        async with admin_port(tcp_keepalive=keepalive) as port:
            await port.application()
            (connection,) = port.connections._open
            assert isinstance(connection, AdminConnection)
            assert connection._transport is not None
            accepted = connection._transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert (accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0) == bool(on)
            if on:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == keepalive

    run(story())
