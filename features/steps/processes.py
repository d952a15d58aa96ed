"""The reference server as a process with options of its own, and Alice, who has a socket of her own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from drachtio_conformance.targets.target import Target

DEADLINE = 20.0
"""Seconds that anything may take."""

Start = Callable[..., "ServerProcess"]


class NotStarted(Exception):
    """It has ended instead."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"status {status}: {said}")
        self.status = status
        self.said = said


class ServerProcess:
    """One server; what it says on standard error is kept. Raises :class:`NotStarted`."""

    def __init__(self, *options: str, host: str = "127.0.0.1", environment: dict[str, str]) -> None:
        """``host`` is where it takes SIP; ``environment`` has the variables of its own."""
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("DRACHTIO_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reference_server.cli", *options],
            env={**inherited, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._said = b""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith(b"{"):
            line += self._process.stdout.read()
            status = self._process.wait(DEADLINE)
            raise NotStarted(status, line.decode() + self._end())
        ready = json.loads(line)
        self.host = host
        self.sip = [str(contact) for contact in ready["sip"]]
        self.sip_port = int(self.sip[0].rpartition(":")[2])
        self.admin_port = int(ready["admin"].rpartition(":")[2])
        self.metrics = str(ready.get("metrics", ""))

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._more:
                self._said += line
                self._more.notify_all()

    def wait_for(self, words: str) -> str:
        """What it has said, once these words are in it."""
        with self._more:
            assert self._more.wait_for(lambda: words.encode() in self._said, DEADLINE), self._said.decode()
            return self._said.decode()

    def hang_up(self) -> None:
        """SIGHUP: read everything again."""
        self._process.send_signal(signal.SIGHUP)

    def end(self) -> str:
        """Ask it to end; what it has said until then."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(DEADLINE) == 0, self._said.decode()
        return self._end()

    def _end(self) -> str:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return self._said.decode("utf-8", "backslashreplace")

    def close(self) -> None:
        """End it at once."""
        self._end()


@pytest.fixture
def start_server(target: Target) -> Iterator[Start]:
    """Starts servers with these options, and the usual ones unless ``bare``; they end with the scenario."""
    if not target.embedded:
        pytest.skip("of the reference server, whose options it needs")
    started: list[ServerProcess] = []

    def start(
        *options: str,
        host: str = "127.0.0.1",
        bare: bool = False,
        environment: dict[str, str] | None = None,
    ) -> ServerProcess:
        at = f"[{host}]" if ":" in host else host
        usual = ("--port", "0", "--secret", "cymru", "--contact", f"sip:{at}:0;transport=udp")
        every = options if bare else (*usual, *options)
        started.append(ServerProcess(*every, host=host, environment=environment or {}))
        return started[-1]

    yield start
    for server in started:
        server.close()


class Alice:
    """A phone that asks, and reads what it is answered."""

    def __init__(self, server: ServerProcess) -> None:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(DEADLINE)
        self._socket.bind((server.host, 0))
        self._socket.connect((server.host, server.sip_port))
        self.host = server.host
        self.port = int(self._socket.getsockname()[1])
        self._asked = 0

    def request(self, method: str = "OPTIONS", header: str = "") -> bytes:
        """One that the server has not seen yet."""
        self._asked += 1
        at = f"[{self.host}]" if ":" in self.host else self.host
        number = self._asked
        return (
            f"{method} sip:bob@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {at}:{self.port};branch=z9hG4bK-{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@{at}>;tag=a{number}\r\nTo: <sip:bob@{at}>\r\n"
            f"Call-ID: call-{number}@alice\r\nCSeq: {number} {method}\r\n{header}Content-Length: 0\r\n\r\n"
        ).encode()

    def send(self, request: bytes) -> None:
        """Put it on the wire."""
        self._socket.send(request)

    def answer(self) -> str:
        """The next message that comes."""
        return self._socket.recv(65_535).decode()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def closed_port() -> int:
    """A UDP port of 127.0.0.1 where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
