"""SIP messages as a capture file that tshark reads: each one an UDP datagram on port 5060."""

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
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, _RAW_IP))
        for number, message in enumerate(messages):
            packet = _datagram(message.encode("latin-1"))
            file.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
    for field in _FIELDS:
        command += ["-e", field]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [_read(line) for line in output.splitlines()]


def _read(line: str) -> Dissection:
    _, protocol, method, status, malformed, severities, remarks = line.split("\t")
    complaints = [malformed] if malformed else []
    for severity, remark in zip(severities.split("|"), remarks.split("|"), strict=True):
        if severity and int(severity, 0) >= _SEVERITY_NOTE and not remark.startswith(_OWN_HEADER):
            complaints.append(remark)
    return Dissection(protocol, method or status, complaints)


def _datagram(payload: bytes) -> bytes:
    """IPv4 and UDP around one message; no UDP checksum, which IPv4 allows."""
    udp = struct.pack("!HHHH", 5060, 5060, 8 + len(payload), 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp) + len(payload), 0, 0, 64, 17, 0) + _LOOPBACK * 2
    total = sum(struct.unpack("!10H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack("!H", checksum) + head[12:] + udp + payload
