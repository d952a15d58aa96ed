"""A callee that answers every request with 200 (an INVITE with 180 first), by copying the request's headers."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType

_COPIED = ("via", "from", "call-id", "cseq")


def answers(request: str) -> list[str]:
    """The responses to one request; none to an ACK, nor to an empty line."""
    head, *_ = request.partition("\r\n\r\n")
    start, *headers = head.split("\r\n")
    method = start.partition(" ")[0]
    lines = [line for line in headers if line.partition(":")[0].lower() in _COPIED]
    lines += [
        f"{line};tag=callee" for line in headers if line.lower().startswith("to:") and "tag=" not in line
    ]
    lines += [line for line in headers if line.lower().startswith("to:") and "tag=" in line]
    lines += ["Contact: <sip:callee@127.0.0.1>", "Content-Length: 0", "", ""]
    statuses = {"": [], "ACK": [], "INVITE": ["180 Ringing", "200 OK"]}.get(method, ["200 OK"])
    return ["\r\n".join([f"SIP/2.0 {status}", *lines]) for status in statuses]


class _Datagram(socketserver.DatagramRequestHandler):
    def handle(self) -> None:
        data, reply_socket = self.request
        for answer in answers(data.decode("latin-1")):
            reply_socket.sendto(answer.encode("latin-1"), self.client_address)

    def finish(self) -> None:
        """Everything is sent already; the inherited method would add an empty datagram."""


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline():
            head = line
            while line not in (b"\r\n", b""):
                line = self.rfile.readline()
                head += line
            lengths = [
                row.partition(b":")[2]
                for row in head.split(b"\r\n")
                if row.lower().startswith(b"content-length")
            ]
            self.rfile.read(int(lengths[0]))
            for answer in answers(head.decode("latin-1")):
                self.wfile.write(answer.encode("latin-1"))


class Callee:
    """Listens on a free port of 127.0.0.1 as long as the ``with`` block lasts."""

    def __init__(self, transport: str) -> None:
        if transport == "udp":
            self._server: socketserver.BaseServer = socketserver.UDPServer(("127.0.0.1", 0), _Datagram)
        else:
            self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Stream)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Callee:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
