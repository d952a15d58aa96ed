"""Packet captures: an admin connection, and SIP beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgWriter, PcapWriter

from msgtrace.entries import Entry, EntryKind
from msgtrace.recordings import read
from tests.msgtrace.samples import EXCHANGE, busy, frame, invite

APP, SERVER = ("127.0.0.1", 40000), ("127.0.0.2", 9022)
PAYLOADS = [text.encode().decode("latin-1") for _, text in EXCHANGE]


def tcp(down: bool, sequence: int, payload: bytes, flags: str = "PA") -> Packet:
    """A segment of the admin connection."""
    (source, sport), (target, dport) = (SERVER, APP) if down else (APP, SERVER)
    segment = IP(src=source, dst=target) / TCP(sport=sport, dport=dport, seq=sequence, flags=flags)
    return Ether() / segment / Raw(payload) if payload else Ether() / segment


def connection(size: int = 150) -> list[Packet]:
    """The exchange in segments; the sequence numbers run over their end."""
    places = {False: 4294967200, True: 4294967000}
    packets = [tcp(down, places[down], b"", "S") for down in (False, True)]
    for down, text in EXCHANGE:
        octets = frame(text).encode()
        for start in range(0, len(octets), size):
            piece = octets[start : start + size]
            packets.append(tcp(down, (places[down] + 1) % (1 << 32), piece))
            places[down] += len(piece)
    return packets


def udp(text: str, *, sent: bool) -> Packet:
    """A SIP message at the server's address."""
    ends = (("127.0.0.1", 5060), ("10.0.0.9", 5080))
    (source, sport), (target, dport) = ends if sent else ends[::-1]
    return Ether() / IP(src=source, dst=target) / UDP(sport=sport, dport=dport) / Raw(text.encode())


def pcap(packets: Sequence[Packet], *, ng: bool = False) -> bytes:
    """The file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture"
        writer = PcapNgWriter(str(path)) if ng else PcapWriter(str(path))
        with writer:
            for number, packet in enumerate(packets):
                packet.time = 1795419966 + number / 100
                writer.write(packet)
        return path.read_bytes()


def frames(found: list[Entry]) -> list[str]:
    """Payloads."""
    return [entry.data for entry in found if entry.kind is EntryKind.FRAME]


@pytest.mark.parametrize("ng", [False, True], ids=["pcap", "pcapng"])
def test_an_admin_connection_and_sip_beside_it(ng: bool) -> None:
    packets = [*connection(), udp(invite("call01"), sent=False), udp(busy("call01"), sent=True)]
    found = list(read(pcap(packets, ng=ng)))
    assert frames(found) == PAYLOADS
    assert [entry.from_server for entry in found if entry.kind is EntryKind.FRAME] == [
        down for down, _ in EXCHANGE
    ]
    received, sent = (entry for entry in found if entry.kind is EntryKind.SIP)
    assert (received.from_server, received.peer) == (False, "udp/10.0.0.9:5080")
    assert (sent.from_server, sent.peer) == (True, "udp/10.0.0.9:5080")
    assert sent.time.startswith("2026-11-23T")
    assert (found[0].where, sent.where) == ("packet 3", f"packet {len(packets)}")


def repeated(packets: list[Packet]) -> list[Packet]:
    """Every segment twice."""
    return [packet for packet in packets for _ in range(2)]


def swapped(packets: list[Packet]) -> list[Packet]:
    """Two segments of one side in the wrong order."""
    large = [
        number for number, packet in enumerate(packets) if packet[TCP].sport == 9022 and packet[TCP].payload
    ]
    one, two = large[1], large[2]
    packets[one], packets[two] = packets[two], packets[one]
    return packets


@pytest.mark.parametrize("happens", [repeated, swapped])
def test_segments_are_brought_into_order(happens: Callable[[list[Packet]], list[Packet]]) -> None:
    assert sorted(frames(list(read(pcap(happens(connection())))))) == sorted(PAYLOADS)


def test_a_segment_that_lacks_is_damage_and_the_rest_is_read() -> None:
    packets = connection(100)
    gone = next(number for number, packet in enumerate(packets) if b"|sip|network|" in bytes(packet))
    del packets[gone]
    more = [tcp(True, (4294967001 + 5000 + 8 * number) % (1 << 32), b"6#p|ping") for number in range(300)]
    found = list(read(pcap(packets + more)))
    assert any("are not in the capture" in entry.data for entry in found if entry.kind is EntryKind.DAMAGE)
    assert frames(found).count("p|ping") > 200


def test_a_capture_that_is_cut_off_is_read_to_there() -> None:
    data = pcap(connection())
    found = list(read(data[: len(data) - 30]))
    assert frames(found) == PAYLOADS[:-1]


def test_sip_over_tcp_is_taken_apart_by_its_length() -> None:
    text = (invite("call01") + invite("call02")).encode()
    packets = [
        Ether()
        / IP(src="10.0.0.9", dst="127.0.0.1")
        / TCP(sport=40001, dport=5060, seq=1 + start, flags="PA")
        / Raw(text[start : start + 100])
        for start in range(0, len(text), 100)
    ]
    found = list(read(pcap(packets)))
    assert [entry.data.encode("latin-1").decode() for entry in found] == [invite("call01"), invite("call02")]


def test_what_is_neither_is_passed_over() -> None:
    packets = [Ether() / IP() / UDP(sport=53, dport=5353) / Raw(b"\x00\x01noise"), Ether() / Raw(b"x" * 60)]
    assert list(read(pcap(packets))) == []
