"""HEP in captures and in files of its own."""

from __future__ import annotations

import re
import struct
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from msgtrace.entries import EntryKind
from msgtrace.readers.hep import Encapsulated, parse
from msgtrace.recordings import read
from tests.msgtrace.call_set import ETHERNET, message
from tests.msgtrace.test_capture import pcap

TEXT = message("OPTIONS sip:bob@h SIP/2.0", "h1", "1 OPTIONS").encode()
TIME = 1795419966


def version_3(source: str = "192.0.2.9", target: str = "192.0.2.1", protocol: int = 17) -> bytes:
    """A packet with the chunks that agents send."""
    begin, end = ip_address(source).packed, ip_address(target).packed
    family = 2 if len(begin) == 4 else 10
    chunks = [
        (1, bytes([family])),
        (2, bytes([protocol])),
        (3 if family == 2 else 5, begin),
        (4 if family == 2 else 6, end),
        (7, struct.pack(">H", 5061)),
        (8, struct.pack(">H", 5060)),
        (9, struct.pack(">I", TIME)),
        (10, struct.pack(">I", 250000)),
        (11, b"\1"),
        (12, struct.pack(">I", 101)),
        (15, TEXT),
    ]
    body = b"".join(struct.pack(">HHH", 0, kind, 6 + len(value)) + value for kind, value in chunks)
    # Of another vendor, which is passed over.
    body += struct.pack(">HHH", 9, 15, 9) + b"abc"
    return b"HEP3" + struct.pack(">H", 6 + len(body)) + body


def version_2(version: int = 2, source: str = "192.0.2.9", target: str = "192.0.2.1") -> bytes:
    """As OpenSIPS' siptrace sends it."""
    begin, end = ip_address(source).packed, ip_address(target).packed
    family = 2 if len(begin) == 4 else 10
    size = 8 + 2 * len(begin)
    head = struct.pack(">BBBBHH", version, size, family, 17, 5061, 5060) + begin + end
    return head + (struct.pack("<IIHH", TIME, 250000, 101, 0) if version == 2 else b"") + TEXT


@pytest.mark.parametrize("make", [version_3, version_2])
@pytest.mark.parametrize("ends", [("192.0.2.9", "192.0.2.1"), ("2001:db8::9", "2001:db8::1")])
def test_a_packet(make: object, ends: tuple[str, str]) -> None:
    assert callable(make)
    data = make(source=ends[0], target=ends[1])
    shown = [f"[{end}]" if ":" in end else end for end in ends]
    expected = Encapsulated(f"{shown[0]}:5061", f"{shown[1]}:5060", False, TIME * 10**9 + 250_000_000, TEXT)
    assert parse(data) == expected


@pytest.mark.parametrize("version", [1, 2, 3])
def test_in_a_capture_it_is_looked_through(version: int) -> None:
    data = version_3() if version == 3 else version_2(version)
    to_homer = IP(src="192.0.2.1", dst="198.51.100.7") / UDP(sport=40000, dport=9060)
    (entry,) = read(pcap([ETHERNET / to_homer / Raw(data)]))
    assert (entry.source, entry.target) == ("udp/192.0.2.9:5061", "udp/192.0.2.1:5060")
    assert entry.data == TEXT.decode()
    assert (entry.time == "2026-11-23T07:46:06.250000Z") is (version > 1)


def test_a_file_of_packets_is_read_and_damage_in_it_is_told() -> None:
    data = version_3() + version_3(protocol=6) + b"noise" + version_3() + version_3()[:50]
    found = list(read(data))
    assert [entry.kind for entry in found] == [
        *(EntryKind.SIP, EntryKind.SIP, EntryKind.DAMAGE, EntryKind.SIP, EntryKind.DAMAGE),
    ]
    assert found[1].source == "tcp/192.0.2.9:5061"
    assert found[2].data == "5 octets are no packet of HEP"
    assert found[4].data == "the file ends within a packet of HEP: 50 octets of it are there"


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_what_is_cut_or_odd_is_no_packet(cut: int) -> None:
    assert parse(version_3()[:cut]) is None
    for data in (version_3(), version_2(), version_2(1)):
        parse(data[:cut] + b"\xff" * 9 + data[cut:])


PACKETS = Path(__file__).parents[3] / "shared" / "evidence" / "hep-packets.txt"


@pytest.mark.skipif(not PACKETS.is_file(), reason="the packets are not part of the repository")
def test_the_genuine_servers_packets() -> None:
    read_ = 0
    for part in re.split(r"(?m)^##### ", PACKETS.read_text("utf-8"))[1:]:
        for text in re.findall(r"(?m)^hex: ([0-9a-f]+)", part):
            found = parse(bytes.fromhex(text))
            if "garbage" in part.split("\n")[0] and found is None:
                continue
            assert found is not None, part.split("\n")[0]
            assert found.payload.startswith((b"OPTIONS", b"SIP/2.0", b"INVITE"))
            assert re.search(r":2\d{4}$", found.source) or re.search(r":2\d{4}$", found.target)
            read_ += 1
    assert read_ > 30
