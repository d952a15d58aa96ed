"""Kamailio as outbound proxy by TLS: calls of applications through it, and calls that it brings by TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.messages import read_messages
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.kamailio import DOMAIN, Kamailio
from tests.peers.processes import NodeApplication, Server
from tests.peers.test_kamailio import ask, register
from tests.tls.openssl import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def proxy(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    running = Kamailio(tmp_path_factory.mktemp("kamailio"), authority.signed("proxy.test"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def behind(
    authority: Authority, proxy: Kamailio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that sends what leaves dialogs nowhere but to the proxy, by TLS."""
    certificate, key = authority.signed("server.test")
    file = tmp_path_factory.mktemp("server") / "drachtio.conf.xml"
    file.write_text(
        f"<drachtio><admin>127.0.0.1</admin><sip><outbound-proxy>{proxy.secure_uri}</outbound-proxy>"
        f"<tls><key-file>{key}</key-file><cert-file>{certificate}</cert-file></tls></sip></drachtio>"
    )
    options = ("--loglevel", "notice", "-f", str(file), "--handshake-timeout", "3")
    running = Server(*options, "--contact", "sip:127.0.0.1:0;transport=tls")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def application(behind: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "originate.js", behind.admin_port)
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("scenario", "event", "wait"),
    [("answer", "hung-up", False), ("answer_hang_up", "destroyed", True)],
    ids=["the-application-hangs-up", "the-callee-hangs-up"],
)
def test_a_call_goes_out_by_tls(
    scenario: str,
    event: str,
    wait: bool,
    application: NodeApplication,
    proxy: Kamailio,
    tmp_path: Path,
) -> None:
    far_end = Callee(scenario, Transport.UDP, 1, tmp_path)
    try:
        user = f"{scenario}-tls"
        register(application, proxy, Transport.UDP, user, far_end.uri)
        ask(application, event, "call", uri=f"sip:{user}@{DOMAIN}", wait=wait)
        far_end.wait()
    finally:
        far_end.stop()
    requests = {
        seen.start_line.partition(" ")[0]: seen for seen in read_messages(far_end.messages) if not seen.sent
    }
    for method in ("INVITE", "ACK") if wait else ("INVITE", "ACK", "BYE"):
        text = requests[method].text
        assert text.count("\r\nVia: ") == 2, "the proxy's and the server's"
        assert text.count("\r\nVia: SIP/2.0/TLS ") == 1, "between the two it went by TLS"
    assert ";transport=tls" in requests["INVITE"].text.partition("\r\nContact: ")[2].partition("\r\n")[0]


def test_calls_come_in_by_tls(
    application: NodeApplication, behind: Server, proxy: Kamailio, tmp_path: Path
) -> None:
    contact = f"sip:here@127.0.0.1:{behind.sip_port('tls')};transport=tls"
    register(application, proxy, Transport.UDP, "here", contact)
    called = NodeApplication(APPLICATIONS / "answer.js", behind.admin_port)
    try:
        plan = LoadPlan(
            scenario=find_scenario("answered"),
            host="127.0.0.1",
            port=proxy.port,
            transport=Transport.UDP,
            user="here",
            calls=3,
            rate=40,
        )
        judgement = judge(asyncio.run(run_sipp(plan, tmp_path)))
        assert judgement.code is ExitCode.OK, judgement.sentence
        called.wait_for_events("destroyed", 3)
    finally:
        called.stop()


def test_nobody_is_registered(application: NodeApplication) -> None:
    ended = ask(application, "refused", "call", uri=f"sip:nobody@{DOMAIN}")
    assert (ended["status"], ended["reason"]) == (404, "Not Registered")


def test_a_proxy_that_is_not_there(behind: Server, application: NodeApplication, proxy: Kamailio) -> None:
    """By its plain port it speaks no TLS: the handshake fails, and the application hears of it."""
    ended = ask(application, "refused", "call", uri=f"sip:any@{DOMAIN}", proxy=f"sips:127.0.0.1:{proxy.port}")
    assert ended["status"] == 503
