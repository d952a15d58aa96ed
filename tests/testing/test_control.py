"""A server steered by HTTP: by Python, by curl, and by Node's fetch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from drachtio_conformance.telephone.acts import ACTS
from drachtio_testing.control import OPERATIONS, openapi

ROOT = Path(__file__).parents[2]
APPLICATION = """
const Srf = require('drachtio-srf');
const srf = new Srf();
const {HOST: host, PORT: port, SECRET: secret} = process.env;
srf.connect({host, port: Number(port), secret});
srf.invite(async(req, res) => {
  if (req.uri.startsWith('sip:carol@')) return res.send(486);
  if (req.has('X-Through')) return srf.proxyRequest(req, [req.get('X-Through')], {remainInDialog: true});
  if (req.uri.startsWith('sip:later@')) return res.send(180);
  const dialog = await srf.createUAS(req, res, {localSdp: req.body});
  dialog.on('info', (info, answer) => answer.send(200));
  dialog.on('refer', (refer, answer) => answer.send(202));
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
    assert door.ask("/v1/wait", {"what": "486 Busy Here (INVITE)"})["kind"] in ("sip", "frame")
    never = door.ask("/v1/wait", {"what": "603 Decline", "within": 0.05})
    assert never == {"code": 409, "error": "'603 Decline' has been seen 0 times, not 1, within 0.05 s"}
    told = door.ask("/v1/server", method="GET")
    assert told["findings"] == []
    assert isinstance(told["occupancy"], dict)
    trace = door.ask("/v1/trace", method="GET")
    assert "486 Busy Here" in str(trace["ladder"])
    assert door.ready["secret"] not in json.dumps(trace)


SCRIPTS: list[tuple[str, list[dict[str, object]], str]] = [
    ("later", [{"do": "cancel", "after": 0.1}], "cancelled after 0.1 s: INVITE was answered 487 "),
    ("later", [{"do": "early-bye"}], "hung up behind 180 Ringing: INVITE was answered 487 "),
    ("bob", [{"do": "dtmf", "digits": "12"}, {"do": "hang-up"}], "answered 200 OK; dialled 12; hung up "),
    (
        "bob",
        [{"do": "hold", "seconds": 0.05}, {"do": "reinvite"}, {"do": "hang-up"}],
        "answered 200 OK; on hold for 0.05 s: 200 OK (sendrecv); taken back: 200 OK (sendrecv); re-INVITE: 200 OK",
    ),
    (
        "bob",
        [{"do": "refer", "to": "sip:carol@127.0.0.1"}, {"do": "hang-up"}],
        "answered 200 OK; referred to ",
    ),
]


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(("user", "script", "told"), SCRIPTS)
def test_scripts(door: Door, user: str, script: list[dict[str, object]], told: str) -> None:
    name = "-".join(str(act["do"]) for act in script)
    door.ask("/v1/phones", {"name": name})
    answer = door.ask(f"/v1/phones/{name}/call", {"user": user, "script": script})
    assert str(answer["sentence"]).startswith(told)
    assert answer["good"] is True
    assert answer["status"] in (200, 487)


@pytest.mark.usefixtures("application")
def test_a_call_that_stays_up_goes_on(door: Door) -> None:
    door.ask("/v1/phones", {"name": "steady"})
    assert door.ask("/v1/phones/steady/call", {"user": "bob"})["good"] is True
    further = door.ask(
        "/v1/phones/steady/play", {"script": [{"do": "dtmf", "digits": "9"}, {"do": "hang-up"}]}
    )
    assert further["did"] == [
        {"act": "dtmf", "good": True, "told": "dialled 9"},
        {"act": "hang-up", "good": True, "told": "hung up after 0 s: 200 OK"},
    ]
    over = door.ask("/v1/phones/steady/play", {"script": [{"do": "reinvite"}]})
    assert over == {"code": 400, "error": "there is no call that is up"}


@pytest.mark.usefixtures("application")
def test_two_phones_with_scripts(door: Door) -> None:
    """A call from phone to phone: one request waits while the other is asked for."""
    callee = door.ask("/v1/phones", {"name": "callee"})
    door.ask("/v1/phones", {"name": "caller"})
    script = {"script": [{"do": "ring", "seconds": 0.05}, {"do": "answer"}, {"do": "hung-up"}]}
    with ThreadPoolExecutor() as others:
        taking = others.submit(door.ask, "/v1/phones/callee/answer", script)
        calling = {
            "headers": {"X-Through": callee["uri"]},
            "script": [{"do": "hold", "seconds": 0}, {"do": "hang-up"}],
        }
        assert door.ask("/v1/phones/caller/call", calling)["good"] is True
        taken = taking.result(30)
    assert taken["sentence"] == "rang for 0.05 s; answered 200; the other side hung up"
    assert taken["method"] == "INVITE"


def test_faults_come_and_go(door: Door) -> None:
    assert door.ask("/v1/faults", method="GET") == {"faults": ""}
    told = door.ask("/v1/faults", {"faults": "random=0.2,split=9"}, method="PUT")
    assert re.fullmatch(r"random=0\.2:\d+, split=9", str(told["faults"]))
    assert door.ask("/v1/faults", method="GET") == told
    assert door.ask("/v1/server", method="GET")["faults"] == told["faults"]
    wrong = door.ask("/v1/faults", {"faults": "rain"}, method="PUT")
    assert wrong["code"] == 400
    assert str(wrong["error"]).startswith("there is no fault 'rain'; there are split")
    assert door.ask("/v1/faults", method="DELETE") == {"faults": ""}


@pytest.mark.usefixtures("application")
def test_faults_by_curl_and_fetch(door: Door) -> None:
    script = (
        'curl -s -H "Authorization: Bearer $TOKEN" -X PUT -d \'{"faults": "split=3,extra-tokens"}\' '
        '"$DOOR/v1/faults" && '
        'curl -s -H "Authorization: Bearer $TOKEN" -d \'{"name": "harmed"}\' "$DOOR/v1/phones" && '
        'curl -s -H "Authorization: Bearer $TOKEN" -d \'{"user": "carol"}\' "$DOOR/v1/phones/harmed/call"'
    )
    environment = {**os.environ, "TOKEN": door.ready["token"], "DOOR": door.ready["control"]}
    done = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True)
    assert '{"faults":"extra-tokens, split=3"}' in done.stdout, done.stderr
    assert '"status":486' in done.stdout
    fetched = """
    const {TOKEN, DOOR} = process.env;
    const headers = {Authorization: `Bearer ${TOKEN}`};
    (async() => {
      console.log(await (await fetch(`${DOOR}/v1/faults`, {headers})).text());
      console.log(await (await fetch(`${DOOR}/v1/faults`, {method: 'DELETE', headers})).text());
    })();
    """
    done = subprocess.run(["node", "-e", fetched], env=environment, capture_output=True, text=True)
    assert done.stdout == '{"faults":"extra-tokens, split=3"}\n{"faults":""}\n', done.stderr


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
        ("/v1/phones", {"name": "x", "transport": "tls"}, 400, "the server has udp, tcp, not tls"),
        ("/v1/phones/first/ack", {}, 409, "first has sent no INVITE yet"),
        ("/v1/phones/first/call", {"script": [{"do": "dance"}]}, 400, "Invalid value 'dance'"),
        ("/v1/phones/first/call", {"script": [{"do": "ring"}]}, 400, "ring is what a callee does"),
        ("/v1/phones/first/call", {"script": [{"do": "dtmf", "digits": "x"}]}, 400, "expected digits"),
        ("/v1/phones/first/answer", {"within": 0.05}, 409, "first: expected a call, none came within 0.05 s"),
        ("/v1/nothing", {}, 404, "Not Found"),
    ],
)
def test_what_cannot_be_done(door: Door, path: str, body: object, code: int, told: str) -> None:
    door.ask("/v1/phones", {"name": "first"})  # or it is there already
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
    schemas = document["components"]["schemas"]  # type: ignore[index]
    for kind in ACTS:
        assert schemas[kind.__name__]["properties"]["do"] == {"enum": [kind.name()]}
        assert schemas[kind.__name__]["description"] == kind.__doc__
    assert "requestBody" in paths["/v1/faults"]["put"]
    assert len({operation.work.__name__ for operation in OPERATIONS}) == len(OPERATIONS)


def test_it_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "drachtio_testing.control_command", "--until-eof"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        server.stdout.readline()
        server.stdin.close()
        assert server.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--fault", "rain"], "drachtio-test-server: there is no fault 'rain'; there are split"),
        (["--transports", "tls,pigeon"], "expected udp, tcp, tls, ws, wss, got 'pigeon'"),
    ],
)
def test_wrong_options(options: list[str], told: str) -> None:
    command = [sys.executable, "-m", "drachtio_testing.control_command", *options]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
