"""What an administrator or a stranger does wrong at the doors: one line that names it, and others are served on.

Half a handshake, unfinished frames and what has no end are closed after a time: tests/net/test_secure_transports.py,
tests/admin/test_secure_port.py and tests/net/test_connection.py turn the clock.
"""

from __future__ import annotations

import os
import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from drachtio_load.free_port import free_port
from tests.test_cli import ANYWHERE, DEADLINE, Process, Starter
from tests.tls.openssl import Authority, dh_parameters

SIP = Subprotocol("sip")
OPTIONS = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:9;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    for process in starter.processes:
        process.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


# Before it starts.


def last_line(start: Starter, *options: str) -> tuple[int, str]:
    """Status and last line of a server that does not come up."""
    status, errors = start(*ANYWHERE, *options).end()
    assert "Traceback" not in errors
    return status, errors.splitlines()[-1].removeprefix("drachtio-reference-server: error: ")


def test_the_key_of_another_certificate(start: Starter, authority: Authority) -> None:
    (certificate, _), (_, key) = authority.signed("a.test"), authority.signed("b.test")
    assert last_line(start, "--key-file", str(key), "--cert-file", str(certificate)) == (
        3,
        f"tls key-file {key}: expected the key of the certificate in {certificate}, got another",
    )


def test_a_certificate_that_has_expired(start: Starter, authority: Authority) -> None:
    certificate, key = authority.signed("old.test", days=-1)
    assert last_line(start, "--key-file", str(key), "--cert-file", str(certificate)) == (
        3,
        f"tls cert-file {certificate}: the TLS handshake failed: certificate has expired",
    )


