"""Packets as hexadecimal digits, as tshark and tcpdump print them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.recordings import read_blocks
from tests.msgtrace.samples import busy, invite
from tests.msgtrace.test_capture import PAYLOADS, connection, frames, pcap, udp

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
PACKETS = [udp(invite("call01"), sent=False), *connection(), udp(busy("call01"), sent=True)]
SIP = [invite("call01").encode().decode("latin-1"), busy("call01").encode().decode("latin-1")]


def tshark(folder: Path, packets: list[Packet], *options: str) -> bytes:
    """What it prints of them."""
    (folder / "c.pcap").write_bytes(pcap(packets))
    command = ["tshark", "-n", "-r", str(folder / "c.pcap"), "-d", "udp.port==5080,sip", *options]
    return subprocess.run(command, check=True, capture_output=True).stdout


def dumped(data: bytes, words: int = 1, offset: str = "{:04x}  ") -> str:
    """A dump with the letters behind it, in groups of ``words`` octets."""
    lines = []
    for place in range(0, len(data), 16):
        piece = data[place : place + 16]
        digits = " ".join(piece[at : at + words].hex() for at in range(0, len(piece), words))
        letters = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in piece)
        lines.append(f"{offset.format(place)}{digits:47}   {letters}\n")
    return "".join(lines)


def read(data: bytes, size: int = 700) -> tuple[list[Entry], Account]:
    account = Account()
    account.total = len(data)
    return list(read_blocks([data[at : at + size] for at in range(0, len(data), size)], account)), account


def holds_all(found: list[Entry]) -> None:
    assert frames(found) == PAYLOADS
    assert [one.data for one in found if one.kind is EntryKind.SIP] == SIP
    assert not [one for one in found if one.kind is EntryKind.DAMAGE]


@needs_tshark
@pytest.mark.parametrize("options", [("-x",), ("-V", "-x"), ("-P", "-x")], ids=" ".join)
def test_tshark(options: tuple[str, ...], tmp_path: Path) -> None:
    found, account = read(tshark(tmp_path, PACKETS, *options))
    holds_all(found)
    assert account.form == "packets as hexadecimal digits"
    assert bool(found[-1].time) is (options != ("-x",))
    assert min(account.other, account.wrapping) >= 0


@pytest.mark.parametrize("head", ["07:26:00.123456 IP 10.0.0.9.5080 > 127.0.0.1.5060: UDP, length 247\n", ""])
@pytest.mark.parametrize("ethernet", [True, False], ids=["-XX", "-X"])
def test_tcpdump(ethernet: bool, head: str) -> None:
    octets = [bytes(packet) if ethernet else bytes(packet[Ether].payload) for packet in PACKETS]
    text = "".join(f"{head}{dumped(one, 2, chr(9) + '0x{:04x}:  ')}" for one in octets)
    found, _ = read(text.encode())
    holds_all(found)
    assert found[0].time.endswith("07:26:00.123456Z") if head else not found[0].time


def test_other_dumps_of_a_packet_are_passed_over() -> None:
    packet = bytes(PACKETS[0])
    text = f"Frame ({len(packet)} bytes):\n{dumped(packet)}Reassembled TCP (289 bytes):\n{dumped(packet)}\n"
    found, _ = read((text + f"Frame ({len(packet)} bytes):\n{dumped(packet)}").encode())
    assert [one.data for one in found] == [SIP[0]] * 2


def test_a_dump_that_is_cut() -> None:
    packet = dumped(bytes(PACKETS[0])).splitlines(keepends=True)
    found, account = read("".join([*packet[:5], *packet[6:], "\n", *packet]).encode())
    whole = [one for one in found if one.kind is EntryKind.SIP and not one.missing]
    assert [one.data for one in whole] == [SIP[0]]
    assert account.other > 0
    assert any(one.kind is EntryKind.DAMAGE for one in found)


@needs_tshark
def test_a_summary_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(NotARecording, match=r"tshark's summary.* expected tshark -V, -x or -w FILE"):
        read(tshark(tmp_path, PACKETS))
