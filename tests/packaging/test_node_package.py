"""The Node package that starts a server: what it packs, and that it works with drachtio-srf."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from drachtio_testing.typescript import declarations

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packages" / "node-test-server"
STORY = """
const {start} = require(process.env.PACKAGE);
const Srf = require('drachtio-srf');

(async() => {
  const server = await start({lint: true, arguments: ['--loglevel', 'warning']});
  const srf = new Srf();
  srf.connect({host: server.host, port: server.port, secret: server.secret});
  await new Promise((resolve) => srf.once('connect', resolve));
  const status = await new Promise((resolve, reject) => {
    srf.request('sip:bob@127.0.0.1:9', {method: 'OPTIONS'}, (err, req) => {
      if (err) reject(err);
      else req.on('response', (res) => resolve(res.status));
    });
  });
  srf.disconnect();
  console.log(JSON.stringify({status, sip: server.sip, ended: await server.stop(), log: server.log()}));
})();
"""


PHONES = """
const {startWithPhones} = require(process.env.PACKAGE);
const Srf = require('drachtio-srf');

(async() => {
  const server = await startWithPhones({lint: true, transports: ['tls']});
  const srf = new Srf();
  srf.connect({host: server.host, port: server.port, secret: server.secret});
  srf.invite(async(req, res) => {
    if (req.has('X-Through')) return srf.proxyRequest(req, [req.get('X-Through')], {remainInDialog: true});
    if (req.uri.startsWith('sip:carol@')) return res.send(486);
    const dialog = await srf.createUAS(req, res, {localSdp: req.body});
    dialog.on('info', (info, answer) => answer.send(200));
  });
  await server.applications(1, ['invite']);
  const alice = await server.phone('alice', 'tls');
  const carol = await server.phone('carol');
  const told = {};
  told.busy = (await alice.play([], {user: 'carol'})).status;
  told.called = (await alice.play([{do: 'dtmf', digits: '12'}])).sentence;
  told.further = (await alice.goOn([{do: 'hang-up'}])).sentence;
  const bob = await server.phone('bob', 'tcp');
  const taking = carol.take([{do: 'ring', seconds: 0.05}, {do: 'answer'}, {do: 'hung-up'}]);
  const headers = {'X-Through': carol.uri};
  told.through = (await bob.play([{do: 'hold', seconds: 0}, {do: 'hang-up'}], {headers})).good;
  told.taken = (await taking).sentence;
  told.faults = [await server.setFaults('extra-tokens'), await server.setFaults('')];
  await bob.send('INVITE');
  told.rang = (await bob.receive(200)).status;
  await server.advance(32);
  told.ended = (await bob.hungUp()).method;
  told.seen = (await server.happens('486 Busy Here (INVITE)')).summary;
  told.never = await carol.take([], {within: 0.05}).catch((error) => error.message);
  told.wrong = await carol.play([{do: 'ring'}]).catch((error) => error.message);
  told.findings = (await server.state()).findings;
  told.ladder = (await server.trace()).ladder.includes('alice');
  srf.disconnect();
  told.status = await server.stop();
  console.log(JSON.stringify(told));
})();
"""


def node(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    return subprocess.run(
        ["node", "-e", script],
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NODE_PATH": str(ROOT / "node_modules"),
            "PACKAGE": str(PACKAGE),
            **environment,
        },
        capture_output=True,
        text=True,
    )


def test_a_server_for_an_application_of_node() -> None:
    done = node(STORY)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["sip"]["udp"].startswith("127.0.0.1:")
    assert told["ended"] == 0
    assert told["status"] == 503  # a closed port


def test_telephones_for_an_application_of_node() -> None:
    done = node(PHONES)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "busy": 486,
        "called": "answered 200 OK; dialled 12",
        "further": "hung up after 0 s: 200 OK",
        "through": True,
        "taken": "rang for 0.05 s; answered 200; the other side hung up",
        "faults": ["extra-tokens", ""],
        "rang": 200,
        "ended": "BYE",
        "seen": "sip 486 Busy Here (INVITE)",
        "never": "carol: expected a call, none came within 0.05 s",
        "wrong": "ring is what a callee does, not a caller",
        "findings": [],
        "ladder": True,
        "status": 0,
    }


def test_a_server_ends_with_the_process_that_started_it() -> None:
    script = """
    require(process.env.PACKAGE).startWithPhones().then((server) => {
      console.log(server.control);
      process.kill(process.pid, 'SIGKILL');
    });
    """
    address = node(script).stdout.strip().rpartition("/")[2]
    host, _, port = address.partition(":")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, int(port))) as connection:
                connection.settimeout(30)
                assert connection.recv(1) == b""  # it closes when the server ends
        except OSError:
            return
    raise AssertionError("the server is still there")


def test_the_types_have_the_acts_of_telephones() -> None:
    assert (PACKAGE / "acts.d.ts").read_text("utf-8") == declarations()


def test_a_program_that_is_not_there() -> None:
    script = "require(process.env.PACKAGE).start().catch((error) => console.log(error.message))"
    assert "ENOENT" in node(script, DRACHTIO_REFERENCE_SERVER="no-such-program").stdout


def test_a_wrong_option_is_told_with_what_the_server_says() -> None:
    script = "require(process.env.PACKAGE).start({fault: 'x'}).catch((error) => console.log(error.message))"
    told = node(script).stdout
    assert "ended with status 2" in told
    assert "there is no fault 'x'" in told


def test_what_is_packed() -> None:
    done = subprocess.run(["npm", "pack", "--dry-run", "--json"], cwd=PACKAGE, capture_output=True, text=True)
    (packed,) = json.loads(done.stdout)
    assert sorted(file["path"] for file in packed["files"]) == [
        "README.md",
        "acts.d.ts",
        "index.d.ts",
        "index.js",
        "package.json",
    ]
