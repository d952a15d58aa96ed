"""The Node package that starts a server: what it packs, and that it works with drachtio-srf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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
        "index.d.ts",
        "index.js",
        "package.json",
    ]
