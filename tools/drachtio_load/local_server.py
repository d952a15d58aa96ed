"""The server as a process, if it runs on this machine and we may look: what it costs while it is called."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 1024 * 1024


class Sample(Struct, frozen=True, kw_only=True):
    """The process at one moment."""

    at: float
    """Unix seconds"""
    cpu: float
    """seconds of CPU that it has used, user and system"""
    memory: float
    """MiB of resident memory"""


class LocalServer(Struct, frozen=True):
    """The process that has the port."""

    pid: int
    name: str
    """its command's name, as the kernel knows it"""

    def sample(self, at: float) -> Sample | None:
        """What it has used until now; None if it is gone."""
        try:
            fields = (_PROC / str(self.pid) / "stat").read_text("latin-1").rpartition(")")[2].split()
        except OSError:
            return None
        # utime, stime and rss are fields 14, 15 and 24 of proc(5); the name, field 2, is behind us
        return Sample(
            at=at, cpu=(int(fields[11]) + int(fields[12])) / _TICKS, memory=int(fields[21]) * _PAGE / _MIB
        )


def find(host: str, port: int, transport: str) -> LocalServer | None:
    """Whose socket takes ``transport`` (``udp`` or ``tcp``) at ``host``:``port``. None if that is not known."""
    if not _PROC.joinpath("net").is_dir():
        return None
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0]
    except OSError:
        return None
    inodes = {f"socket:[{inode}]" for inode in _sockets(str(address), port, transport)}
    if not inodes or not _is_ours(str(address)):
        return None
    for process in _PROC.glob("[0-9]*"):
        if any(_target(descriptor) in inodes for descriptor in _descriptors(process)):
            return LocalServer(int(process.name), _name(process))
    return None


def between(samples: Sequence[Sample], begin: float, end: float) -> tuple[float, float] | None:
    """CPU in percent of one core, and MiB, from ``begin`` to ``end`` (Unix seconds), by the samples nearest to them.

    None if there are no two.
    """
    if not samples:
        return None
    first = min(samples, key=lambda sample: abs(sample.at - begin))
    last = min(samples, key=lambda sample: abs(sample.at - end))
    if last.at <= first.at:
        return None
    return 100 * (last.cpu - first.cpu) / (last.at - first.at), last.memory


def _sockets(address: str, port: int, transport: str) -> Iterator[str]:
    """The inodes of the sockets bound there, or to the port on all addresses."""
    listening = {"udp": "07", "tcp": "0A"}[transport]
    version = 6 if ":" in address else 4
    names = {4: transport, 6: f"{transport}6"}
    wanted = {
        4: {_kernel_form(text) for text in (address, "0.0.0.0") if version == 4},
        6: {_kernel_form("::"), *([_kernel_form(address)] if version == 6 else [])},
    }
    for kind, addresses in wanted.items():
        try:
            lines = _PROC.joinpath("net", names[kind]).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            bound, _, number = fields[1].partition(":")
            if bound in addresses and int(number, 16) == port and fields[3] == listening:
                yield fields[9]


def _kernel_form(address: str) -> str:
    """``0100007F`` for 127.0.0.1: words of four octets in the order of this machine."""
    octets = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    words = (octets[start : start + 4] for start in range(0, len(octets), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


def _is_ours(address: str) -> bool:
    """Whether a socket can be bound to it, so that the sockets that the kernel lists are the ones that we call."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _descriptors(process: Path) -> Iterator[Path]:
    """The open files of a process; none of one that we may not look at."""
    try:
        yield from (process / "fd").iterdir()
    except OSError:
        return


def _target(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:
        return ""


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "?"
