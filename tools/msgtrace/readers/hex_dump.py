"""Packets as hexadecimal digits: ``tshark -x``, Wireshark's export as text, ``tcpdump -x`` and its like. They are put
together and read as a capture; what dumps tshark adds of reassembled or decrypted data is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry
from msgtrace.ordinary import Detail, Run
from msgtrace.readers import capture
from msgtrace.readers.pcap import Captured
from msgtrace.wrapping import lines_of

_DIGITS = rb"(?:[0-9a-f]{2}){1,2}(?: (?:[0-9a-f]{2}){1,2}){0,15}(?= |\r?\n|\Z)"
BEGINNING = re.compile(
    rb"(?:\A|\n)[ \t]*(?:0x)?0000:?[ \t]{1,2}(?=" + _DIGITS + rb")[0-9a-f]{2} ?[0-9a-f]{2} ?[0-9a-f]{2}"
)
_LINE = re.compile(rb"[ \t]*(?:0x)?([0-9a-f]{4,8}):?[ \t]{1,2}(" + _DIGITS + rb")")
_OTHER_DATA = re.compile(rb"(?!Frame )[A-Z][A-Za-z0-9 -]{1,60} \([0-9]+ bytes\):\s*\Z")
_TIMES = (
    re.compile(rb"[ \t]+Epoch (?:Arrival )?Time: ([0-9]{1,12})\.([0-9]{1,9}) seconds"),
    re.compile(rb"[ \t]*[0-9]+ +([0-9]{1,9})\.([0-9]{6,9}) +\S+ +(?:\xe2\x86\x92|->)"),
)
_CLOCK = re.compile(rb"(?:20[0-9]{2}-[0-9]{2}-[0-9]{2} )?([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6,9}) ")
_LARGEST = 1 << 20
_ETHERNET, _RAW, _COOKED = 1, 101, 113
_NETWORKS = (b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\xa8")


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of the packets; it has no runs of frames."""
    return capture.read_packets(_packets(blocks, account), account)


def _packets(blocks: Iterable[bytes], account: Account) -> Iterator[Captured]:
    number, time, told = 0, 0, 0
    data = bytearray()
    is_packet = True
    for block in lines_of(blocks):
        for line in block.splitlines():
            found = _LINE.match(line)
            offset = int(found[1], 16) if found is not None else -1
            if found is None or offset != len(data):
                if data:
                    number += 1
                    yield _captured(number, time, bytes(data))
                    data.clear()
                if offset != 0:
                    account.other += len(line) + 1
                    is_packet = _OTHER_DATA.match(line) is None and (is_packet or not line.strip())
                    told = _moment(line)
                    time, is_packet = (told, True) if told else (time, is_packet)
                    continue
            assert found is not None
            if is_packet and len(data) < _LARGEST:
                data += bytes.fromhex(found[2].decode("ascii"))
    if data:
        yield _captured(number + 1, time, bytes(data))


def _captured(number: int, time: int, data: bytes) -> Captured:
    link = _RAW
    if data[12:14] in _NETWORKS:
        link = _ETHERNET
    elif data[14:16] in _NETWORKS and data[:1] == b"\0":
        link = _COOKED
    return Captured(number, time, link, data, 0)


def _moment(line: bytes) -> int:
    """Nanoseconds, since 1970 or since somebody's beginning; 0 if the line tells no time."""
    for pattern in _TIMES:
        if found := pattern.match(line):
            return int(found[1]) * 10**9 + int(found[2].ljust(9, b"0"))
    if found := _CLOCK.match(line):
        hours, minutes, seconds = (int(part) for part in found.groups()[:3])
        return ((hours * 60 + minutes) * 60 + seconds) * 10**9 + int(found[4].ljust(9, b"0"))
    return 0
