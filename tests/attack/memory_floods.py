"""Three floods that once took gigabytes, against a server process, and how much memory it takes meanwhile.

``python -m tests.attack.memory_floods SECONDS`` runs them at length and prints a line for each; test_memory.py runs
them for a few seconds. While a flood runs a caller whom the application has answered before goes on to call.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

from msgspec import Struct

ROOT = Path(__file__).parents[2]
SECRET = "cymru"
LARGE = 55_000
RATE = 1500
"""Datagrams a second."""


class Outcome(Struct, frozen=True):
    """What became of a flood."""

    flood: str
    sent: int
    before: int
    """MiB of the process before"""
    most: int
    """MiB of the process at most"""
    calls: int
    """that somebody known placed meanwhile"""
    answered: int
    """of them"""


class Where(Struct, frozen=True):
    """The addresses of a server."""

    udp: tuple[str, int]
    tcp: tuple[str, int]


class Victim:
    """A server process, and an application that answers callers named ``known`` and leaves all others waiting."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "reference_server.cli", "--secret", SECRET, "--port", "0"),
                *("--contact", "sip:127.0.0.1:0", "--loglevel", "notice"),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        host, _, port = ready["admin"].rpartition(":")
        udp, tcp = (("127.0.0.1", int(text.rpartition(":")[2])) for text in ready["sip"])
        self.where = Where(udp, tcp)
        self._application = socket.create_connection((host, int(port)), 10)
        self._application.settimeout(None)
        for text in (f"a|authenticate|{SECRET}|", "b|route|invite", "c|route|options"):
            self._application.sendall(f"{len(text)}#{text}".encode())
        self._routed = Event()
        self._thread = Thread(target=self._answer, daemon=True)
        self._thread.start()
        assert self._routed.wait(10)

    def _answer(self) -> None:
        with self._application.makefile("rb", 1_000_000) as frames:
            while True:
                digits = b""
                while (octet := frames.read(1)) not in (b"#", b""):
                    digits += octet
                if not digits:
                    return
                payload = frames.read(int(digits))
                tokens = payload[:400].split(b"|")
                if tokens[1:4] == [b"response", b"c", b"OK"]:
                    self._routed.set()
                elif tokens[1] == b"sip" and b"<sip:known@" in payload[:1000]:
                    text = b"d|sip|" + tokens[8] + b"|\r\nSIP/2.0 200 OK\r\n\r\n"
                    self._application.sendall(b"%d#%s" % (len(text), text))

    def memory(self) -> int:
        """MiB of the process now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    def end(self) -> int:
        """Stop it as a user does; the status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        finally:
            self.process.kill()
            self._thread.join(10)
            self._application.close()
            assert self.process.stdout is not None
            self.process.stdout.close()


