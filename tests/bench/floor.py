"""The floor: a callee that costs what the system calls, the loop and the copying cost, and little else.

For each basic call it receives, sends and frames exactly what the server does, on the same loop, and it serves the
same application: INVITE → 100 and a frame; the application's 200 → 200 and an echo; ACK → a frame; BYE → a frame; the
application's 200 → 200 and an echo. It cuts strings where SIPp's scenario has them. It parses nothing, starts no
timer, makes no identifier, repeats nothing, and would serve no other caller.

Run as ``python -m tests.bench.floor``; says on stdout where it listens, as the server does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from typing import cast

import uvloop

from reference_server.server import tune_for_traffic

_READS_PER_WAKE = 64
_TIME = b"07:33:51.717647"

Address = tuple[str, int]


class Floor:
    """The UDP socket and the one application."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._port: int = sock.getsockname()[1]
        self.hostport = f"udp/127.0.0.1:{self._port}"
        self._application: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._count = 0
        self._waiting: dict[bytes, tuple[bytes, bytes, Address]] = {}
        """transaction id to header lines, dialog id, caller"""

    def readable(self) -> None:
        """Reads what has arrived."""
        for _ in range(_READS_PER_WAKE):
            try:
                data, address = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            self._received(data, address)

    def _received(self, data: bytes, address: Address) -> None:
        start = data.find(b"\r\n") + 2
        head = data[start : data.find(b"\r\n", data.find(b"\nCSeq")) + 2]
        call_id = head[head.find(b"\nCall-ID: ") + 10 : head.rfind(b"\r\nCSeq")]
        tag = head[head.find(b";tag=") + 5 : head.find(b"\r\nTo:")]
        dialog = b"%b;from-tag=%b" % (call_id, tag)
        self._count += 1
        meta = b"%d|sip|network|%d|%b|%b|%d|%b|%d|%b|"
        host, port = address[0].encode(), address[1]
        if data.startswith(b"INVITE"):
            trying = b"SIP/2.0 100 Trying\r\n%bContent-Length: 0\r\n\r\n" % head
            self._socket.sendto(trying, address)
            tagged = head.replace(b"\r\nCall-ID", b";tag=floor%d\r\nCall-ID" % self._count)
            self._waiting[b"%d" % self._count] = (tagged, dialog, address)
            fields = (self._count, len(data), b"udp", host, port, _TIME, self._count, b"")
            self._frame(b"%b127.0.0.1|%d|\r\n%b" % (meta % fields, self._port, data))
            return
        protocol = b"" if data.startswith(b"ACK") else b"udp"
        if protocol:
            self._waiting[b"%d" % self._count] = (head, dialog, address)
        fields = (self._count, len(data), protocol, host, port, _TIME, self._count, dialog)
        self._frame(b"%b\r\n%b" % (meta % fields, data))

    def answered(self, payload: bytes) -> None:
        """One frame of the application."""
        meta, _, message = payload.partition(b"\r\n")
        tokens = meta.split(b"|")
        if tokens[1] != b"sip":
            more = f"|{self.hostport}|v0.9.5-floor|{self.hostport}" if tokens[1] == b"authenticate" else ""
            self._frame(b"0|response|%b|OK%b" % (tokens[0], more.encode()))
            return
        head, dialog, address = self._waiting.pop(tokens[2])
        body = message[message.find(b"\r\n\r\n") + 4 :]
        type_ = b"Content-Type: application/sdp\r\n" if body else b""
        fields = (head, self._port, type_, len(body), body)
        response = (
            b"SIP/2.0 200 OK\r\n%bContact: <sip:127.0.0.1:%d>\r\n%bContent-Length: %d\r\n\r\n%b" % fields
        )
        self._socket.sendto(response, address)
        echo = b"0|response|%b|OK|application|%d|udp|%b|%d|%b|%b|%b||Msg sent:|\r\n%b"
        host, port = address[0].encode(), address[1]
        about = (tokens[0], len(response), host, port, _TIME, tokens[2], dialog, response)
        self._frame(echo % about)

    def connected(self, transport: asyncio.Transport) -> None:
        """An application is here."""
        self._application = transport

    def _frame(self, payload: bytes) -> None:
        """One write for each connection and turn of the loop, as the server does."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(b"%d#%b" % (len(payload), payload))

    def _flush(self) -> None:
        assert self._application is not None
        self._application.write(b"".join(self._out))
        self._out.clear()


class FloorConnection(asyncio.Protocol):
    """The admin connection: frames in."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the application has connected."""
        self._floor.connected(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        """asyncio: frames, or parts of them."""
        buffer = self._buffer + data
        position = 0
        while (mark := buffer.find(b"#", position)) >= 0:
            end = mark + 1 + int(buffer[position:mark])
            if end > len(buffer):
                break
            self._floor.answered(buffer[mark + 1 : end])
            position = end
        self._buffer = buffer[position:]


async def serve() -> None:
    """Serves until SIGTERM."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    sock.bind(("127.0.0.1", 0))
    floor = Floor(sock)
    loop.add_reader(sock.fileno(), floor.readable)
    admin = await loop.create_server(lambda: FloorConnection(floor), "127.0.0.1", 0)
    port = admin.sockets[0].getsockname()[1]
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    tune_for_traffic()
    ready = {
        "ready": True,
        "admin": f"127.0.0.1:{port}",
        "sip": [floor.hostport],
        "pid": os.getpid(),
        "version": "floor",
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await stopped.wait()


if __name__ == "__main__":
    uvloop.run(serve())
