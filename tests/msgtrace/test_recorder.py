"""The tee between application and server, on real sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import signal
import socket
import stat
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import jsonschema
import pytest

from msgtrace.entries import EntryKind
from msgtrace.recorder import Recorder, TeeFile, Way
from msgtrace.recordings import read
from tests.msgtrace.samples import EXCHANGE, frame

SCHEMA = Path(__file__).parents[2] / "docs" / "recording.schema.json"


class Peer:
    """A server that keeps what it gets."""

    def __init__(self) -> None:
        self.streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; the address."""
        self._server = await asyncio.start_server(self._take, host, port)
        host, port = self._server.sockets[0].getsockname()
        return str(host), int(port)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await self.streams.put((reader, writer))

    def stop(self) -> None:
        """Listen no more."""
        self._server.close()


class Rig:
    """A recorder before a server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.peer = Peer()
        self.told: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """All of it, stopped at the end."""
        self.server_address = await self.peer.serve()
        with self.path.open("wb", 0) as file:
            recorder = Recorder(
                Way(to=self.server_address), TeeFile(file, self.told.append), self.told.append
            )
            self.address = await recorder.start("127.0.0.1", 0)
            try:
                yield self
            finally:
                await recorder.stop()
                self.peer.stop()
                for writer in [*self.peer.writers, *self.writers]:
                    writer.transport.abort()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """As an application."""
        reader, writer = await asyncio.open_connection(*self.address)
        self.writers.append(writer)
        return reader, writer

    def lines(self) -> list[dict[str, object]]:
        """Of the file."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def run(path: Path, scenario: Callable[[Rig], Awaitable[None]]) -> Rig:
    """A scenario on a rig; the rig, to look at its file."""
    rig = Rig(path)

    async def body() -> None:
        async with asyncio.timeout(20), rig.running():
            await scenario(rig)

    asyncio.run(body())
    return rig


def sent(rig: Rig, direction: str, connection: int = 1) -> bytes:
    """What the file says of one direction of a connection."""
    return b"".join(
        base64.b64decode(str(line["base64"])) if "base64" in line else str(line["text"]).encode()
        for line in rig.lines()
        if line["kind"] == "chunk" and line["direction"] == direction and line["connection"] == connection
    )


def test_every_octet_passes_in_both_directions_and_is_kept(tmp_path: Path) -> None:
    up = b"".join(frame(text).encode() for down, text in EXCHANGE if not down) + bytes(range(256)) * 3000
    down = b"".join(frame(text).encode() for down, text in EXCHANGE if down) * 500

    async def scenario(rig: Rig) -> None:
        reader, writer = await rig.connect()
        writer.write(up)
        at_server, from_server = await rig.peer.streams.get()
        from_server.write(down)
        assert await at_server.readexactly(len(up)) == up
        assert await reader.readexactly(len(down)) == down
        writer.close()
        assert await at_server.read() == b""
        from_server.close()

    rig = run(tmp_path / "r.jsonl", scenario)
    assert sent(rig, "to-server") == up
    assert sent(rig, "to-application") == down
    schema = json.loads(SCHEMA.read_text())
    for line in rig.lines():
        jsonschema.validate(line, schema)
    assert [line["kind"] for line in rig.lines()][:2] == ["recording", "opened"]


