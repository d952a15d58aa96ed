"""Capture files that tshark reads: SIP messages, each an UDP datagram on port 5060, or the octets of a connection."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

_RAW_IP = 101  # LINKTYPE_RAW: each packet begins with its IP header
_LOOPBACK = bytes([127, 0, 0, 1])
_FIELDS = (
    "frame.number",
    "_ws.col.Protocol",
    "sip.Method",
    "sip.Status-Code",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
)
_SEVERITY_NOTE = 0x400000
_OWN_HEADER = "Unrecognised SIP header (x-"  # an extension header is no fault


class Dissection(Struct, frozen=True):
    """What tshark made of one message."""

    protocol: str
    kind: str
    """the method or the status code"""
    complaints: list[str]
    """malformed parts, and expert remarks that are notes, warnings or errors"""


def dissect(messages: Sequence[str], path: Path) -> list[Dissection]:
    """Writes ``messages`` to the capture file ``path`` and has tshark read it."""
    _write(path, [_datagram(message.encode("latin-1")) for message in messages])
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
    for field in _FIELDS:
        command += ["-e", field]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [_read(line) for line in output.splitlines()]


class Segment(Struct, frozen=True):
    """Octets that went one way on a connection."""

    from_server: bool
    octets: bytes


def dissect_connection(
    segments: Sequence[Segment], path: Path, *, port: int, keys: Path, fields: Sequence[str]
) -> list[tuple[str, ...]]:
    """``fields`` of each packet of a TLS connection to ``port``, decrypted with the key log ``keys``."""
    position = {False: 1, True: 1}
    packets = []
    for segment in segments:
        ports = (port, 50000) if segment.from_server else (50000, port)
        here, there = position[segment.from_server], position[not segment.from_server]
        tcp = struct.pack("!HHIIBBHHH", *ports, here, there, 0x50, 0x18, 65535, 0, 0)
        position[segment.from_server] += len(segment.octets)
        packets.append(_ip(6, tcp + segment.octets))
    _write(path, packets)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
    command += ["-o", f"tls.keylog_file:{keys}"]
    for field in fields:
        command += ["-e", field]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [tuple(line.split("\t")) for line in output.splitlines()]


def _write(path: Path, packets: Sequence[bytes]) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, _RAW_IP))
        for number, packet in enumerate(packets):
            file.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)


def _read(line: str) -> Dissection:
    _, protocol, method, status, malformed, severities, remarks = line.split("\t")
    complaints = [malformed] if malformed else []
    for severity, remark in zip(severities.split("|"), remarks.split("|"), strict=True):
        if severity and int(severity, 0) >= _SEVERITY_NOTE and not remark.startswith(_OWN_HEADER):
            complaints.append(remark)
    return Dissection(protocol, method or status, complaints)


def _datagram(payload: bytes) -> bytes:
    """IPv4 and UDP around one message; no UDP checksum, which IPv4 allows."""
    return _ip(17, struct.pack("!HHHH", 5060, 5060, 8 + len(payload), 0) + payload)


def _ip(protocol: int, payload: bytes) -> bytes:
    """IPv4 around it, from and to the loopback address."""
    size = 20 + len(payload)
    head = struct.pack("!BBHHHBBH", 0x45, 0, size, 0, 0, 64, protocol, 0) + _LOOPBACK * 2
    total = sum(struct.unpack("!10H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack("!H", checksum) + head[12:] + payload
