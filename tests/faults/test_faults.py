"""Each kind of harm, by the clock that is turned by hand; and that of connections on real sockets."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from reference_server.config.fault import FAULTS, faults
from reference_server.config.model import AdminConfiguration, Configuration, ContactConfiguration
from reference_server.faults.faults import Faults
from reference_server.server import Server
from tests.conftest import Run
from tests.hand_clock import HandClock

ECHO = b"id|response|a|OK|application|5|udp|h|5060|10:00:00|t|d||Msg sent:|\r\nSIP/2.0 200 OK\r\n\r\n"
PONG = b"id|response|b|OK|pong"
SIP = b"id|sip|network|5|udp|h|5060|10:00:00|t||h|5060|\r\nINVITE sip:x SIP/2.0\r\n\r\n"
ADDRESSES = b"id|response|c|OK|udp/127.0.0.1:5060|v0.9.5"


def framed(payload: bytes) -> bytes:
    return b"%d#%b" % (len(payload), payload)


class Wires:
    """Connections whose ends are told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def break_off(self, number: int, *, reset: bool) -> None:
        self.done.append(f"{number} {'reset' if reset else 'closed'}")

    def go_deaf(self, number: int) -> None:
        self.done.append(f"{number} deaf")

    def hear(self, number: int) -> None:
        self.done.append(f"{number} hears")


class Scene:
    """A server's faults, and what leaves and comes in on connection 1."""

    def __init__(self, text: str) -> None:
        self.clock = HandClock()
        self.wires = Wires()
        self.faults = Faults(faults(text), self.clock.timers, self.wires)
        self.left: list[bytes] = []
        self.came: list[str] = []
        self.faults.event("admin-connected", connection=1, peer="x")

    def send(self, *payloads: bytes, connection: int = 1) -> Scene:
        for payload in payloads:
            self.faults.sent(connection, framed(payload), self.left.append)
        return self

    def receive(self, *payloads: str) -> Scene:
        for payload in payloads:
            self.faults.received(1, payload, self.came.append)
        return self


def test_split() -> None:
    scene = Scene("split=40").send(SIP, PONG)
    assert scene.left == []
    scene.clock.advance(0.1)
    assert b"".join(scene.left) == framed(SIP) + framed(PONG)
    assert max(map(len, scene.left)) == 40
    assert len(scene.left) == 3


def test_what_was_split_ends_with_the_connection() -> None:
    scene = Scene("split=1").send(SIP)
    scene.faults.event("admin-disconnected", connection=1, peer="x")
    scene.clock.advance(1)
    assert scene.left == []


def test_glue() -> None:
    scene = Scene("glue=2").send(SIP)
    assert scene.left == []
    assert scene.send(PONG).left == [framed(SIP) + framed(PONG)]
    scene.send(ECHO)
    scene.clock.advance(0.1)
    assert scene.left[1:] == [framed(ECHO)]


def test_delay_echo() -> None:
    scene = Scene("delay-echo=0.5").send(ECHO, SIP)
    assert scene.left == [framed(SIP)]
    scene.clock.advance(0.5)
    assert scene.left == [framed(SIP), framed(ECHO)]


def test_drop_echo() -> None:
    assert Scene("drop-echo=2").send(ECHO, PONG, ECHO, SIP, ECHO).left == [
        *(framed(payload) for payload in (ECHO, PONG, SIP, ECHO))
    ]


def test_reorder() -> None:
    scene = Scene("reorder=2").send(ECHO, SIP, PONG)
    assert scene.left == [framed(SIP), framed(PONG), framed(ECHO)]
    scene.send(PONG)
    scene.clock.advance(0.2)
    assert scene.left[3:] == [framed(PONG)]


def test_twice() -> None:
    assert Scene("twice=2").send(ECHO, PONG, SIP).left == [
        *(framed(payload) for payload in (ECHO, PONG, PONG, SIP))
    ]


def test_unknown_type() -> None:
    stranger, pong = Scene("unknown-type=1").send(PONG).left
    assert b"|weather|" in stranger
    assert pong == framed(PONG)


