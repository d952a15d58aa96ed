"""TLS in captures: the reference server's, opened by the key log of who spoke with it, or by what the file holds."""

from __future__ import annotations

import asyncio
import io
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from msgspec import Struct
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from drachtio_load.free_port import free_port
from msgtrace.cli import main
from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.readers import decrypted as module
from msgtrace.readers.datagrams import Datagram
from msgtrace.readers.decrypted import Decrypted
from msgtrace.recordings import read_blocks
from tests.msgtrace.call_set import ETHERNET
from tests.msgtrace.test_capture import pcap
from tests.peers.capture import Segment
from tests.peers.processes import PATIENCE, SECRET, Server
from tests.peers.test_tls_dissected import REQUEST, client, wire
from tests.tls.openssl import Authority

SIZE = 500
"""octets of a segment: TLS records are longer"""
LONG = "Subject: " + "x" * 3000


class Session(Struct, frozen=True):
    """What was said by TLS."""

    packets: list[Packet]
    keys: Path
    frames: list[tuple[bool, str]]
    """(from the server?, payload)"""
    sip: list[tuple[str, bool, str]]
    """(transport, from the server?, message)"""


def segments_of(port: int, segments: Sequence[Segment]) -> list[Packet]:
    """A connection to ``port`` as it may have passed an interface."""
    places = {True: 4294967000, False: 1000}
    packets: list[Packet] = []

    def packet(from_server: bool, flags: str, octets: bytes = b"") -> None:
        ports = (port, 5000) if from_server else (5000, port)
        tcp = TCP(
            sport=ports[0],
            dport=ports[1],
            seq=places[from_server] % (1 << 32),
            ack=places[not from_server] % (1 << 32),
            flags=flags,
        )
        packets.append(ETHERNET / IP(src="127.0.0.1", dst="127.0.0.1") / tcp / Raw(octets))
        places[from_server] += len(octets) + ("S" in flags)

    packet(False, "S")
    packet(True, "SA")
    for segment in segments:
        for place in range(0, len(segment.octets), SIZE):
            packet(segment.from_server, "PA", segment.octets[place : place + SIZE])
    return packets


async def frame(reader: asyncio.StreamReader) -> str:
    size = int((await reader.readuntil(b"#"))[:-1])
    return (await reader.readexactly(size)).decode()


async def talk(server: Server, admin: int, keys: Path, version: ssl.TLSVersion) -> Session:
    """An application answers a long OPTIONS by TLS, and one by WSS, all of it on wires that are listened to."""
    wires: dict[int, list[Segment]] = {port: [] for port in (admin, *map(server.sip_port, ("tls", "wss")))}
    frames: list[tuple[bool, str]] = []
    sip: list[tuple[str, bool, str]] = []
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(wire(port, found)) for port, found in wires.items()]
        context = client(keys, version)
        reader, writer = await asyncio.open_connection("127.0.0.1", ports[0], ssl=context)

        async def order(payload: str) -> str:
            writer.write(f"{len(payload)}#{payload}".encode())
            frames.append((False, payload))
            frames.append((True, await frame(reader)))
            return frames[-1][1]

        async def answered(number: int) -> None:
            frames.append((True, await frame(reader)))
            assert "|sip|network|" in frames[-1][1]
            transaction = frames[-1][1].partition("\r\n")[0].split("|")[8]
            assert "|OK|" in await order(f"m{number}|sip|{transaction}|\r\nSIP/2.0 200 OK\r\n\r\n")

        assert "|OK|" in await order(f"a|authenticate|{SECRET}")
        assert "|OK" in await order("r|route|options")
        phone, telephone = await asyncio.open_connection("127.0.0.1", ports[1], ssl=context)
        sip.append(
            ("tls", False, REQUEST.format(via="TLS").replace("Max-Forwards", f"{LONG}\r\nMax-Forwards"))
        )
        telephone.write(sip[-1][2].encode())
        await answered(1)
        sip.append(("tls", True, (await phone.readuntil(b"\r\n\r\n")).decode()))
        url = f"wss://127.0.0.1:{ports[2]}"
        async with connect(url, ssl=context, subprotocols=[Subprotocol("sip")]) as browser:
            sip.append(("wss", False, REQUEST.format(via="WSS").replace("mq7zt9", "mq7zt8")))
            await browser.send(sip[-1][2])
            await answered(2)
            sip.append(("wss", True, str(await browser.recv())))
        for one in (telephone, writer):
            one.close()
            await one.wait_closed()
    packets = [packet for port, found in wires.items() for packet in segments_of(port, found)]
    return Session(packets, keys, frames, sip)


