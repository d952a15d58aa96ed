"""The callees of ``sipp/`` take a request that comes again behind their answers, as where a server is slow or loses."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import closing
from queue import Queue
from typing import TypeAlias

import pytest

from drachtio_load.callee import CalleePlan, run_callee
from drachtio_load.scenarios import find_callee

Step: TypeAlias = "tuple[str, int, tuple[str, ...]]"
"""a request, how often it is sent once it has been answered, and the statuses of its answers, by the first time"""

INVITE: Step = ("INVITE", 2, ("180", "200"))
ACK: Step = ("ACK", 0, ())
BYE: Step = ("BYE", 0, ("200",))
FLOWS: dict[str, list[Step]] = {
    "answer": [INVITE, ACK, BYE],
    "answer_at_once": [("INVITE", 2, ("200",)), ACK, BYE],
    "changed": [INVITE, ACK, ("INVITE", 2, ("200",)), ACK, BYE],
    "reject": [("INVITE", 2, ("486",)), ACK],
    "ring": [("INVITE", 2, ("180",)), ("CANCEL", 2, ("200", "487")), ACK],
    "prack": [("INVITE", 0, ("183",)), ("PRACK", 2, ("200", "200")), ACK, BYE],
}


class Caller:
    """Octets over UDP, in one dialog."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        self._to = "<sip:callee@127.0.0.1>"
        self._number = 0
        self.close = self._socket.close

    def request(self, method: str) -> bytes:
        if method not in ("ACK", "CANCEL"):
            self._number += 1
        own = self._socket.getsockname()[1]
        return "\r\n".join(
            [
                f"{method} sip:callee@127.0.0.1 SIP/2.0",
                f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK-{self._number}",
                "From: <sip:caller@127.0.0.1>;tag=1",
                f"To: {self._to}",
                "Call-ID: repeated",
                f"CSeq: {self._number} {method}",
                f"Contact: <sip:caller@127.0.0.1:{own}>",
                "Max-Forwards: 70",
                "Supported: 100rel",
                f"RAck: 4711 {self._number - 1} INVITE",
                "Content-Length: 0\r\n\r\n",
            ]
        ).encode()

    def take(self, status: str) -> None:
        """The next answer of this status; others are repetitions."""
        while True:
            answer = self._socket.recv(65_535).decode("latin-1")
            if answer.startswith(f"SIP/2.0 {status}"):
                self._to = re.findall(r"(?m)^To: (.*)\r", answer)[0]
                return

    def play(self, step: Step) -> None:
        method, again, statuses = step
        request = self.request(method)
        self._socket.send(request)
        for status in statuses:
            self.take(status)
        for _ in range(again):
            self._socket.send(request)


@pytest.mark.parametrize("name", FLOWS)
def test_a_request_that_comes_again_is_no_other(name: str) -> None:
    said: Queue[str] = Queue()
    codes: list[int] = []
    plan = CalleePlan(scenario=find_callee(name), deadline=30)
    thread = threading.Thread(target=lambda: codes.append(run_callee(plan, said.put)))
    thread.start()
    port = int(json.loads(said.get(timeout=30))["uri"].rpartition(":")[2])
    with closing(Caller(port)) as caller:
        for step in FLOWS[name]:
            caller.play(step)
        thread.join(40)
    assert (codes, said.get()) == ([0], f"1 call went as {name} has it")
