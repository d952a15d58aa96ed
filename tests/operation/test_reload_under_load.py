"""SIGHUP again and again while 200 calls begin in each second, by UDP and with one up over TLS: none is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import Judgement, judge
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import PATIENCE, NodeApplication, Server
from tests.tls.openssl import Authority

CALLS, RATE, BETWEEN_RELOADS = 600, 200, 0.1
"""three seconds of calls, and how long to wait for the next reload"""

CONFIGURATION = """\
<drachtio><admin>127.0.0.1</admin>
  <sip><tls><key-file>{key}</key-file><cert-file>{certificate}</cert-file></tls>
    <timers><t1>{t1}</t1></timers><spammers><header name="User-Agent"><value>sipcli</value></header></spammers></sip>
  <logging><loglevel>{level}</loglevel></logging></drachtio>
"""


class Settings:
    """A configuration file that each reload finds changed, with one certificate and then another."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self._pairs = [authority.signed(name) for name in ("first.test", "second.test")]
        self.path = folder / "drachtio.conf.xml"
        self.changes = 0
        self.change()

    @property
    def certificate(self) -> bytes:
        """The one that the last change has named."""
        pem = self._pairs[(self.changes - 1) % 2][0].read_text()
        return ssl.PEM_cert_to_DER_cert(pem)

    def change(self) -> None:
        """What the next reload finds."""
        certificate, key = self._pairs[self.changes % 2]
        text = CONFIGURATION.format(
            key=key,
            certificate=certificate,
            t1=500 + 10 * (self.changes % 3),
            level=("notice", "warning")[self.changes % 2],
        )
        whole = self.path.with_suffix(".new")
        whole.write_text(text)
        whole.replace(self.path)  # never half a file
        self.changes += 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    running = Server("-f", str(settings.path), "--contact", "sips:127.0.0.1:0;transport=tls")
    yield running
    assert running.stop() == 0


def request(method: str, cseq: int, call_id: str, *, to_tag: str = "", body: str = "") -> bytes:
    """One of the call over TLS."""
    lines = (
        f"{method} sip:bob@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/TLS 127.0.0.1:50000;branch=z9hG4bK{call_id}{method};rport",
        *("Max-Forwards: 70", "From: <sip:alice@127.0.0.1>;tag=k2x8", f"To: <sip:bob@127.0.0.1>{to_tag}"),
        *(f"Call-ID: {call_id}", f"CSeq: {cseq} {method}", "Contact: <sips:alice@127.0.0.1:50000>"),
        *("Content-Type: application/sdp", f"Content-Length: {len(body)}"),
    )
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode()


class SecureCall:
    """A call over TLS that is up before the first reload and hung up behind the last."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._call_id = uuid.uuid4().hex
        self._to_tag = ""

    @classmethod
    async def begun(cls, port: int) -> SecureCall:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        call = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))
        call._writer.write(request("INVITE", 1, call._call_id, body="v=0\r\n"))
        answer = await call._answered("INVITE")
        assert answer.startswith("SIP/2.0 200"), answer
        call._to_tag = answer.partition("\r\nTo: ")[2].partition("\r\n")[0].partition(">")[2]
        call._writer.write(request("ACK", 1, call._call_id, to_tag=call._to_tag))
        return call

    async def hung_up(self) -> str:
        """The answer to its BYE."""
        self._writer.write(request("BYE", 2, self._call_id, to_tag=self._to_tag))
        answer = await self._answered("BYE")
        self._writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self._writer.wait_closed()
        return answer.partition("\r\n")[0]

    @property
    def certificate(self) -> bytes:
        """What the server has shown."""
        session = self._writer.get_extra_info("ssl_object")
        return bytes(session.getpeercert(binary_form=True))

    async def _answered(self, method: str) -> str:
        while True:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            length = head.lower().partition("\r\ncontent-length:")[2].partition("\r\n")[0]
            await self._reader.readexactly(int(length))
            if f" {method}\r\n" in head and not head.startswith("SIP/2.0 1"):
                return head


async def reloaded(server: Server, settings: Settings, until: asyncio.Event) -> int:
    """SIGHUP behind each change, until the calls are over; how often."""
    times = 0
    while not until.is_set():
        settings.change()
        os.kill(server.process.pid, signal.SIGHUP)
        times += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), BETWEEN_RELOADS)
    return times


def test_reloads_under_load_lose_no_call(server: Server, settings: Settings, tmp_path: Path) -> None:
    application = NodeApplication(APPLICATIONS / "answer.js", server.admin_port)
    plan = LoadPlan(
        scenario=find_scenario("answered"),
        host="127.0.0.1",
        port=server.sip_port("udp"),
        transport=Transport.UDP,
        calls=CALLS,
        rate=RATE,
    )

    async def story() -> tuple[Judgement, int, str]:
        over = asyncio.Event()
        port = server.sip_port("tls")
        secure = await SecureCall.begun(port)
        reloading = asyncio.create_task(reloaded(server, settings, over))
        try:
            run = await run_sipp(plan, tmp_path)
        finally:
            over.set()
        times = await reloading
        while (another := await SecureCall.begun(port)).certificate != settings.certificate:
            await another.hung_up()  # the last reload is under way
        await another.hung_up()
        return judge(run), times, await secure.hung_up()

    try:
        judgement, times, answer = asyncio.run(asyncio.wait_for(story(), 6 * PATIENCE))
        assert judgement.code is ExitCode.OK, judgement.sentence
        assert times >= 10
        assert answer == "SIP/2.0 200 OK"
        application.wait_for_events("destroyed", CALLS + 2)
    finally:
        application.stop()
