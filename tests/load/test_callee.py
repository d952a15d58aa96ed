"""``drachtio-load callee``: a telephone of SIPp, called by ours."""

from __future__ import annotations

import asyncio
import json
import threading
from queue import Queue

import pytest

from drachtio_conformance.cli import call_command
from drachtio_conformance.cli.call_command import Call
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.telephone.acts import HangUp
from drachtio_load.callee import CalleePlan, run_callee
from drachtio_load.cli import main
from drachtio_load.scenarios import ScenarioError, find_callee


def test_it_takes_a_call() -> None:
    said: Queue[str] = Queue()
    codes: list[int] = []
    plan = CalleePlan(scenario=find_callee("answer"), deadline=60)
    thread = threading.Thread(target=lambda: codes.append(run_callee(plan, said.put)))
    thread.start()
    uri = json.loads(said.get(timeout=30))["uri"]
    outcome = asyncio.run(call_command.place(Call(uri=uri, script=(HangUp(0.05),))))
    assert outcome.exit_code is ExitCode.OK, outcome.sentence
    thread.join(60)
    assert codes == [0]
    assert said.get() == "1 call went as answer has it"


def test_nobody_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["callee", "answer", "--deadline", "0.3"]) == 1
    assert "1 calls did not come to their end within 0.3 s" in capsys.readouterr().out


def test_there_is_no_such_callee(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["callee", "nobody"]) == 2
    assert "expected a callee of answer, " in capsys.readouterr().err
    with pytest.raises(ScenarioError):
        find_callee("nobody")


def test_the_list_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "callee: A callee who rings, answers" in capsys.readouterr().out
