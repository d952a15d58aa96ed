"""drachtio-load against a callee that answers, against silence, and against nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from drachtio_load.cli import main
from drachtio_load.free_port import free_port
from drachtio_load.messages import read_messages
from tests.load.callee import Callee


@pytest.fixture
def callee(request: pytest.FixtureRequest) -> Iterator[Callee]:
    with Callee(request.param) as running:
        yield running


@pytest.mark.parametrize(("callee", "transport"), [("udp", "udp"), ("tcp", "tcp")], indirect=["callee"])
def test_calls_that_are_answered(
    callee: Callee, transport: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["run", "answered", f"127.0.0.1:{callee.port}", "--transport", transport]
    code = main([*arguments, "--calls", "20", "--rate", "100", "--json", str(figures)])
    assert code == 0
    said = capsys.readouterr().out
    assert said.startswith(
        f"20 calls of answered to 127.0.0.1:{callee.port} ({transport}): all successful.\n"
    )
    document = json.loads(figures.read_text())
    assert document["exit_code"] == 0
    assert document["statistics"]["successful"] == 20
    assert document["received_messages"] >= 60  # 180, 200 and the 200 to the BYE of each call


@pytest.mark.parametrize("callee", ["udp"], indirect=True)
def test_another_response_than_expected_fails_the_call(
    callee: Callee, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", "reject", f"127.0.0.1:{callee.port}", "--keep", str(tmp_path / "kept")])
    assert code == 1
    said = capsys.readouterr().out
    assert "0 of 1 call successful, 1 failed (another message" in said
    assert re.search(
        r"First: 200 OK came where (180, )?183 or 486 was awaited \(Call-ID \S+@127\.0\.0\.1\)\.", said
    )
    assert "SIP/2.0 200 OK" in (tmp_path / "kept" / "messages.log").read_text()
    assert "answers: 1 × 180, 1 × 200 OK (1 not awaited)" in said


@pytest.mark.parametrize("callee", ["udp"], indirect=True)
def test_a_hung_call_ends_at_the_deadline_and_is_called_hung(
    callee: Callee, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"127.0.0.1:{callee.port}"
    code = main(["run", "answered_callee_bye", target, "--calls", "2", "--deadline", "1.5"])
    assert code == 1
    assert "2 hung, ended after 1.5 s, the deadline" in capsys.readouterr().out


def test_a_silent_peer_is_no_peer(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        code = main(["run", "options", f"127.0.0.1:{port}", "--answer-within", "0.3"])
    assert code == 3
    told = capsys.readouterr().out
    assert told.startswith(f"Nothing came back from 127.0.0.1:{port} (udp) in 1 call.")
    assert "response" not in told


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_nobody_listens(transport: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """UDP, too, is told at once, by ICMP: not after the time that an answer has."""
    arguments = ["run", "options", f"127.0.0.1:{free_port()}", "--transport", transport]
    began = time.monotonic()
    assert main([*arguments, "--answer-within", "60", "--report", str(tmp_path / "run.html")]) == 3
    assert time.monotonic() - began < 30
    assert capsys.readouterr().err.endswith(f" ({transport}): Connection refused\n")


@pytest.fixture
def interrupted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of 1,000 calls that last as long as the parameter says (seconds), of which one has begun."""
    with Callee("udp") as callee:
        arguments = ["run", "answered", f"127.0.0.1:{callee.port}", "--calls", "1000", "--rate", "50"]
        arguments += ["--hold", request.param]
        arguments += ["--keep", str(tmp_path / "kept")]
        for kind in ("json", "csv"):
            arguments += [f"--{kind}", str(tmp_path / f"run.{kind}")]
        arguments += ["--report", str(tmp_path / "run.html")]
        process = subprocess.Popen(
            [sys.executable, "-m", "drachtio_load.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            while not read_messages(tmp_path / "kept" / "messages.log"):
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.mark.parametrize("interrupted", ["0.5"], indirect=True)
def test_ctrl_c_keeps_what_there_is(interrupted: subprocess.Popen[str], tmp_path: Path) -> None:
    os.killpg(interrupted.pid, signal.SIGINT)  # as a terminal does: to every process of the command
    told, complaints = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130
    assert re.search(r": \d+ of 1000 calls successful, \d+ never begun, interrupted after [\d.]+ s\.", told)
    assert "no more calls are begun" in complaints
    assert "Unknown child" not in complaints
    document = json.loads((tmp_path / "run.json").read_text())
    figures = document["statistics"]
    assert (document["exit_code"], document["interrupted"]) == (130, True)
    assert figures["created"] == figures["successful"] >= 1, "calls that were open have come to their end"
    assert "interrupted after" in (tmp_path / "run.html").read_text()
    assert (tmp_path / "run.csv").read_text().startswith("at,begun,")


@pytest.mark.parametrize("interrupted", ["60"], indirect=True)
def test_a_second_ctrl_c_does_not_wait(interrupted: subprocess.Popen[str], tmp_path: Path) -> None:
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.stderr is not None
    assert interrupted.stderr.readline().startswith("no more calls are begun")
    interrupted.send_signal(signal.SIGINT)
    told, _ = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 130
    assert re.search(r": 0 of 1000 calls successful, \d+ hung, \d+ never begun, interrupted after", told)
    assert json.loads((tmp_path / "run.json").read_text())["statistics"]["unfinished"] >= 1


@pytest.mark.parametrize("interrupted", ["60"], indirect=True)
def test_sigterm_keeps_what_there_is(interrupted: subprocess.Popen[str], tmp_path: Path) -> None:
    interrupted.terminate()
    told, _ = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 130
    assert "interrupted after" in told
    assert json.loads((tmp_path / "run.json").read_text())["interrupted"] is True


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"drachtio-load {version('drachtio-conformance')}\n"


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:0", ":5060", "127.0.0.1:70000"])
def test_a_target_that_is_none(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "options", target])
    assert "expected HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--rate", "0"), ("--calls", "-1"), ("--hold", "x")])
def test_a_number_that_is_none(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "options", "127.0.0.1:5060", option, value])
    assert "expected" in capsys.readouterr().err


def test_without_sipp_one_line_says_so() -> None:
    command = [sys.executable, "-m", "drachtio_load.cli", "run", "options", "127.0.0.1:5060"]
    ended = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True)
    assert ended.returncode == 4
    assert ended.stderr == (
        "drachtio-load: the command sipp is not installed (Debian: apt-get install sip-tester)\n"
    )


def test_a_file_that_sipp_cannot_run_is_no_verdict_on_the_peer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.xml"
    path.write_text("<scenario name='x'><nosuch/></scenario>")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert main(["run", str(path), f"127.0.0.1:{silent.getsockname()[1]}"]) == 4
    assert "mine.xml" in capsys.readouterr().out


def test_a_list_that_nobody_reads_ends_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "drachtio_load.cli", "list"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
