"""The command that runs the features."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drachtio_conformance.cli import features_command
from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.outcome import ExitCode
from tests.conformance.conftest import Running


def features(*arguments: str, secret: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drachtio_conformance.cli", "features", *arguments]
    environment = {**os.environ, "DRACHTIO_SECRET": secret}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)


def test_the_features_that_are_asked_for_run(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    ended = features("ping", "--junit", str(junit))
    assert (ended.returncode, ended.stderr) == (0, "")
    names = {case.get("name") or "" for case in ElementTree.parse(junit).getroot().iter("testcase")}
    assert names
    assert len(names) < 10


def test_against_a_running_server(running: Running) -> None:
    ended = features("ping", "--target", running.admin, secret=running.secret)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_server_that_is_not_there_is_told_once() -> None:
    ended = features("--target", "127.0.0.1:1")
    assert ended.returncode == ExitCode.NO_PEER
    assert ended.stderr == "drachtio-conformance: no connection to 127.0.0.1:1: Connection refused\n"
    assert ended.stdout == ""


def test_a_wrong_secret_is_wrong_usage(running: Running) -> None:
    ended = features("--target", running.admin, secret="wrong")
    assert ended.returncode == ExitCode.USAGE
    assert "incorrect secret" in ended.stderr


def test_a_feature_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "pin"]) == ExitCode.FAILURES
    assert "no feature is called 'pin' (did you mean ping?)" in capsys.readouterr().err


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = importlib.util.find_spec

    def without_bdd(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None if name == "pytest_bdd" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_bdd)
    assert main(["features"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "the features need pytest-bdd: pip install 'drachtio-conformance[features]'" in told


def test_every_feature_has_a_name() -> None:
    assert "call_as_callee" in features_command.names()
