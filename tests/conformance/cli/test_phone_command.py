"""``phone`` and the manners of ``call``: two of our telephones call each other."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from queue import Queue
from typing import Any

import pytest

from drachtio_conformance.cli import call_command, phone_command
from drachtio_conformance.cli.call_command import Call, Outcome
from drachtio_conformance.cli.command_line import build_parser
from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.transports import TRANSPORTS
from drachtio_conformance.telephone.acts import Act, Cancel, EarlyBye, HangUp, Reinvite


class Listening:
    """A ``phone`` in a thread; what it says, and its exit code."""

    def __init__(self, *options: str) -> None:
        self._said: Queue[str] = Queue()
        self.code: int | None = None
        chosen = build_parser("0").parse_args(["phone", "--json", *options])
        self._thread = threading.Thread(target=self._run, args=(chosen,))
        self._thread.start()
        self.uri = str(json.loads(self._said.get(timeout=10))["uri"])

    def _run(self, chosen: Any) -> None:
        self.code = phone_command.run(chosen, self._said.put)

    def told(self) -> dict[str, object]:
        """What became of the next call."""
        return dict(json.loads(self._said.get(timeout=40)))

    def ended(self) -> int | None:
        """Its exit code."""
        self._thread.join(40)
        return self.code


def call(uri: str, *script: Act) -> Outcome:
    return asyncio.run(call_command.place(Call(uri=uri, script=script)))


@pytest.mark.parametrize(
    ("phone", "caller", "code", "said", "told"),
    [
        (
            [],
            [HangUp(0.05)],
            ExitCode.OK,
            "answered 200 OK; hung up after 0.05 s: 200 OK",
            "answered 200; the other side hung up",
        ),
        (["--busy"], [], ExitCode.FAILURES, "INVITE was answered 486 Busy Here", "answered 486"),
        (["--answer", "603"], [], ExitCode.FAILURES, "INVITE was answered 603 Decline", "answered 603"),
        (
            ["--ring", "30"],
            [Cancel(0.2)],
            ExitCode.OK,
            "cancelled after 0.2 s: INVITE was answered 487 Request Terminated",
            "rang, and was cancelled within 30 s",
        ),
        (
            ["--ring", "30"],
            [EarlyBye()],
            ExitCode.OK,
            "hung up behind 180 Ringing: INVITE was answered 487 Request Terminated",
            "rang, and was hung up within 30 s",
        ),
        (
            [],
            [Reinvite(), HangUp(0.05)],
            ExitCode.OK,
            "answered 200 OK; re-INVITE: 200 OK (sendrecv); hung up after 0.05 s: 200 OK",
            "answered 200; the other side",
        ),
        (
            ["--busy"],
            [EarlyBye()],
            ExitCode.FAILURES,
            "INVITE was answered 486 Busy Here before it rang",
            "486",
        ),
    ],
)
def test_calls(phone: Sequence[str], caller: Sequence[Act], code: ExitCode, said: str, told: str) -> None:
    listening = Listening(*phone)
    outcome = call(listening.uri, *caller)
    assert (outcome.exit_code, outcome.sentence) == (code, said)
    taken = listening.told()
    assert taken["good"] is True
    assert told in str(taken["sentence"])
    assert listening.ended() == 0


def test_the_phone_hangs_up() -> None:
    listening = Listening("--hang-up-after", "0.1")
    outcome = call(listening.uri, HangUp(20))
    assert outcome.sentence == "answered 200 OK; the other side hung up"
    assert listening.told()["sentence"] == "answered 200; hung up after 0.1 s: 200 OK"
    assert listening.ended() == 0


def test_several_calls_one_after_the_other() -> None:
    listening = Listening("--calls", "2")
    for _ in range(2):
        assert call(listening.uri).exit_code is ExitCode.OK
    assert listening.ended() == 0


def test_no_call_comes() -> None:
    listening = Listening("--timeout", "0.1")
    assert listening.ended() == ExitCode.NO_PEER


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    first = Listening("--timeout", "5")
    port = first.uri.rpartition(":")[2]
    assert main(["phone", "--port", port]) == 2
    assert "Address already in use" in capsys.readouterr().err
    assert call(first.uri).exit_code is ExitCode.OK
    assert first.ended() == 0


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    listening = Listening("--busy")
    assert main(["call", listening.uri, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["exit_code"], told["sentence"]) == (1, "INVITE was answered 486 Busy Here")
    assert told["events"][0]["summary"].startswith("INVITE")
    assert told["did"] == [{"act": "call", "good": False, "told": "INVITE was answered 486 Busy Here"}]
    assert listening.ended() == 0


def test_what_cannot_be_played(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "sip:x@127.0.0.1", "--no-ack", "--reinvite"]) == 2
    assert "reinvite stands behind no-ack, which ends the call" in capsys.readouterr().err
    assert main(["phone", "--busy", "--hold"]) == 2
    assert "hold stands behind answer, which ends the call" in capsys.readouterr().err


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_transport(transport: str, capsys: pytest.CaptureFixture[str]) -> None:
    listening = Listening("--transport", transport, "--dtmf", "7", "--calls", "2")
    assert f";transport={transport}" in listening.uri or transport == "udp"
    for _ in range(2):
        assert main(["call", listening.uri, "--hold", "0.05", "--talk", "0.2", "--hang-up-after", "0"]) == 0
        assert "on hold for 0.05 s: 200 OK (recvonly)" in capsys.readouterr().out
        assert listening.told()["sentence"] == "answered 200; dialled 7; the other side hung up"
    assert listening.ended() == 0