class Running(Struct, frozen=True):
    """A server, and the port of its applications by TLS."""

    server: Server
    admin: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    certificate, key = Authority(tmp_path_factory.mktemp("certificates")).signed("server.test")
    admin = free_port()
    server = Server(
        *("--loglevel", "notice", "--key-file", str(key), "--cert-file", str(certificate)),
        *("--tls-port", str(admin), "--contact", "sip:127.0.0.1:0;transport=tls"),
        *("--contact", "sip:127.0.0.1:0;transport=wss"),
    )
    yield Running(server, admin)
    assert server.stop() == 0


@pytest.fixture(scope="module", params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def session(
    running: Running, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Session:
    keys = tmp_path_factory.mktemp("keys") / "keys.log"
    return asyncio.run(talk(running.server, running.admin, keys, request.param))


def found(data: bytes, account: Account, keylog: str = "", size: int = 1 << 16) -> list[Entry]:
    blocks = [data[place : place + size] for place in range(0, len(data), size)]
    account.total = len(data)
    return list(read_blocks(blocks, account, keylog))


def holds_all(session: Session, entries: Sequence[Entry]) -> None:
    """What was said is there, and nothing else."""
    frames = [(one.from_server, one.data) for one in entries if one.kind is EntryKind.FRAME]
    assert frames == session.frames
    sip = [(one.source.partition("/")[0], one.data) for one in entries if one.kind is EntryKind.SIP]
    assert sip == [(transport, text) for transport, _, text in session.sip]
    assert not [one.data for one in entries if one.kind is EntryKind.DAMAGE]


@pytest.mark.parametrize("size", [997, 1 << 20])
def test_applications_and_telephones_by_tls(session: Session, size: int) -> None:
    account = Account()
    entries = found(pcap(session.packets), account, str(session.keys), size)
    holds_all(session, entries)
    assert all(one.time and one.line for one in entries)
    assert not account.unread
    assert min(account.frames, account.sip, account.wrapping, account.other) > 0


def test_who_sent_it_is_known_from_what_the_server_says(session: Session) -> None:
    (by_tls,) = [
        one
        for one in found(pcap(session.packets), Account(), str(session.keys))
        if one.kind is EntryKind.SIP and one.source.startswith("tls/") and "OPTIONS sip:" in one.data
    ]
    assert by_tls.target.partition("/")[0] == "tls"


def injected(session: Session, folder: Path) -> bytes:
    (folder / "plain.pcapng").write_bytes(pcap(session.packets, ng=True))
    command: list[str | Path] = [
        "editcap",
        "--inject-secrets",
        f"tls,{session.keys}",
        folder / "plain.pcapng",
        folder / "x.pcapng",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "x.pcapng").read_bytes()


def test_secrets_that_the_file_holds(session: Session, tmp_path: Path) -> None:
    holds_all(session, found(injected(session, tmp_path), Account()))


def test_without_keys_is_told_what_was_left_out(session: Session) -> None:
    account = Account()
    assert found(pcap(session.packets), account) == []
    assert account.unread == {
        "TLS, which --keylog FILE opens": pytest.approx(len(session.packets) - 6, abs=60)
    }
    assert sum(account.unread.values()) > 20


def test_keys_of_other_connections(session: Session, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f"CLIENT_RANDOM {'0' * 64} {'0' * 96}\n")
    account = Account()
    assert found(pcap(session.packets), account, str(other)) == []
    assert list(account.unread) == ["TLS whose keys the key log lacks"]


def test_a_segment_that_lacks_is_damage_and_nothing_is_invented(session: Session) -> None:
    large = [number for number, packet in enumerate(session.packets) if len(packet[TCP].payload) == SIZE]
    packets = [packet for number, packet in enumerate(session.packets) if number != large[-3]]
    entries = found(pcap(packets), Account(), str(session.keys))
    said = {(one.from_server, one.data) for one in entries if one.kind is EntryKind.FRAME}
    assert said <= set(session.frames)
    assert {one.data for one in entries if one.kind is EntryKind.SIP} < {text for _, _, text in session.sip}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may see what passes an interface")
def test_what_passed_an_interface(running: Running, tmp_path: Path) -> None:
    keys, path = tmp_path / "keys", tmp_path / "c.pcapng"
    expression = " or ".join(
        f"tcp port {port}" for port in (running.admin, *map(running.server.sip_port, ("tls", "wss")))
    )
    with subprocess.Popen(
        ["dumpcap", "-q", "-i", "lo", "-f", expression, "-w", str(path)], stderr=subprocess.PIPE
    ) as capture:
        assert capture.stderr is not None
        while b"File:" not in (line := capture.stderr.readline()):
            assert line, "dumpcap ended"
        try:
            session = asyncio.run(talk(running.server, running.admin, keys, ssl.TLSVersion.TLSv1_3))
            deadline = threading.Event()
            while True:
                entries = found(path.read_bytes(), Account(), str(keys))
                if sum(one.kind is EntryKind.SIP for one in entries) == len(session.sip):
                    break
                deadline.wait(0.05)  # dumpcap writes what it has seen now and then
        finally:
            capture.terminate()
    frames = [(one.from_server, one.data) for one in entries if one.kind is EntryKind.FRAME]
    assert frames == session.frames


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("keys", None, "the key log {} cannot be read: No such file or directory"),
        ("keys", "swordfish\n", "{} is no key log: expected lines such as 'CLIENT_RANDOM"),
    ],
)
def test_a_key_log_that_is_none(
    name: str, content: str | None, told: str, session: Session, tmp_path: Path
) -> None:
    keys = tmp_path / name
    if content is not None:
        keys.write_text(content)
    with pytest.raises(NotARecording) as raised:
        found(pcap(session.packets), Account(), str(keys))
    assert str(raised.value).startswith(told.format(keys))
    assert "swordfish" not in str(raised.value)