def test_what_it_writes_is_what_decode_reads(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        reader, writer = await rig.connect()
        at_server, from_server = await rig.peer.streams.get()
        for down, text in EXCHANGE:
            out, other = (from_server, reader) if down else (writer, at_server)
            octets = frame(text).encode()
            out.write(octets)
            assert await other.readexactly(len(octets)) == octets
        writer.close()
        from_server.close()

    rig = run(tmp_path / "r.jsonl", scenario)
    frames = [entry for entry in read(rig.path.read_bytes()) if entry.kind is EntryKind.FRAME]
    assert [(entry.from_server, entry.data.encode("latin-1").decode()) for entry in frames] == EXCHANGE


def test_a_half_closed_connection_still_works_the_other_way(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        reader, writer = await rig.connect()
        writer.write(b"6#p|ping")
        writer.write_eof()
        at_server, from_server = await rig.peer.streams.get()
        assert await at_server.read() == b"6#p|ping"
        from_server.write(b"20#u|response|p|OK|pong")
        from_server.close()
        assert await reader.read() == b"20#u|response|p|OK|pong"
        writer.close()

    run(tmp_path / "r.jsonl", scenario)


@pytest.mark.parametrize("lost", ["application", "server"])
def test_either_side_may_be_lost_and_the_next_connection_works(tmp_path: Path, lost: str) -> None:
    async def scenario(rig: Rig) -> None:
        reader, writer = await rig.connect()
        writer.write(b"6#p|ping")
        at_server, from_server = await rig.peer.streams.get()
        await at_server.readexactly(8)
        dying, other = (writer, at_server) if lost == "application" else (from_server, reader)
        reset(dying)
        with contextlib.suppress(ConnectionResetError):  # a reset is as good as an end
            assert await other.read() == b""
        again, again_writer = await rig.connect()
        again_writer.write(b"6#q|ping")
        at_server, from_server = await rig.peer.streams.get()
        assert await at_server.readexactly(8) == b"6#q|ping"
        again_writer.close()
        from_server.close()
        assert await again.read() == b""

    rig = run(tmp_path / "r.jsonl", scenario)
    closed = next(line for line in rig.lines() if line["kind"] == "closed")
    assert (closed["connection"], closed["by"]) == (1, lost)
    assert sent(rig, "to-server", 2) == b"6#q|ping"


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection, as a process does that dies with octets unread."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def test_a_server_that_is_away_is_told_and_listening_goes_on(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        rig.peer.stop()
        reader, writer = await rig.connect()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await rig.peer.serve(*rig.server_address)
        reader, writer = await rig.connect()
        writer.write(b"6#p|ping")
        at_server, from_server = await rig.peer.streams.get()
        assert await at_server.readexactly(8) == b"6#p|ping"
        writer.close()
        from_server.close()

    rig = run(tmp_path / "r.jsonl", scenario)
    (told,) = rig.told
    assert re.fullmatch(
        r"server 127\.0\.0\.1:\d+ is away \(.*refused.*\); the connection of 127\.0\.0\.1:\d+ is closed", told
    )
    assert [line["kind"] for line in rig.lines()][:3] == ["recording", "opened", "closed"]


def test_a_reader_that_is_slow_slows_the_writer_down_and_loses_nothing(tmp_path: Path) -> None:
    size = 30_000_000

    async def scenario(rig: Rig) -> None:
        _, writer = await rig.connect()
        writer.write(b"x" * size)
        at_server, from_server = await rig.peer.streams.get()
        got = 0
        while got < size:
            got += len(await at_server.read(1 << 20))
        writer.close()
        from_server.close()

    rig = run(tmp_path / "r.jsonl", scenario)
    assert len(sent(rig, "to-server")) == size


def test_the_command_keeps_its_file_from_others_and_ends_at_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"

    async def body() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "msgtrace.cli", "record", "--listen", "0", "--to", "127.0.0.1:1"),
            *("-o", str(path)),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        ready = (await process.stderr.readline()).decode()
        process.send_signal(signal.SIGTERM)
        return await process.wait(), ready

    code, ready = asyncio.run(body())
    assert code == 0
    assert re.match(
        r"msgtrace: listening on 127\.0\.0\.1:\d+, recording what passes to 127\.0\.0\.1:1$", ready
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["kind"] == "recording"


@pytest.mark.parametrize("listen", ["256.0.0.1:5", "127.0.0.1:99999", "x"])
def test_a_port_that_cannot_be_had_is_told(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    from msgtrace.cli import main

    try:
        code = main(["record", "--listen", listen, "--to", "127.0.0.1:1"])
    except SystemExit as ended:
        code = int(str(ended.code))
    told = capsys.readouterr().err
    assert code in (1, 2)
    assert "cannot listen on" in told or "expected HOST:PORT" in told
