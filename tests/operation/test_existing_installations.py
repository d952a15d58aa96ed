"""The files that come with the genuine server, as they are described: each passes --check, starts, has its effect.

What matters of each: drachtio.conf.xml and the one of the container have spammers and a sofia-loglevel, the first
figures for Prometheus, too; that of the genuine tests answers a monitor; four ask a callback; one awaits applications
by TLS, one browsers by WebSocket, one refreshes sessions. Ports and paths are the test's own.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from drachtio_load.free_port import free_port
from tests.test_cli import DEADLINE, Process, Starter
from tests.tls.openssl import Authority, dh_parameters

SPAMMERS = """\
<spammers action="reject" tcp-action="discard"><header name="User-Agent">
  <value>sip-cli</value><value>sipcli</value><value>friendly-scanner</value></header>
  <header name="To"><value>sipvicious</value></header></spammers>"""
LEVELS = "<loglevel>info</loglevel><sofia-loglevel>3</sofia-loglevel>"


def file(sip: str = "", logging: str = "", *, admin: str = "", more: str = "", contact: str = "") -> str:
    """A configuration file of the form that all of them have."""
    contact = contact or "sip:127.0.0.1:0;transport=udp,tcp"
    return (
        f'<drachtio>\n  <!-- where applications connect -->\n  <admin port="0" secret="cymru" {admin}>127.0.0.1</admin>'
        f"\n  {more}\n  <sip>\n    <contacts><contact>{contact}</contact></contacts>\n    {sip}\n  </sip>"
        f"\n  <cdrs>false</cdrs>\n  <logging><console/>{logging}</logging>\n</drachtio>\n"
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    for process in starter.processes:
        process.close()


class Phone:
    """Asks over UDP and reads the answers."""

    def __init__(self, process: Process) -> None:
        sip = process.ready["sip"]
        assert isinstance(sip, list)
        self._port = next(int(one.rpartition(":")[2]) for one in sip if one.startswith("udp/"))
        self._number = 0

    def ask(self, method: str, headers: str = "") -> str:
        """The first answer that is final."""
        self._number += 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(DEADLINE)
            phone.connect(("127.0.0.1", self._port))
            port = phone.getsockname()[1]
            phone.send(
                (
                    f"{method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-{port}\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=a\r\nTo: <sip:bob@127.0.0.1>\r\n"
                    f"Call-ID: {port}\r\nCSeq: {self._number} {method}\r\nContact: <sip:alice@127.0.0.1:{port}>\r\n"
                    f"{headers}Content-Length: 0\r\n\r\n"
                ).encode()
            )
            while (answer := phone.recv(65_535).decode()).startswith("SIP/2.0 1"):
                pass
            return answer.partition("\r\n")[0]


def started(start: Starter, text: str) -> Process:
    """The server that comes up with this file, which passes --check."""
    path = start.directory / "drachtio.conf.xml"
    path.write_text(text)
    assert start("--check", "-f", str(path)).end()[0] == 0
    process = start("-f", str(path))
    process.wait_until_ready()
    return process


@pytest.mark.parametrize("sample", ["the container's", "conf4", "conf5", "conf10"])
def test_scanners_are_declined(start: Starter, sample: str) -> None:
    phone = Phone(started(start, file(SPAMMERS, LEVELS)))
    assert phone.ask("INVITE", "User-Agent: friendly-scanner\r\n") == "SIP/2.0 603 Decline"
    assert phone.ask("OPTIONS", "User-Agent: another\r\n").startswith("SIP/2.0 503")


def test_the_installed_file_has_figures_for_prometheus(start: Starter) -> None:
    prometheus = f'<monitoring><prometheus port="{free_port()}">127.0.0.1</prometheus></monitoring>'
    process = started(start, file(SPAMMERS, LEVELS, more=prometheus))
    assert Phone(process).ask("OPTIONS", "User-Agent: sipcli/v1.8\r\n") == "SIP/2.0 603 Decline"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{process.ready['metrics']}/metrics", timeout=DEADLINE) as page:
        assert b"drachtio_sip_requests_in_total" in page.read()


def test_a_monitor_is_answered(start: Starter) -> None:
    sip = f"{SPAMMERS}<user-agent-options-auto-respond>sipsak</user-agent-options-auto-respond><udp-mtu>4096</udp-mtu>"
    phone = Phone(started(start, file(sip, LEVELS)))
    assert phone.ask("OPTIONS", "User-Agent: sipsak\r\n") == "SIP/2.0 200 OK"
    assert phone.ask("OPTIONS").startswith("SIP/2.0 503")


class Questions:
    """A callback that declines everything and keeps what it was asked."""

    def __init__(self) -> None:
        asked: Queue[str] = Queue()

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.put(f"{self.command} {self.path}")
                length = int(self.headers.get("Content-Length", 0))
                self.rfile.read(length)
                body = b'{"action": "reject", "data": {"status": 486, "reason": "Told So"}}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *arguments: object) -> None:
                """Nobody reads it."""

        self.asked = asked
        self.server = HTTPServer(("127.0.0.1", 0), Answering)
        self._serving = threading.Thread(target=self.server.serve_forever)
        self._serving.start()

    def close(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self._serving.join()
        self.server.server_close()


@pytest.fixture
def callback() -> Iterator[Questions]:
    running = Questions()
    yield running
    running.close()


@pytest.mark.parametrize(
    ("attributes", "method", "question"),
    [
        ('sip-method="INVITE"', "INVITE", "GET /?method=INVITE&domain=127.0.0.1&protocol=udp"),
        ('sip-method="INVITE" http-method="POST"', "INVITE", "POST /?method=INVITE&"),
        ('sip-method="*"', "OPTIONS", "GET /?method=OPTIONS&"),
        ("", "MESSAGE", "GET /?method=MESSAGE&"),
    ],
    ids=["conf2", "conf7", "conf8", "conf9"],
)
def test_a_callback_is_asked(
    start: Starter, callback: Questions, attributes: str, method: str, question: str
) -> None:
    url = f"http://127.0.0.1:{callback.server.server_port}"
    handler = f"<request-handlers><request-handler {attributes}>{url}</request-handler></request-handlers>"
    phone = Phone(started(start, file(logging=LEVELS, more=handler)))
    assert phone.ask(method) == "SIP/2.0 486 Told So"
    assert callback.asked.get(timeout=DEADLINE).startswith(question)


@pytest.fixture
def certificates(tmp_path: Path) -> str:
    """The <tls> element of a server that has what it needs."""
    certificate, key = Authority(tmp_path).signed("server.test")
    return (
        f"<tls><key-file>{key}</key-file><cert-file>{certificate}</cert-file><chain-file>{certificate}</chain-file>"
        f"<dh-param>{dh_parameters(tmp_path / 'dh.pem', 2048)}</dh-param></tls>"
    )


def test_applications_come_by_tls(start: Starter, certificates: str) -> None:
    port = free_port()
    text = file(certificates, LEVELS, admin=f'tls-port="{port}"').replace('port="0"', f'port="{free_port()}"')
    process = started(start, text)
    assert "admin" in process.ready
    assert process.ready["adminTls"] == f"127.0.0.1:{port}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
        context.wrap_socket(plain) as application,
    ):
        application.sendall(b"23#id1|authenticate|cymru|")
        assert b"|response|id1|OK|udp/127.0.0.1:" in application.recv(1000)


def test_applications_come_by_tls_only(start: Starter, certificates: str) -> None:
    """The file says so by the port 0 beside a TLS port, as it does to the genuine server."""
    port = free_port()
    process = started(start, file(certificates, LEVELS, admin=f'tls-port="{port}"'))
    assert "admin" not in process.ready
    assert process.ready["adminTls"] == f"127.0.0.1:{port}"
    ours = {row.split()[9] for row in sockets(process) if row.split()[3] == "0A"}
    assert len(ours) == 2, "SIP by TCP, and applications by TLS"


def sockets(process: Process) -> list[str]:
    """The TCP sockets of IPv4 that a server has, as the system lists them."""
    descriptors = Path(f"/proc/{process.ready['pid']}/fd")
    inodes = {os.readlink(one)[8:-1] for one in descriptors.iterdir() if "socket:" in os.readlink(one)}
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [row for row in rows if row.split()[9] in inodes]


def test_applications_come_by_several_addresses(start: Starter) -> None:
    text = file(logging=LEVELS).replace(">127.0.0.1</admin>", ">127.0.0.1, 127.0.0.2,::1</admin>")
    process = started(start, text)
    more = process.ready["adminMore"]
    assert isinstance(more, list)
    for address in (str(process.ready["admin"]), *map(str, more)):
        host, _, number = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(number)), DEADLINE) as application:
            frame(application, "id1|authenticate|cymru|")
            assert b"|response|id1|OK|" in application.recv(1000)
    assert [address.rpartition(":")[0] for address in map(str, more)] == ["127.0.0.2", "[::1]"]


def test_browsers_come_by_websocket(start: Starter) -> None:
    process = started(start, file(logging=LEVELS, contact="sip:127.0.0.1:0;transport=udp,ws"))
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    (address,) = (one.removeprefix("ws/") for one in sip if one.startswith("ws/"))
    page = Origin("https://phone.example.com")
    with connect(f"ws://{address}", subprotocols=[Subprotocol("sip")], origin=page) as browser:
        assert "browser-connected: connection=ws/[127.0.0.1]:" in process.wait_for(f"origin={page}")
        browser.send(
            "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
            "From: <sip:a@a.invalid>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        assert str(browser.recv(DEADLINE)).startswith("SIP/2.0 503")


@pytest.mark.parametrize(
    ("refresher", "shown"), [("uac", ";refresher=uac"), ("uas", ";refresher=uas"), ("none", "")]
)
def test_sessions_are_refreshed(start: Starter, refresher: str, shown: str) -> None:
    """session-timer-uac, and what else may stand there."""
    process = started(
        start, file(f'<session-timers default-refresher="{refresher}"/>', "<loglevel>notice</loglevel>")
    )
    answer = called(process, "Supported: timer\r\nSession-Expires: 1800\r\n")
    expires = answer.partition("\r\nSession-Expires: ")[2].partition("\r\n")[0]
    assert expires == (f"1800{shown}" if shown else "")


def called(process: Process, headers: str) -> str:
    """The 200 that a caller gets whose call an application takes."""
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    port = next(int(one.rpartition(":")[2]) for one in sip if one.startswith("udp/"))
    with (
        socket.create_connection(process.admin, DEADLINE) as application,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
    ):
        phone.settimeout(DEADLINE)
        phone.connect(("127.0.0.1", port))
        own = phone.getsockname()[1]
        frames = application.makefile("rb")
        frame(application, "id1|authenticate|cymru|")
        read_frame(frames.read)
        frame(application, "id2|route|invite")
        read_frame(frames.read)
        phone.send(
            (
                f"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK1\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\n"
                f"Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:{own}>\r\n"
                f"{headers}Content-Length: 0\r\n\r\n"
            ).encode()
        )
        transaction = read_frame(frames.read).split("\r\n")[0].split("|")[8]
        frame(application, f"id3|sip|{transaction}|\r\nSIP/2.0 200 OK\r\n\r\n")
        while not (answer := phone.recv(65_535).decode()).startswith("SIP/2.0 200"):
            pass
        frames.close()
        return answer


def frame(connection: socket.socket, payload: str) -> None:
    """Send it."""
    connection.sendall(f"{len(payload)}#{payload}".encode())


def read_frame(read: Callable[[int], bytes]) -> str:
    """The next payload."""
    count = b""
    while (octet := read(1)) != b"#":
        assert octet, "the server has closed the connection"
        count += octet
    return read(int(count)).decode()
