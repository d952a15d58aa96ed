"""``call`` and ``phone`` on every transport: through the reference server, and with peers of Node."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from drachtio_conformance.cli import call_command
from drachtio_conformance.cli.call_command import Call, Outcome
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.tls import own_certificate
from drachtio_conformance.peers.transports import TRANSPORTS
from drachtio_conformance.telephone.acts import Act, Cancel, Dtmf, Hold, HungUp, Refer, Reinvite, Talk
from msgtrace import sip
from tests.conformance.cli.test_phone_command import Listening
from tests.conformance.conftest import Running, started

ROOT = Path(__file__).parents[3]
APP = ROOT / "conformance_apps" / "python" / "app.py"
NODE = pytest.mark.skipif(shutil.which("node") is None, reason="no Node here")


class Played(NamedTuple):
    """A server, and the conformance app that has routed there."""

    server: Running

    def call(self, user: str, transport: str, *script: Act) -> Outcome:
        uri = f"sip:{user}@{self.server.doors[transport]}"
        return asyncio.run(call_command.place(Call(uri=uri, transport=transport, script=script)))

    def calls(self, uri: str) -> Outcome:
        """Have the application call somebody, and hang up."""
        body = json.dumps({"do": "call", "id": "1", "uri": uri})
        call = Call(uri=f"sip:do@{self.server.sip}", method="MESSAGE", body=body)
        return asyncio.run(call_command.place(call))


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with started() as server:
        host, _, port = server.admin.rpartition(":")
        told = {"DRACHTIO_HOST": host, "DRACHTIO_PORT": port, "DRACHTIO_SECRET": server.secret}
        with subprocess.Popen(
            [sys.executable, str(APP)],
            env={**os.environ, **told},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as app:
            try:
                asked = Call(uri=f"sip:respond-200@{server.sip}", method="OPTIONS")
                while asyncio.run(call_command.place(asked)).exit_code is not ExitCode.OK:
                    assert app.poll() is None  # it connects, and routes INVITE first
                yield Played(server)
            finally:
                app.kill()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_over_each_transport(played: Played, transport: str) -> None:
    script = (Dtmf("12"), Hold(0.05), Reinvite(), Refer("sip:carol@127.0.0.1"))
    outcome = played.call("answer", transport, *script)
    assert outcome.exit_code is ExitCode.OK, outcome.sentence
    assert [each.act for each in outcome.did] == ["call", "dtmf", "hold", "reinvite", "refer", "hang-up"]
    invite = sip.parse(outcome.events[0].data)
    assert invite.first("Via").startswith(f"SIP/2.0/{transport.upper()} ")
    answer = next(event for event in outcome.events if event.summary.startswith("200 OK (INVITE)"))
    assert f"transport={transport}" in sip.parse(answer.data).first("Contact") or transport == "udp"


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
@pytest.mark.parametrize(
    ("user", "script", "told"),
    [
        ("ring", (Cancel(0.05),), "cancelled after 0.05 s: INVITE was answered 487 Request Terminated"),
        ("answer-bye", (HungUp(20),), "answered 200 OK; the other side hung up"),
        (
            "answer-reinvite",
            (Talk(0.3),),
            "answered 200 OK; talked for 0.3 s; hung up after 0.5 s: 200 OK",
        ),
        (
            "answer-refer",
            (Talk(0.3),),
            "answered 200 OK; talked for 0.3 s; hung up after 0.5 s: 200 OK",
        ),
    ],
)
def test_what_happens_in_calls_by_tls_and_websocket(
    played: Played, transport: str, user: str, script: tuple[Act, ...], told: str
) -> None:
    outcome = played.call(user, transport, *script)
    assert (outcome.exit_code, outcome.sentence) == (ExitCode.OK, told)


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_a_rejected_call_by_tls_and_websocket(played: Played, transport: str) -> None:
    outcome = played.call("respond-486", transport)
    assert (outcome.exit_code, outcome.sentence) == (
        ExitCode.FAILURES,
        "INVITE was answered 486 As You Wish",
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_application_calls_a_phone_on_each_transport(played: Played, transport: str) -> None:
    listening = Listening("--transport", transport, "--ring", "0.05", "--dtmf", "1", "--hang-up-after", "0")
    assert played.calls(listening.uri).exit_code is ExitCode.OK
    told = listening.told()
    assert told["sentence"] == "rang for 0.05 s; answered 200; dialled 1; hung up after 0 s: 200 OK"
    assert listening.ended() == 0


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_who_does_not_listen(transport: str, played: Played) -> None:
    plain = played.server.doors["tcp"]  # speaks SIP, but neither TLS nor WebSocket
    call = Call(uri=f"sip:x@{plain}", transport=transport, patience=1)
    outcome = asyncio.run(call_command.place(call))
    assert outcome.exit_code is ExitCode.NO_PEER
    assert outcome.sentence.startswith(f"no {transport.upper()} connection to ")


# Peers of Node, whose TLS and WebSocket are not those of the suite

TLS_CALLEE = """
const tls = require('node:tls');
const fs = require('node:fs');
const {KEY, CERTIFICATE} = process.env;
const field = (text, name) => text.split('\\r\\n').filter((line) => line.toLowerCase().startsWith(name + ':'));
const server = tls.createServer({key: fs.readFileSync(KEY), cert: fs.readFileSync(CERTIFICATE)}, (socket) => {
  let text = '';
  socket.on('data', (data) => {
    text += data;
    for (let end; (end = text.indexOf('\\r\\n\\r\\n')) >= 0;) {
      const head = text.slice(0, end);
      const length = Number(field(head, 'content-length')[0].split(':')[1]);
      if (text.length < end + 4 + length) return;
      const body = text.slice(end + 4, end + 4 + length);
      text = text.slice(end + 4 + length);
      const method = head.split(' ')[0];
      if (method === 'ACK') continue;
      const to = field(head, 'to')[0];
      const lines = ['SIP/2.0 200 OK', ...field(head, 'via'), ...field(head, 'from'),
        to.includes('tag=') ? to : `${to};tag=node`, ...field(head, 'call-id'), ...field(head, 'cseq'),
        `Contact: <sip:node@127.0.0.1:${server.address().port};transport=tls>`];
      const answer = method === 'INVITE' ? body.replace('a=sendonly', 'a=recvonly') : '';
      if (answer) lines.push('Content-Type: application/sdp');
      socket.write([...lines, `Content-Length: ${answer.length}`, '', answer].join('\\r\\n'));
    }
  });
  socket.on('error', () => undefined);
}).listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@NODE
def test_a_call_to_a_callee_of_node_by_tls() -> None:
    own = own_certificate()
    environment = {**os.environ, "KEY": str(own.key), "CERTIFICATE": str(own.certificate)}
    with subprocess.Popen(
        ["node", "-e", TLS_CALLEE], env=environment, stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdout is not None
        try:
            uri = f"sips:node@127.0.0.1:{int(node.stdout.readline())}"
            outcome = asyncio.run(call_command.place(Call(uri=uri, script=(Hold(0.05), Dtmf("1")))))
        finally:
            node.kill()
    assert outcome.sentence == (
        "answered 200 OK; on hold for 0.05 s: 200 OK (recvonly); taken back: 200 OK (sendrecv); dialled 1; "
        "hung up after 0.5 s: 200 OK"
    )
    assert outcome.exit_code is ExitCode.OK


WEBSOCKET_CALLER = """
const [host, transport] = [process.env.PHONE, process.env.TRANSPORT];
const phone = new WebSocket(`${transport}://${host}/`, ['sip']);
const own = 'node.invalid';
let cseq = 0;
let to = `<sip:phone@${host};transport=${transport}>`;
const send = (method, body) => phone.send([
  `${method} sip:phone@${host};transport=${transport} SIP/2.0`,
  `Via: SIP/2.0/${transport.toUpperCase()} ${own};branch=z9hG4bK${method}${method === 'ACK' ? cseq : ++cseq}`,
  `From: <sip:node@${own}>;tag=n`, `To: ${to}`, `Call-ID: node@${own}`, `CSeq: ${cseq} ${method}`,
  'Max-Forwards: 70', `Contact: <sip:node@${own};transport=ws>`, ...(body ? ['Content-Type: application/sdp'] : []),
  `Content-Length: ${body.length}`, '', body].join('\\r\\n'));
const offer = 'v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=audio 9 RTP/AVP 0\\r\\n';
phone.onopen = () => send('INVITE', offer);
phone.onmessage = async({data}) => {
  const text = typeof data === 'string' ? data : await data.text();
  const [status, method] = [text.split(' ')[1], /CSeq: \\d+ (\\w+)/.exec(text)[1]];
  console.log(status, method);
  if (status === '200' && method === 'INVITE') {
    to = /^To: (.*)$/m.exec(text)[1].trim();
    send('ACK', '');
    send('INFO', '');
  } else if (status === '200' && method === 'INFO') send('BYE', '');
  else if (method === 'BYE') phone.close();
};
phone.onerror = (event) => { console.log('error', event.message || event.error); process.exit(1); };
"""


@NODE
@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_caller_of_node_by_websocket(transport: str) -> None:
    listening = Listening("--transport", transport, "--ring", "0.05")
    host = listening.uri.partition("@")[2].partition(";")[0]
    environment = {**os.environ, "PHONE": host, "TRANSPORT": transport, "NODE_TLS_REJECT_UNAUTHORIZED": "0"}
    done = subprocess.run(
        ["node", "--experimental-websocket", "-e", WEBSOCKET_CALLER],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("\n") == ["180 INVITE", "200 INVITE", "200 INFO", "200 BYE", ""], done.stderr
    assert listening.told()["sentence"] == "rang for 0.05 s; answered 200; the other side hung up"
    assert listening.ended() == 0
