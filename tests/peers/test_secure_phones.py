"""baresip over TLS, and drachtio-srf over TLS on the admin port: a call each way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from tests.peers.baresip import Baresip
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server
from tests.tls.openssl import Authority


class SecureServer(Server):
    """One that speaks TLS with phones, too, and TLS with applications that want it."""

    def __init__(self, folder: Path) -> None:
        certificate, key = Authority(folder).signed("server.test")
        self.admin_tls_port = free_port()
        super().__init__(
            *("--loglevel", "notice", "--key-file", str(key), "--cert-file", str(certificate)),
            *("--tls-port", str(self.admin_tls_port), "--contact", "sip:127.0.0.1:0;transport=tls"),
        )

    def application(self, script: str) -> NodeApplication:
        """A drachtio-srf application that has connected over TLS."""
        return NodeApplication(APPLICATIONS / script, self.admin_tls_port, DRACHTIO_TLS="1")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    running = SecureServer(tmp_path_factory.mktemp("secure"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def phone(secure: SecureServer, tmp_path: Path) -> Iterator[tuple[Baresip, str]]:
    """baresip, registered with a password, and the URI where it is."""
    registrar = secure.application("register_digest.js")
    running = Baresip("1001", "secret", secure.sip_port("tls"), "tls", tmp_path)
    (registered,) = registrar.wait_for_events("register", 1)
    assert (registered["username"], registered["right"]) == ("1001", True)
    yield running, str(registered["contact"]).partition("<")[2].partition(">")[0]
    assert running.stop() == 0
    registrar.wait_for_events("register", 2)
    registrar.stop()


def test_an_application_over_tls_knows_the_server(secure: SecureServer) -> None:
    application = secure.application("options.js")
    assert application.connected["event"] == "connected"
    assert f"tls/127.0.0.1:{secure.sip_port('tls')}" in str(application.connected["hostports"])
    application.stop()


def test_a_phone_calls_over_tls_and_hangs_up(phone: tuple[Baresip, str], secure: SecureServer) -> None:
    application = secure.application("answer.js")
    try:
        phone[0].command("dial", f"sip:service@127.0.0.1:{secure.sip_port('tls')};transport=tls")
        phone[0].wait_for("CALL_ESTABLISHED")
        (answered,) = application.wait_for_events("answered", 1)
        phone[0].command("hangup")
        (destroyed,) = application.wait_for_events("destroyed", 1)
        assert (destroyed["callId"], destroyed["method"]) == (answered["callId"], "BYE")
    finally:
        application.stop()


def test_an_application_calls_a_phone_over_tls(phone: tuple[Baresip, str], secure: SecureServer) -> None:
    application = secure.application("originate.js")
    stdin = application.process.stdin
    assert stdin is not None
    try:
        stdin.write(json.dumps({"do": "call", "id": "ring", "uri": phone[1]}) + "\n")
        stdin.flush()
        phone[0].wait_for("CALL_ESTABLISHED")
        phone[0].wait_for("CALL_CLOSED")
        application.wait_for_events("hung-up", 1)
        assert not application.events("failed")
    finally:
        application.stop()
