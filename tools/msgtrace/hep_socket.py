"""HEP as it comes by UDP: the genuine server (``<capture-server>``), heplify or sngrep send it here.

Each datagram becomes a packet of a capture, so that the reader of captures does the rest, whatever its version.
"""

from __future__ import annotations

import socket
import struct
import time

PREFIX = "hep:"
"""what the name of such a source begins with: ``hep:9060``, ``hep:127.0.0.1:9060``"""
_RAW_IP = 101
_LARGEST = 65535


class HepSocket:
    """Reads like a file: a header, then a packet for each datagram. Raises OSError if the port cannot be had."""

    def __init__(self, name: str) -> None:
        host, _, port = name.removeprefix(PREFIX).rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise OSError(22, f"expected hep:[HOST:]PORT, got {name!r}")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, int(port)))
        except OSError:
            self._socket.close()
            raise
        self._port: int = self._socket.getsockname()[1]
        self._begun = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def read(self, size: int = -1) -> bytes:
        """The next packet; waits for it."""
        if not self._begun:
            self._begun = True
            return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, _RAW_IP)
        data = self._socket.recv(_LARGEST)
        now = time.time()
        udp = struct.pack("!HHHH", 40000, self._port, min(8 + len(data), _LARGEST), 0) + data
        packet = (
            struct.pack("!BBHHHBBHII", 0x45, 0, min(20 + len(udp), _LARGEST), 0, 0, 64, 17, 0, 1, 1) + udp
        )
        return struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(packet), len(packet)) + packet

    read1 = read