def test_a_file_that_cannot_be_read(start: Starter, authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.signed("a.test")
    for bad, reason in ((tmp_path, "Is a directory"), (tmp_path / "none.pem", "No such file or directory")):
        given = last_line(start, "--key-file", str(bad), "--cert-file", str(certificate))
        assert given == (3, f"tls key-file {bad}: {reason}")
    if os.geteuid() != 0:  # root may read everything
        key.chmod(stat.S_IWUSR)
        given = last_line(start, "--key-file", str(key), "--cert-file", str(certificate))
        assert given == (3, f"tls key-file {key}: Permission denied")


def test_diffie_hellman_parameters_that_are_too_small(
    start: Starter, authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.signed("a.test")
    small = dh_parameters(tmp_path / "small.pem", 1024)
    options = ("--key-file", str(key), "--cert-file", str(certificate), "--dh-param", str(small))
    assert last_line(start, *options, "--tls-port", str(free_port())) == (
        3,
        f"tls dh-param {small}: expected Diffie-Hellman parameters of 2048 bits or more in PEM form, got fewer",
    )


@pytest.mark.parametrize("door", ["tls", "ws", "wss", "applications", "applications by TLS", "figures"])
def test_a_port_that_is_in_use(start: Starter, authority: Authority, door: str) -> None:
    certificate, key = authority.signed("a.test")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = {
            "applications": ("--port", str(port)),
            "applications by TLS": ("--tls-port", str(port)),
            "figures": ("--prometheus-scrape-port", f"127.0.0.1:{port}"),
        }.get(door, ("--contact", f"sip:127.0.0.1:{port};transport={door}"))
        given = last_line(start, "--key-file", str(key), "--cert-file", str(certificate), *options)
    where = f"{door}/127.0.0.1:{port}" if door in ("tls", "ws", "wss") else f"127.0.0.1:{port}"
    assert given[0] == 3
    assert where in given[1]
    assert given[1].lower().endswith("address already in use")


# While it runs.


def trusting() -> ssl.SSLContext:
    """Of a client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Doors:
    """A server that listens in every way, and what a guest sees who behaves."""

    def __init__(self, process: Process, tls_port: int) -> None:
        self.process = process
        sip = process.ready["sip"]
        assert isinstance(sip, list)
        self.ports = {one.partition("/")[0]: int(one.rpartition(":")[2]) for one in sip}
        self.ports |= {"admin": process.admin[1], "admin-tls": tls_port}
        self._trusting = trusting()
        # The library of WebSockets reads in a thread of its own, by the session by which another writes, which OpenSSL
        # does not allow. By TLS 1.2 there is nothing to read before the answer; by TLS 1.3 there are tickets.
        self._without_tickets = trusting()
        self._without_tickets.maximum_version = ssl.TLSVersion.TLSv1_2

    def plain(self, door: str) -> socket.socket:
        """A connection without anything on it."""
        return socket.create_connection(("127.0.0.1", self.ports[door]), DEADLINE)

    def by_tls(self, door: str) -> ssl.SSLSocket:
        """One with TLS."""
        return self._trusting.wrap_socket(self.plain(door))

    def browser(self, transport: str, *, compression: str | None = None) -> ClientConnection:
        """One with a WebSocket."""
        secured = self._without_tickets if transport == "wss" else None
        uri = f"{transport}://127.0.0.1:{self.ports[transport]}"
        return connect(uri, subprotocols=[SIP], ssl=secured, compression=compression)

    def served(self) -> None:
        """Every door serves who behaves."""
        for door in ("admin", "admin-tls"):
            with self.by_tls(door) if door == "admin-tls" else self.plain(door) as application:
                application.sendall(b"23#id1|authenticate|admin|")
                assert b"|response|id1|OK|" in application.recv(4096)
        for door in ("tcp", "tls"):
            with self.by_tls(door) if door == "tls" else self.plain(door) as phone:
                phone.sendall(OPTIONS.format(via=door.upper(), branch=f"{door}{id(phone)}").encode())
                assert phone.recv(4096).startswith(b"SIP/2.0 503")
        for door in ("ws", "wss"):
            with self.browser(door) as browser:
                browser.send(OPTIONS.format(via=door.upper(), branch=f"{door}{id(browser)}"))
                assert str(browser.recv(DEADLINE)).startswith("SIP/2.0 503")

    def closed(self, stranger: socket.socket) -> None:
        """It is told nothing but the end."""
        try:
            while stranger.recv(4096):
                pass
        except ConnectionResetError:
            return


@pytest.fixture
def doors(start: Starter, authority: Authority) -> Doors:
    certificate, key = authority.signed("a.test")
    port = free_port()
    contacts = [
        option
        for transport in ("tls", "ws", "wss")
        for option in ("--contact", f"sip:127.0.0.1:0;transport={transport}")
    ]
    process = start.ready(
        *("--key-file", str(key), "--cert-file", str(certificate), "--tls-port", str(port), *contacts)
    )
    return Doors(process, port)


@pytest.mark.parametrize(
    ("door", "octets", "reason"),
    [
        ("tls", b"OPTIONS sip:a SIP/2.0\r\n\r\n", "expected a TLS handshake, got 'OPTIONS sip:a SI'"),
        ("wss", b"GET / HTTP/1.1\r\n\r\n", "expected a TLS handshake, got 'GET / HTTP/1.1"),
        ("admin-tls", b"23#id1|authenticate|admin|", "expected a TLS handshake, got '23#id1|authentic'"),
        ("tcp", b"\x16\x03\x01\x00\xa5\x01", "expected a SIP message, got a TLS handshake"),
        ("ws", b"\x16\x03\x01\x00\xa5\x01\r\n\r\n", "expected a WebSocket handshake, got "),
        ("admin", b"\x16\x03\x01\x00\xa5\x01", "\\x16\\x03\\x01"),
    ],
    ids=[
        *("plain-SIP-to-TLS", "plain-HTTP-to-WSS", "plain-frame-to-TLS"),
        *("TLS-to-TCP", "TLS-to-WS", "TLS-to-the-admin-port"),
    ],
)
def test_who_comes_to_the_wrong_door(doors: Doors, door: str, octets: bytes, reason: str) -> None:
    with doors.plain(door) as stranger:
        port = stranger.getsockname()[1]
        stranger.sendall(octets)
        assert str(port) in doors.process.wait_for(reason)
        doors.closed(stranger)
    doors.served()


def test_a_websocket_for_something_else(doors: Doors) -> None:
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{doors.ports['ws']}", subprotocols=[Subprotocol("xmpp")])
    assert "closing ws/" in doors.process.wait_for("expected the subprotocol 'sip', got xmpp")
    doors.served()


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x82\xff" + (2**40).to_bytes(8) + b"\0\0\0\0", "expected WebSocket frames, got "),
        (b"\xc2\x85\0\0\0\0\x4a\x4c\x04\x00\x00", "reserved bits must be 0"),
        (b"\x81\x05hello", "incorrect masking"),
    ],
    ids=["a-terabyte", "compressed", "not-masked"],
)
@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_frame_that_no_browser_sends(doors: Doors, transport: str, octets: bytes, reason: str) -> None:
    # The server closes at once: what the library says goodbye with may find nobody.
    with suppress(OSError), doors.browser(transport, compression="deflate") as browser:
        assert not browser.protocol.extensions, "compression was offered, and not taken"
        port = browser.socket.getsockname()[1]
        # The library's thread reads by the same session, and may find the end before the writing is said to be done.
        with suppress(OSError):
            browser.socket.sendall(octets)
        line = doors.process.wait_for(reason)
    assert f"closing {transport}/[127.0.0.1]:{port}: " in line
    doors.served()
