"""msgtrace record as a process: TLS on either side, outbound connections, several files, SIP beside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from msgtrace.cli import main
from msgtrace.entries import EntryKind
from msgtrace.recordings import read
from tests.msgtrace import samples
from tests.tls.openssl import Authority

PING, PONG = b"6#p|ping", b"20#u|response|p|OK|pong"
LONG_PING = b"3007#p|ping|" + b"x" * 3000
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


async def echoing(tls: ssl.SSLContext | None = None) -> asyncio.Server:
    """A far end that answers each ping."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(65536):
            writer.write(PONG * octets.count(b"#"))
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)


async def recorded(
    talk: Talk,
    path: Path,
    *options: str,
    far_tls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Run the command between a talker and a far end; what it said."""
    async with await echoing(far_tls) as far:
        port = far.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "msgtrace.cli", "record", "--listen", "0", "--to", f"127.0.0.1:{port}"),
            *("-o", str(path), *options),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        ready = (await process.stderr.readline()).decode()
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", ready)
        assert found is not None, ready
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]), ssl=tls)
        try:
            async with asyncio.timeout(20):
                await talk(reader, writer)
        finally:
            writer.transport.abort()
            process.send_signal(signal.SIGTERM)
            said = (await process.stderr.read()).decode()
            assert await process.wait() == 0, said
        return said


async def ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes = PING) -> None:
    writer.write(octets)
    assert await reader.readexactly(len(PONG)) == PONG


def frames(path: Path) -> list[tuple[bool | None, str]]:
    return [
        (entry.from_server, entry.data) for entry in read(path.read_bytes()) if entry.kind is EntryKind.FRAME
    ]


def test_tls_on_both_sides(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.signed("localhost")
    far = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    far.load_cert_chain(cert, key)
    near = ssl.create_default_context(cafile=str(authority.root))
    options = ("--tls-cert", str(cert), "--tls-key", str(key), "--to-tls", "--ca", str(authority.root))
    asyncio.run(recorded(ping, tmp_path / "r", *options, far_tls=far, tls=near))
    assert frames(tmp_path / "r") == [(False, "p|ping"), (True, "u|response|p|OK|pong")]


@pytest.mark.parametrize(("options", "passes"), [((), False), (("--insecure",), True)])
def test_a_certificate_of_a_stranger(
    options: tuple[str, ...], passes: bool, authority: Authority, tmp_path: Path
) -> None:
    far = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    far.load_cert_chain(*authority.signed("localhost"))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PING)
        try:
            assert await reader.read(100) == (PONG if passes else b"")
        except ConnectionResetError:
            assert not passes

    said = asyncio.run(recorded(talk, tmp_path / "r", "--to-tls", *options, far_tls=far))
    assert ("is away (" in said and "certificate" in said) is not passes


def test_outbound_the_server_connects_and_the_application_answers(tmp_path: Path) -> None:
    async def as_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PING)  # what it is does not matter, only who sent it
        assert await reader.readexactly(len(PONG)) == PONG

    asyncio.run(recorded(as_server, tmp_path / "r", "--outbound"))
    assert [from_server for from_server, _ in frames(tmp_path / "r")] == [True, False]
    opened = next(
        line
        for line in map(json.loads, (tmp_path / "r").read_text().splitlines())
        if line["kind"] == "opened"
    )
    listening = json.loads((tmp_path / "r").read_text().splitlines()[0])
    assert opened["application"] == listening["to"]


def test_a_full_file_is_followed_by_another_that_can_be_read_alone(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(1200):
            await ping(reader, writer, LONG_PING)

    asyncio.run(recorded(talk, tmp_path / "r", "--rotate", "300k", "--keep", "3"))
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["r", "r.1", "r.2", "r.3"]
    for file in files:
        kinds = [json.loads(line)["kind"] for line in file.read_text().splitlines()]
        assert kinds[:2] == ["recording", "opened"]
        assert file.stat().st_size < 700_000
        assert not [entry for entry in read(file.read_bytes()) if entry.kind is EntryKind.DAMAGE]
        assert file.stat().st_mode & 0o777 == 0o600
    assert len(frames(tmp_path / "r.1")) > 150


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may see what passes an interface")
def test_sip_is_recorded_beside(tmp_path: Path) -> None:
    port = free_port()
    message = samples.busy("beside").encode()
    ends = threading.Event()

    def talk_sip() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            while not ends.wait(0.05):
                sender.sendto(message, ("127.0.0.1", port))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while '"sip"' not in (tmp_path / "r").read_text():
            await ping(reader, writer)

    talking = threading.Thread(target=talk_sip)
    talking.start()
    try:
        asyncio.run(recorded(talk, tmp_path / "r", "--sip", "lo", "--sip-port", str(port)))
    finally:
        ends.set()
        talking.join()
    sip = next(entry for entry in read((tmp_path / "r").read_bytes()) if entry.kind is EntryKind.SIP)
    assert (sip.from_server, sip.target) == (False, f"udp/127.0.0.1:{port}")
    assert sip.data.encode("latin-1") == message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rotate", "1M"], "--rotate needs a file"),
        (["--rotate", "many", "-o", "x"], "expected a size like 100M"),
        (["--ca", "x"], "for --to-tls"),
        (["--tls-key", "x"], "for --tls-cert"),
    ],
)
def test_what_does_not_go_together(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["record", "--listen", "0", "--to", "127.0.0.1:1", *options])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_certificates_that_are_not_there_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tls-cert", str(tmp_path / "absent"), "-o", str(tmp_path / "r")]
    assert main(["record", "--listen", "0", "--to", "127.0.0.1:1", *options]) == 1
    assert "certificates: No such file" in capsys.readouterr().err
