"""Phones that are not ours: baresip registers with a password, calls and is called; sipsak asks and registers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.baresip import Baresip
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import PATIENCE, NodeApplication, Server

BY = pytest.mark.parametrize("transport", ["udp", "tcp"])


@pytest.fixture(scope="module")
def registrar(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "register_digest.js", server.admin_port)
    yield running
    running.stop()


@pytest.fixture
def phone(
    transport: str, registrar: NodeApplication, server: Server, tmp_path: Path
) -> Iterator[tuple[Baresip, str]]:
    """baresip, registered with a password, and the URI where it is."""
    before = len(registrar.events("register"))
    running = Baresip("1001", "secret", server.sip_port(transport), transport, tmp_path)
    registered = registrar.wait_for_events("register", before + 1)[-1]
    assert (registered["username"], registered["right"]) == ("1001", True)
    yield running, str(registered["contact"]).partition("<")[2].partition(">")[0]
    assert running.stop() == 0
    unregistered = registrar.wait_for_events("register", before + 2)[-1]
    assert unregistered["callId"] == registered["callId"]
    assert str(unregistered["contact"]).endswith(";expires=0")


@BY
def test_a_phone_calls_and_hangs_up(phone: tuple[Baresip, str], transport: str, server: Server) -> None:
    application = NodeApplication(APPLICATIONS / "answer.js", server.admin_port)
    try:
        phone[0].command("dial", f"sip:service@127.0.0.1:{server.sip_port(transport)};transport={transport}")
        phone[0].wait_for("CALL_ESTABLISHED")
        (answered,) = application.wait_for_events("answered", 1)
        assert "m=audio" in str(application.events("invite")[0]["body"])
        phone[0].command("hangup")
        (destroyed,) = application.wait_for_events("destroyed", 1)
        assert (destroyed["callId"], destroyed["method"]) == (answered["callId"], "BYE")
    finally:
        application.stop()


@BY
def test_an_application_hangs_up_on_a_phone(
    phone: tuple[Baresip, str], transport: str, server: Server
) -> None:
    application = NodeApplication(APPLICATIONS / "answer_hangup.js", server.admin_port)
    try:
        phone[0].command("dial", f"sip:service@127.0.0.1:{server.sip_port(transport)};transport={transport}")
        phone[0].wait_for("CALL_ESTABLISHED")
        phone[0].wait_for("CALL_CLOSED")
        application.wait_for_events("hung-up", 1)
    finally:
        application.stop()


@BY
def test_an_application_calls_a_phone(phone: tuple[Baresip, str], transport: str, server: Server) -> None:
    application = NodeApplication(APPLICATIONS / "originate.js", server.admin_port)
    stdin = application.process.stdin
    assert stdin is not None
    try:
        stdin.write(json.dumps({"do": "call", "id": "ring", "uri": phone[1]}) + "\n")
        stdin.flush()
        phone[0].wait_for("CALL_ESTABLISHED")
        phone[0].wait_for("CALL_CLOSED")
        application.wait_for_events("hung-up", 1)
        assert str(application.events("answered")[0]["sdp"]).startswith("v=0")
        assert not application.events("failed")
    finally:
        application.stop()


def sipsak(server: Server, transport: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Its exit status is 0 if it got what it wanted. It counts the user's name to its ``@`` unless ``-u`` says it."""
    uri = f"sip:1001@127.0.0.1:{server.sip_port(transport)}"
    command = ["sipsak", "-vv", "-H", "127.0.0.1", "-E", transport, *options, "-s", uri]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="latin-1", timeout=PATIENCE, check=False
    )


@BY
def test_sipsak_asks_what_is_there(transport: str, server: Server) -> None:
    application = NodeApplication(APPLICATIONS / "options.js", server.admin_port)
    try:
        asked = sipsak(server, transport)
        assert asked.returncode == 0, asked.stdout + asked.stderr
        (options,) = application.wait_for_events("options", 1)
        assert options["accept"] == "text/plain"
    finally:
        application.stop()


@BY
@pytest.mark.parametrize(("password", "status"), [("secret", 0), ("mistaken", 1)])
def test_sipsak_registers(
    transport: str, password: str, status: int, server: Server, registrar: NodeApplication
) -> None:
    before = len(registrar.events("register"))
    contact = "sip:1001@127.0.0.1:5099"
    asked = sipsak(server, transport, "-U", "-C", contact, "-u", "1001", "-a", password, "-x", "60")
    assert asked.returncode == status, asked.stdout + asked.stderr
    registered = registrar.wait_for_events("register", before + 1)[-1]
    assert (registered["username"], registered["right"]) == ("1001", status == 0)
    assert registered["contact"] == contact