def test_a_key_log_is_for_captures(session: Session) -> None:
    with pytest.raises(
        NotARecording, match="for packet captures; this was taken for a bare stream of frames"
    ):
        found(b"6#p|ping", Account(), str(session.keys))


def test_tshark_is_absent(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = injected(session, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotARecording, match="TLS is opened by tshark, of Wireshark, which is not on PATH"):
        found(data, Account(), str(session.keys))
    account = Account()
    assert found(data, account) == []
    (told,) = account.unread
    assert told.startswith("TLS, whose keys the capture holds, but TLS is opened by tshark")


def forged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another program in the place of tshark."""
    program = tmp_path / "tshark"
    program.write_text(f"#!{sys.executable} -u\nimport sys\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


READS = "threading = __import__('threading'); threading.Thread(target=sys.stdin.buffer.read).start()\n"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "sys.exit('\\x1b[31mno such preference')",
            r"ended early: '\x1b[31mno such",
        ),
        ("sys.exit(1)", "tshark ended early"),
        (READS + "print('\\x1b[2Jrubbish')", r"line is not understood: '\x1b[2Jrubbish'"),
        (READS + "print('1\\t2\\t3\\teth:tls\\tabc')", "line is not understood: '1"),
        (READS + "print('1\\t\\t\\teth\\t\\n1\\t\\t\\teth\\t')", "tells of packet 1 behind packet 1"),
        (
            READS + "print('\\n'.join(f'{n}\\t7\\t8\\teth:tls\\t6162' for n in range(1, 9)))",
            "counts the packets otherwise from packet 1 on",
        ),
        (READS + "print('x' * 1000)", "is not understood: 'xxx"),
        ("sys.stdin.buffer.read()", "tshark has said nothing for 2 s"),
    ],
    ids=["complains", "ends", "escapes", "odd digits", "goes back", "other ports", "long", "silent"],
)
def test_what_tshark_says_is_not_believed_blindly(
    script: str, told: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged(tmp_path, monkeypatch, script)
    monkeypatch.setattr(module, "_LONGEST", 500)
    monkeypatch.setattr(module, "_PATIENCE", 2)
    entries = found(pcap(session.packets), Account(), str(session.keys))
    damages = [one.data for one in entries]
    assert [one.kind for one in entries] == [EntryKind.DAMAGE]
    assert told in damages[0]
    assert "\x1b" not in damages[0]


def test_tshark_is_ended_with_the_reader(session: Session) -> None:
    opened = Decrypted([pcap(session.packets)], str(session.keys))
    (whole,) = opened
    assert whole == pcap(session.packets)
    assert opened.of(Datagram(1, 0, "127.0.0.1:1", "127.0.0.1:2", True, b"")) is None
    opened.close()
    assert opened._process.poll() is not None


@pytest.mark.parametrize(
    "command",
    [["decode", "--calls"], ["explain", "--call", "1"], ["stats"], ["decode", "--stats"], ["to-scenario"]],
)
def test_each_command_takes_a_key_log(command: list[str], session: Session, tmp_path: Path) -> None:
    (tmp_path / "c.pcap").write_bytes(pcap(session.packets))
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), redirect_stderr(io.StringIO()) as said:
        code = main([*command, "--keylog", str(session.keys), str(tmp_path / "c.pcap")])
        out.flush()
    assert (code, said.getvalue()) == (0, "")
    assert b"OPTIONS" in out.buffer.getvalue()