def test_extra_tokens() -> None:
    line = SIP.partition(b"\r\n")[0]
    assert Scene("extra-tokens").send(PONG, SIP).left == [
        framed(PONG + b"|later|more"),
        framed(SIP.replace(line, line + b"|later|more")),
    ]


def test_wrong_length() -> None:
    assert Scene("wrong-length=2").send(PONG, PONG, PONG).left == [
        framed(PONG),
        b"%d#%b" % (len(PONG) - 1, PONG),
        framed(PONG),
    ]


@pytest.mark.parametrize(("name", "told"), [("close", "1 closed"), ("reset", "1 reset")])
def test_the_connection_ends(name: str, told: str) -> None:
    scene = Scene(f"{name}=2").send(PONG, PONG, PONG)
    assert len(scene.left) == 2
    assert scene.wires.done == []
    scene.clock.advance(0.01)
    assert scene.wires.done == [told]
    assert len(scene.send(PONG, PONG, connection=2).left) == 4


def test_half_open() -> None:
    scene = Scene("half-open=1").send(PONG, PONG)
    assert (scene.left, scene.wires.done) == ([framed(PONG)], ["1 deaf"])


def test_stop_reading() -> None:
    scene = Scene("stop-reading=2").receive("a|ping", "b|ping", "c|ping")
    assert (scene.came, scene.wires.done) == (["a|ping", "b|ping"], ["1 deaf"])


def test_refuse() -> None:
    scene = Scene("refuse=2").receive("a|authenticate|cymru")
    assert scene.came == [], "1 is about to be reset"
    for number in (2, 3):
        scene.faults.event("admin-connected", connection=number, peer="x")
    scene.clock.advance(0.01)
    assert scene.wires.done == ["1 reset", "2 reset"]
    scene.faults.received(3, "a|authenticate|cymru", scene.came.append)
    assert scene.came == ["a|authenticate|cymru"]


def test_no_pong() -> None:
    assert Scene("no-pong").receive("a|ping", "b|route|invite").came == ["b|route|invite"]


def test_hostports() -> None:
    assert Scene("no-hostports").send(ADDRESSES, PONG).left == [
        framed(b"id|response|c|OK||v0.9.5"),
        framed(PONG),
    ]
    slow = Scene("slow-hostports=3").send(ADDRESSES, PONG)
    assert slow.left == [framed(PONG)]
    slow.clock.advance(3)
    assert slow.left == [framed(PONG), framed(ADDRESSES)]


def test_mishaps_come_again_with_their_seed() -> None:
    def story(text: str) -> list[bytes]:
        scene = Scene(text)
        for _ in range(50):
            scene.send(ECHO, SIP)
        scene.clock.advance(1)
        return scene.left

    told = Scene("random=0.3").faults.description
    assert told.startswith("random=0.3:")
    assert story(told) == story(told) != story("random=0.3:12")
    assert len(story("random=0.000001:1")) == 100


def test_several_add_up_whatever_their_order() -> None:
    scene = Scene("split=9,extra-tokens").send(PONG)
    scene.clock.advance(1)
    assert b"".join(scene.left) == framed(PONG + b"|later|more")
    assert scene.faults.description == "extra-tokens, split=9"


@pytest.mark.parametrize(
    ("text", "payloads", "left"),
    [
        ("split=20", [SIP, PONG], [SIP, PONG]),
        ("glue=5", [SIP, PONG], [SIP, PONG]),
        ("reorder=5", [ECHO, PONG], [PONG, ECHO]),
        ("delay-echo=3", [ECHO, SIP], [SIP, ECHO]),
        ("delay-echo=3,split=7", [ECHO, SIP], [SIP, ECHO]),
        ("slow-hostports=3,glue=9", [ADDRESSES, PONG], [PONG, ADDRESSES]),
        ("random=1:1", [ECHO] * 20, []),
    ],
)
def test_what_is_kept_goes_when_the_harm_is_taken_away(
    text: str, payloads: list[bytes], left: list[bytes]
) -> None:
    scene = Scene(text).send(*payloads)
    scene.faults.release()
    gone = b"".join(scene.left)
    if left:
        assert gone == b"".join(framed(payload) for payload in left)
    assert gone.count(b"SIP/2.0 200 OK") >= payloads.count(ECHO)
    scene.clock.advance(10)
    assert b"".join(scene.left) == gone