class KnownCaller:
    """Asks OPTIONS from 127.0.0.2, again and again until it is answered, as a client transaction does."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.2", 0))
        self._socket.settimeout(0.2)
        self.calls = self.answered = 0

    def call(self) -> None:
        """Ask once; 200 counts."""
        self.calls += 1
        port = self._socket.getsockname()[1]
        name = f"k{port}-{self.calls}"
        text = _request("OPTIONS", name, f"127.0.0.2:{port}", user="known")
        for _ in range(160):  # 32 s, as 64·T1
            self._socket.sendto(text, self._victim.where.udp)
            try:
                while name.encode() not in (came := self._socket.recv(65535)):
                    continue
            except TimeoutError:
                continue
            self.answered += came.startswith(b"SIP/2.0 200 ")
            return

    def close(self) -> None:
        """No more calls."""
        self._socket.close()


def _request(
    method: str,
    name: str,
    address: str,
    *,
    user: str = "stranger",
    call_id: str = "",
    more: str = "",
    via: str = "",
) -> bytes:
    return (
        f"{method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{name}{via}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag={name}\r\nTo: <sip:bob@127.0.0.1>\r\n"
        f"Call-ID: {call_id or name}\r\nCSeq: 1 {method}\r\nContact: <sip:a@{address}>\r\n{more}"
        f"Content-Length: 0\r\n\r\n"
    ).encode()


def _datagrams(where: Where, seconds: float, make: Callable[[str, str], bytes]) -> int:
    """Send at RATE from a few addresses, for datagrams can come from any."""
    senders = []
    for host in range(3, 7):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((f"127.0.0.{host}", 0))
        senders.append(sender)
    sent, begun = 0, time.monotonic()
    while (now := time.monotonic() - begun) < seconds:
        while sent < now * RATE:
            sender = senders[sent % len(senders)]
            host, port = sender.getsockname()
            sender.sendto(make(f"f{sent}", f"{host}:{port}"), where.udp)
            sent += 1
        time.sleep(0.001)
    for sender in senders:
        sender.close()
    return sent


def large_invites(where: Where, seconds: float) -> int:
    """INVITEs that nobody answers, of 55 kB."""
    more = f"Subject: {'x' * LARGE}\r\n"
    return _datagrams(where, seconds, lambda name, at: _request("INVITE", name, at, more=more))


def long_call_ids(where: Where, seconds: float) -> int:
    """Requests that are answered at once, and to be remembered, of which the Call-ID has 55 kB."""
    return _datagrams(
        where, seconds, lambda name, at: _request("MESSAGE", name, at, call_id=f"{name}{'c' * LARGE}")
    )


def long_vias(where: Where, seconds: float) -> int:
    """The same with a Via of 55 kB, which the response repeats."""
    return _datagrams(where, seconds, lambda name, at: _request("MESSAGE", name, at, via=f";x={'v' * LARGE}"))


def unread_responses(where: Where, seconds: float) -> int:
    """A hundred connections that ask and do not read, 60 kB for each answer."""
    selector = selectors.DefaultSelector()
    for number in range(100):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(where.tcp)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_WRITE, number)
    sent, begun, waits = 0, time.monotonic(), dict[int, bytes]()
    counts = dict.fromkeys(range(100), 0)
    while time.monotonic() - begun < seconds:
        for key, _ in selector.select(0.1):
            peer, number = key.fileobj, key.data
            assert isinstance(peer, socket.socket)
            octets = waits.get(number, b"")
            if not octets:
                counts[number] += 1
                name = f"c{number}-{counts[number]}"
                octets = _request("MESSAGE", name, "127.0.0.1:9", via=f";x={'v' * LARGE}")
                sent += 1
            try:
                waits[number] = octets[peer.send(octets) :]
            except BlockingIOError:
                continue
            except ConnectionError:
                selector.unregister(peer)
                peer.close()
        if not selector.get_map():
            break
    for key in list(selector.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    selector.close()
    return sent


FLOODS = (large_invites, long_call_ids, long_vias, unread_responses)


def run(flood: Callable[[Where, float], int], seconds: float) -> Outcome:
    """Start a server, flood it, watch it, end it."""
    victim = Victim()
    caller = KnownCaller(victim)
    try:
        caller.call()
        before = most = victim.memory()
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            flooding = pool.submit(flood, victim.where, seconds)
            while not flooding.done():
                most = max(most, victim.memory())
                caller.call()
                time.sleep(0.05)
            sent = flooding.result()
        most = max(most, victim.memory())
        caller.call()
    finally:
        caller.close()
        assert victim.end() == 0
    return Outcome(flood.__name__, sent, before, most, caller.calls, caller.answered)


def main() -> None:
    """All of them, as long as the command line says."""
    for flood in FLOODS:
        outcome = run(flood, float(sys.argv[1]))
        sys.stdout.write(
            f"{outcome.flood:18} {outcome.sent:7} sent, {outcome.before:3} MiB before, {outcome.most:4} MiB at most, "
            f"{outcome.answered} of {outcome.calls} calls of a known caller answered\n"
        )


if __name__ == "__main__":
    main()
