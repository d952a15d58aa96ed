"""drachtio-load against a callee that answers, against silence, and against nobody."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_load.cli import main
from tests.load.callee import Callee


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    assert capsys.readouterr().out.startswith(f"Nothing came back from 127.0.0.1:{port} (udp) in 1 call.")


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "options", f"127.0.0.1:{free_port()}", "--transport", "tcp"]) == 3
    assert capsys.readouterr().err.endswith(" (tcp): Connection refused\n")


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
    assert main(["run", str(path), "127.0.0.1:5060"]) == 4
    assert "mine.xml" in capsys.readouterr().out


def test_a_list_that_nobody_reads_ends_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "drachtio_load.cli", "list"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