@pytest.mark.parametrize("text", ["half-open=1", "stop-reading=1"])
def test_who_was_deaf_hears_when_the_harm_is_taken_away(text: str) -> None:
    scene = Scene(text).send(PONG, PONG).receive("a|ping", "b|ping")
    scene.faults.release()
    assert scene.wires.done == ["1 deaf", "1 hears"]
    scene.faults.release()
    assert scene.wires.done == ["1 deaf", "1 hears"]


def test_every_fault_is_tried() -> None:
    text = Path(__file__).read_text("utf-8").partition("def test_every_fault")[0]
    tried = (*re.findall(r'Scene\("([a-z-]+)', text), "close", "reset")
    assert set(FAULTS) <= {*tried, *re.findall(r'Scene\(".*,([a-z-]+)', text), "random"}


async def started(text: str) -> Server:
    server = Server(
        Configuration(
            admin=AdminConfiguration(port=0, secret="cymru"),
            contacts=(ContactConfiguration(port=0),),
            faults=faults(text),
        )
    )
    await server.start()
    return server


AUTHENTICATE = b"20#a|authenticate|cymru"


def test_the_option(run: Run) -> None:
    """A server of ``--fault split=4`` sends its frames in pieces."""

    async def story() -> None:
        server = await started("split=4")
        reader, writer = await asyncio.open_connection(*server.admin_address)
        writer.write(AUTHENTICATE)
        assert len(await reader.read(1000)) == 4
        assert server.faults == "split=4"
        writer.close()
        await server.stop()

    run(story())


def test_what_is_done_to_connections(run: Run) -> None:
    async def story() -> None:
        server = await started("refuse=1,reset=2,stop-reading=3")
        reader, writer = await asyncio.open_connection(*server.admin_address)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection(*server.admin_address)
        writer.write(AUTHENTICATE + b"6#b|ping")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await server.stop()

    run(story())


def test_half_open_on_a_socket(run: Run) -> None:
    async def story() -> None:
        server = await started("half-open=1")
        reader, writer = await asyncio.open_connection(*server.admin_address)
        writer.write(AUTHENTICATE)
        assert b"|OK|" in await reader.read(1000)
        writer.write(b"6#b|ping")
        await server.advance(600)
        other, second = await asyncio.open_connection(*server.admin_address)
        second.write(AUTHENTICATE)
        assert b"|OK|" in await other.read(1000)  # whatever the first was sent would have come before
        assert not reader.at_eof()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0)
        writer.close()
        second.close()
        await server.stop()

    run(story())


def test_harm_that_begins_and_ends_while_the_server_runs(run: Run) -> None:
    async def story() -> None:
        server = await started("no-pong")
        reader, writer = await asyncio.open_connection(*server.admin_address)
        writer.write(AUTHENTICATE)
        assert b"|OK|" in await reader.read(1000)
        server.set_faults(faults("half-open=1"))
        assert server.faults == "half-open=1"
        writer.write(b"6#b|ping")
        assert b"|b|OK|pong" in await reader.read(1000)
        writer.write(b"6#c|ping")  # nobody reads it
        other, second = await asyncio.open_connection(*server.admin_address)
        second.write(AUTHENTICATE)
        assert b"|OK|" in await other.read(1000)
        server.set_faults(())
        assert b"|c|OK|pong" in await reader.read(1000)
        second.write(b"6#d|ping")
        assert b"|d|OK|pong" in await other.read(1000)
        writer.close()
        second.close()
        await server.stop()

    run(story())


def test_without_harm_nothing_stands_in_the_way_of_frames(run: Run) -> None:
    async def story() -> None:
        server = await started("split=1")
        before = server._admin.interceptor
        server.set_faults(())
        assert (before is None, server._admin.interceptor is None) == (False, True)
        assert [type(tap).__name__ for tap in server.taps.events] == []
        await server.stop()

    run(story())
