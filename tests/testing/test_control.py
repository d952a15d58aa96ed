"""A server steered by HTTP: by Python, by curl, and by Node's fetch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from drachtio_testing.control import OPERATIONS, openapi

ROOT = Path(__file__).parents[2]
APPLICATION = """
const Srf = require('drachtio-srf');
const srf = new Srf();
const {HOST: host, PORT: port, SECRET: secret} = process.env;
srf.connect({host, port: Number(port), secret});
srf.invite(async(req, res) => {
  if (req.uri.startsWith('sip:carol@')) return res.send(486);
  const dialog = await srf.createUAS(req, res, {localSdp: req.body});
  dialog.on('info', (info, answer) => answer.send(200));
});
"""


class Door:
    """A running ``drachtio-test-server``."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "drachtio_testing.control_command", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def ask(
        self, path: str, body: object = None, *, method: str = "POST", token: str = ""
    ) -> dict[str, object]:
        """The answer; errors have their status in it."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.ready['token']}"}
        request = Request(self.ready["control"] + path, data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=30) as response:
                return dict(json.load(response))
        except HTTPError as error:
            with error:
                return {"code": error.code, **json.load(error)}

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        assert self.process.wait(30) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


def _environment() -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "tools"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    made = Door("--lint")
    yield made
    made.close()


@pytest.fixture(scope="module")
def application(door: Door) -> Iterator[None]:
    environment = {
        **os.environ,
        "NODE_PATH": str(ROOT / "node_modules"),
        "HOST": door.ready["host"],
        "PORT": str(door.ready["port"]),
        "SECRET": door.ready["secret"],
    }
    with subprocess.Popen(["node", "-e", APPLICATION], env=environment) as process:
        assert door.ask("/v1/applications", {"routed": ["invite"]}) == {}
        yield
        process.kill()


@pytest.mark.usefixtures("application")
def test_calls(door: Door) -> None:
    assert door.ask("/v1/phones", {"name": "alice"})["name"] == "alice"
    assert door.ask("/v1/phones/alice/call", {"user": "carol"})["status"] == 486
    assert door.ask("/v1/phones/alice/call", {"user": "bob"})["status"] == 200
    info = {"method": "INFO", "in_dialog": True, "headers": {"Content-Type": "text/plain"}, "body": "5"}
    assert door.ask("/v1/phones/alice/send", info) == {}
    assert door.ask("/v1/phones/alice/receive", {"what": 200})["method"] == "INFO"
    assert door.ask("/v1/phones/alice/hang-up", {})["status"] == 200
    told = door.ask("/v1/server", method="GET")
    assert told["findings"] == []
    assert isinstance(told["occupancy"], dict)
    trace = door.ask("/v1/trace", method="GET")
    assert "486 Busy Here" in str(trace["ladder"])
    assert door.ready["secret"] not in json.dumps(trace)


@pytest.mark.usefixtures("application")
def test_time_passes(door: Door) -> None:
    door.ask("/v1/phones", {"name": "late"})
    door.ask("/v1/phones/late/send", {"method": "INVITE"})
    assert door.ask("/v1/phones/late/receive", {"what": 200})["status"] == 200
    door.ask("/v1/advance", {"seconds": 32})
    assert door.ask("/v1/phones/late/hung-up", {})["method"] == "BYE"


@pytest.mark.usefixtures("application")
def test_by_curl(door: Door) -> None:
    script = (
        'curl -s -H "Authorization: Bearer $TOKEN" -d \'{"name": "curly"}\' "$DOOR/v1/phones" && '
        'curl -s -H "Authorization: Bearer $TOKEN" -d \'{"user": "carol"}\' "$DOOR/v1/phones/curly/call"'
    )
    environment = {**os.environ, "TOKEN": door.ready["token"], "DOOR": door.ready["control"]}
    done = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True)
    assert '"status":486' in done.stdout, done.stderr


@pytest.mark.usefixtures("application")
def test_by_fetch_of_node(door: Door) -> None:
    script = """
    const {TOKEN, DOOR} = process.env;
    const ask = async(path, body) => (await fetch(DOOR + path, {
      method: 'POST', headers: {Authorization: `Bearer ${TOKEN}`}, body: JSON.stringify(body),
    })).json();
    (async() => {
      await ask('/v1/phones', {name: 'node', transport: 'tcp'});
      console.log((await ask('/v1/phones/node/call', {user: 'carol'})).status);
    })();
    """
    environment = {**os.environ, "TOKEN": door.ready["token"], "DOOR": door.ready["control"]}
    done = subprocess.run(["node", "-e", script], env=environment, capture_output=True, text=True)
    assert done.stdout == "486\n", done.stderr


def test_a_connection_is_dropped() -> None:
    door = Door("--patience", "0.5")
    try:
        import socket

        with socket.create_connection((door.ready["host"], door.ready["port"])) as connection:
            payload = f"a|authenticate|{door.ready['secret']}|"
            connection.sendall(f"{len(payload)}#{payload}".encode())
            assert door.ask("/v1/applications", {"count": 1}) == {}
            assert door.ask("/v1/applications/1/drop", {}) == {}
            while connection.recv(1000):
                pass
        refused = door.ask("/v1/applications", {"count": 5})
        assert refused["code"] == 409
        assert "5 applications" in str(refused["error"])
    finally:
        door.close()


@pytest.mark.parametrize(
    ("path", "body", "code", "told"),
    [
        ("/v1/phones/nobody/ack", {}, 404, "there is no telephone 'nobody'"),
        ("/v1/phones", {"nam": "x"}, 400, "nam"),
        ("/v1/phones", {"name": "x", "transport": "pigeon"}, 400, "pigeon"),
        ("/v1/nothing", {}, 404, "Not Found"),
    ],
)
def test_what_cannot_be_done(door: Door, path: str, body: object, code: int, told: str) -> None:
    answer = door.ask(path, body)
    assert (answer["code"], told in str(answer["error"])) == (code, True), answer


def test_without_the_token(door: Door) -> None:
    assert door.ask("/v1/server", method="GET", token="wrong")["code"] == 401
    with urlopen(door.ready["control"] + "/openapi.json") as response:
        assert json.load(response)["openapi"] == "3.1.0"


def test_the_document_has_every_operation() -> None:
    document = openapi()
    paths = document["paths"]
    assert isinstance(paths, dict)
    assert {(method, path) for path, methods in paths.items() for method in methods} == {
        (operation.method.lower(), operation.path) for operation in OPERATIONS
    }
    assert len({operation.work.__name__ for operation in OPERATIONS}) == len(OPERATIONS)
