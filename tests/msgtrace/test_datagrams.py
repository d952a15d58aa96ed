"""Tunnels, link types, fragments and cut datagrams; scapy makes the packets, and tshark agrees on the tunnels."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.contrib.erspan import ERSPAN_II
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.recordings import read, read_blocks
from tests.msgtrace.call_set import ETHERNET, PHONE, SERVER, message
from tests.msgtrace.test_capture import pcap

A, B = PHONE.split(":")[0], SERVER.split(":")[0]
OPTIONS = message("OPTIONS sip:bob@h SIP/2.0", "e1", "1 OPTIONS").encode()
OK = message("SIP/2.0 200 OK", "e1", "1 OPTIONS").encode()


def udp(source: str, target: str, data: bytes) -> Packet:
    """An inner packet."""
    return IP(src=source, dst=target) / UDP(sport=5060, dport=5060) / Raw(data)


def outer() -> Packet:
    """Of a tunnel between two routers."""
    return ETHERNET / IP(src="198.51.100.1", dst="198.51.100.2")


def inner() -> Packet:
    """Another Ethernet."""
    return Ether(src="00:00:00:00:00:03", dst="00:00:00:00:00:04")


TUNNELS: dict[str, Callable[[Packet], Packet]] = {
    "none": lambda packet: ETHERNET / packet,
    "VLAN": lambda packet: ETHERNET / Dot1Q(vlan=5) / packet,
    "QinQ": lambda packet: ETHERNET / Dot1AD(vlan=7) / Dot1Q(vlan=5) / packet,
    "PPPoE": lambda packet: ETHERNET / PPPoE(sessionid=1) / PPP(proto=0x21) / packet,
    "PPPoE in a VLAN": lambda packet: (
        ETHERNET / Dot1Q(vlan=7) / PPPoE(sessionid=1) / PPP(proto=0x21) / packet
    ),
    "MPLS": lambda packet: ETHERNET / MPLS(label=16, s=0) / MPLS(label=17, s=1) / packet,
    "IP in IP": lambda packet: outer() / packet,
    "IP in IP in IP": lambda packet: outer() / IP(src="10.0.0.1", dst="10.0.0.2") / packet,
    "IP in IPv6": lambda packet: ETHERNET / IPv6(src="2001:db8::1", dst="2001:db8::2", nh=4) / packet,
    "GRE": lambda packet: outer() / GRE() / packet,
    "GRE with a key": lambda packet: outer() / GRE(key_present=1, key=5, seqnum_present=1) / packet,
    "Ethernet in GRE": lambda packet: outer() / GRE(proto=0x6558) / inner() / packet,
    "ERSPAN": lambda packet: outer() / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / inner() / packet,
    "VXLAN": lambda packet: outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=1, flags=8) / inner() / packet,
    "VXLAN-GPE": lambda packet: outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=1) / inner() / packet,
    "VXLAN with a VLAN": lambda packet: (
        outer() / UDP(sport=40000, dport=4789) / VXLAN(vni=1, flags=8) / inner() / Dot1Q(vlan=3) / packet
    ),
    "GENEVE": lambda packet: outer() / UDP(sport=40000, dport=6081) / GENEVE(proto=0x6558) / inner() / packet,
    "GTP-U": lambda packet: outer() / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9) / packet,
    "GTP-U of 5G": lambda packet: (
        outer()
        / UDP(sport=2152, dport=2152)
        / GTP_U_Header(teid=9, E=1, next_ex=0x85)
        / GTPPDUSessionContainer(type=0, QFI=1)
        / packet
    ),
    "L2TP": lambda packet: (
        outer()
        / UDP(sport=1701, dport=1701)
        / Raw(b"\0\2\0\1\0\2\xff\3\0\x21" + bytes(packet))  # scapy's makes no datagrams of its own
    ),
    "L2TP with all its fields": lambda packet: (
        outer()
        / UDP(sport=1701, dport=1701)
        / Raw(
            b"\x4a\2"
            + struct.pack(">H", 18 + len(packet))
            + b"\0\1\0\2"
            + b"\0\0\0\0"
            + b"\0\2..\0\x21"
            + bytes(packet)
        )
    ),
    "TZSP": lambda packet: (
        outer()
        / UDP(sport=40000, dport=37008)
        / Raw(b"\1\0\0\1" + b"\x0a\1\x30" + b"\0" + b"\1" + bytes(inner() / packet))
    ),
    "a pseudowire": lambda packet: ETHERNET / MPLS(label=16, s=1) / Raw(b"\0\0\0\1") / inner() / packet,
    "a pseudowire without a control word": lambda packet: (
        ETHERNET / MPLS(label=16, s=1) / Raw(bytes(inner() / packet))
    ),
}
TSHARK = shutil.which("tshark")


def ends(found: list[Entry]) -> list[tuple[str, str, str]]:
    """Of SIP messages."""
    return [(entry.source, entry.target, entry.data) for entry in found if entry.kind is EntryKind.SIP]


@pytest.mark.parametrize("name", TUNNELS)
def test_tunnels_are_looked_through(name: str) -> None:
    wrap = TUNNELS[name]
    data = pcap([wrap(udp(A, B, OPTIONS)), wrap(udp(B, A, OK))])
    assert ends(list(read(data))) == [
        (f"udp/{A}:5060", f"udp/{B}:5060", OPTIONS.decode()),
        (f"udp/{B}:5060", f"udp/{A}:5060", OK.decode()),
    ]


@pytest.mark.skipif(TSHARK is None, reason="needs tshark")
def test_tshark_looks_through_the_same_tunnels(tmp_path: Path) -> None:
    """All in one capture, since tshark takes long to begin."""
    assert TSHARK is not None
    wraps = {name: wrap for name, wrap in TUNNELS.items() if name != "a pseudowire"}  # it wants to be told
    path = tmp_path / "capture"
    path.write_bytes(
        pcap([wrap(udp(*way)) for wrap in wraps.values() for way in ((A, B, OPTIONS), (B, A, OK))])
    )
    fields = ("-e", "frame.number", "-e", "ip.src")
    shown = subprocess.run(
        [TSHARK, "-r", str(path), "-Y", "sip", "-T", "fields", "-E", "occurrence=l", *fields],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    sources = dict(line.split("\t") for line in shown)
    for place, name in enumerate(wraps):
        assert [sources.get(str(2 * place + packet)) for packet in (1, 2)] == [A, B], name


def test_ipv6_is_looked_through_extension_headers() -> None:
    layers = IPv6(src="2001:db8::9", dst="2001:db8::1") / IPv6ExtHdrDestOpt()
    data = pcap([ETHERNET / layers / UDP(sport=5060, dport=5060) / Raw(OPTIONS)])
    assert ends(list(read(data))) == [("udp/[2001:db8::9]:5060", "udp/[2001:db8::1]:5060", OPTIONS.decode())]


LINKS = {
    "cooked": (113, struct.pack(">HHH8sH", 0, 1, 6, b"", 0x0800)),
    "cooked, version 2": (276, struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"")),
    "loopback": (0, struct.pack("<I", 2)),
    "loopback of OpenBSD": (108, struct.pack(">I", 2)),
    "raw": (101, b""),
    "raw IPv4": (228, b""),
    "PPP": (9, b"\xff\x03\x00\x21"),
}


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D])
def test_link_types_byte_orders_and_units_of_time(name: str, order: str, magic: int) -> None:
    link, before = LINKS[name]
    packet = before + bytes(udp(A, B, OPTIONS))
    unit = 10**6 if magic == 0xA1B2C3D4 else 10**9
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    record = struct.pack(f"{order}IIII", 1795419966, unit // 4, len(packet), len(packet))
    (entry,) = read(head + record + packet)
    assert (entry.data, entry.time) == (OPTIONS.decode(), "2026-11-23T07:46:06.250000Z")


def test_what_cannot_be_followed_is_counted_by_name() -> None:
    account = Account()
    odd = [Ether(src="00:00:00:00:00:01", dst="00:00:00:00:00:02", type=0x88E5) / Raw(b"macsec")] * 3
    assert list(read_blocks([pcap([*odd, ETHERNET / udp(A, B, OPTIONS)])], account))
    assert account.unread == {"ethertype 0x88e5": 3}


LONG = message(
    "INVITE sip:bob@h SIP/2.0", "f1", "1 INVITE", body="v=0\r\n" + "a=x:" + "y" * 2600 + "\r\n"
).encode()


def pieces(version: int) -> list[Packet]:
    """A long INVITE in fragments."""
    if version == 4:
        return list(fragment(ETHERNET / udp(A, B, LONG), 1200))  # type: ignore[no-untyped-call]
    packet = IPv6(src="2001:db8::9", dst="2001:db8::1") / IPv6ExtHdrFragment(id=7)
    whole = ETHERNET / packet / UDP(sport=5060, dport=5060) / Raw(LONG)
    return list(fragment6(whole, 1280))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("order", ["as sent", "backwards", "one twice"])
def test_fragments_are_put_together(version: int, order: str) -> None:
    parts = pieces(version)
    assert len(parts) > 2
    if order == "backwards":
        parts.reverse()
    elif order == "one twice":
        parts.insert(2, parts[1])
    (entry,) = read(pcap(parts))
    assert (entry.data, entry.missing) == (LONG.decode(), 0)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("lost", [1, -1])
def test_a_fragment_that_lacks_is_damage(version: int, lost: int) -> None:
    parts = pieces(version)
    del parts[lost]
    found = list(read(pcap([*parts, ETHERNET / udp(A, B, OPTIONS)])))
    messages = [entry for entry in found if entry.kind is EntryKind.SIP]
    assert [entry.data.split("\r\n")[0] for entry in messages] == [
        "INVITE sip:bob@h SIP/2.0",
        "OPTIONS sip:bob@h SIP/2.0",
    ]
    assert len(messages[0].data) + messages[0].missing == len(LONG)
    (damage,) = (entry for entry in found if entry.kind is EntryKind.DAMAGE)
    assert damage.data == f"a SIP message is cut, {messages[0].missing} octets lack: fragments of it lack"


def test_fragments_without_their_first_are_counted() -> None:
    account = Account()
    found = list(read_blocks([pcap(pieces(4)[1:])], account))
    assert [entry.kind for entry in found] == [EntryKind.DAMAGE]
    assert (
        "fragments of a datagram from 192.0.2.9 to 192.0.2.1 whose first is not in the capture"
        in found[0].data
    )


def shortened(packet: Packet, keep: int) -> bytes:
    """A capture of one packet with a snap length."""
    octets = bytes(packet)
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, keep, 1)
    return head + struct.pack("<IIII", 1795419966, 0, keep, len(octets)) + octets[:keep]


@pytest.mark.parametrize("keep", [120, 250, 600])
@pytest.mark.parametrize("around", [lambda packet: ETHERNET / packet, TUNNELS["VXLAN"], TUNNELS["GRE"]])
def test_a_snap_length_is_told(keep: int, around: Callable[[Packet], Packet]) -> None:
    packet = around(udp(A, B, LONG))
    message_, damage = read(shortened(packet, keep))
    lacks = len(bytes(packet)) - keep
    assert (message_.kind, message_.missing) == (EntryKind.SIP, lacks)
    assert damage.data == f"a SIP message is cut, {lacks} octets lack: cut by the capture"


def test_a_datagram_shorter_than_its_content_length_is_told() -> None:
    message_, damage = read(pcap([ETHERNET / udp(A, B, LONG[:-30])]))
    assert message_.missing == 30
    assert damage.data.endswith("its Content-Length says more than the datagram holds")


def test_a_datagram_without_an_empty_line_is_told() -> None:
    message_, damage = read(pcap([ETHERNET / udp(A, B, OPTIONS[:60])]))
    assert message_.kind is EntryKind.SIP
    assert damage.data == "a SIP message is cut: it has no empty line"
