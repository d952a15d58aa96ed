"""A server that is killed and starts again, and an application that stops for a while: what callers hear."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

from tests.faults.callers import called, outcome
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server

ANSWERING = Path(APPLICATIONS) / "answer.js"


class Restarted(Server):
    """A server on ports that are given."""

    def __init__(self, admin: int, sip: int) -> None:
        self.command = (
            *Server.command[:1],
            *(
                "--secret",
                "kolibri",
                "--port",
                str(admin),
                "--contact",
                f"sip:127.0.0.1:{sip};transport=udp,tcp",
            ),
        )
        super().__init__("--loglevel", "error")


def test_a_server_that_is_killed_starts_again_and_knows_the_old_call_no_more() -> None:
    server = Server("--loglevel", "error")
    sip, admin = server.sip_port("udp"), server.admin_port
    application = NodeApplication(ANSWERING, admin)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(10)
        phone.bind(("127.0.0.1", 0))
        phone.connect(("127.0.0.1", sip))
        phone.send(_request(phone, "INVITE", "<sip:bob@127.0.0.1>"))
        while not (answer := phone.recv(65_535).decode()).startswith("SIP/2.0 200"):
            assert answer.startswith("SIP/2.0 1")
        to = answer.partition("\r\nTo: ")[2].partition("\r\n")[0]
        phone.send(_request(phone, "ACK", to))
        server.process.kill()
        server.process.wait()
        application.stop()
        again = Restarted(admin, sip)
        try:
            phone.send(_request(phone, "BYE", to))
            assert phone.recv(65_535).decode().startswith("SIP/2.0 481 ")
            application = NodeApplication(ANSWERING, admin)
            assert outcome(asyncio.run(called(sip, 5, 50))) == {"200": 5}
        finally:
            application.stop()
            again.stop()
            server.stop()


def _request(phone: socket.socket, method: str, to: str) -> bytes:
    port = phone.getsockname()[1]
    return (
        f"{method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=killed\r\nTo: {to}\r\nCall-ID: killed@callers\r\n"
        f"CSeq: {2 if method == 'BYE' else 1} {method}\r\nContact: <sip:alice@127.0.0.1:{port}>\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def test_an_application_that_stops_for_a_while_loses_no_call() -> None:
    server = Server("--loglevel", "error")
    application = NodeApplication(ANSWERING, server.admin_port)

    async def story() -> dict[str, int]:
        calls = asyncio.ensure_future(called(server.sip_port("udp"), 200, 100))
        application.process.send_signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(3.0, application.process.send_signal, signal.SIGCONT)
        return outcome(await calls)

    try:
        assert asyncio.run(story()) == {"200": 200}
    finally:
        application.stop()
        server.stop()


def test_an_application_that_is_killed_costs_its_own_calls_only() -> None:
    """Of two the one is killed: its waiting callers hear 480, its calls end with 481, all others succeed."""
    server = Server("--loglevel", "error")
    applications = [NodeApplication(ANSWERING, server.admin_port) for _ in range(2)]

    async def story() -> dict[str, int]:
        calls = asyncio.ensure_future(called(server.sip_port("udp"), 400, 200))
        asyncio.get_running_loop().call_later(1.0, applications[0].process.kill)
        return outcome(await calls)

    try:
        heard = asyncio.run(story())
        assert set(heard) <= {"200", "200 BYE 480", "200 BYE 481", "480"}, heard
        assert heard["200"] > 300
        assert sum(heard.values()) == 400
    finally:
        for one in applications:
            one.stop()
        server.stop()
