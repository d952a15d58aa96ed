"""``drachtio-conformance client`` as its user runs it: the reference client, one that lacks things, none at all."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from drachtio_conformance.cli.main import main
from tests.conformance.client.reference_app import APP


def test_the_reference_client_by_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    chosen = ["--filter", "calls/answered", "--filter", "connection/kinds"]
    assert main(["client", *chosen, "--json", str(report), "--", sys.executable, str(APP)]) == 0
    assert "pass" in capsys.readouterr().out
    cases = json.loads(report.read_text())["cases"]
    assert len(cases) > 15
    assert {case["verdict"] for case in cases} == {"pass"}
    assert cases[0]["rerun"].endswith(f"-- {sys.executable} {APP}")


def test_what_an_app_does_not_offer_is_not_applicable(tmp_path: Path) -> None:
    report, lacking = tmp_path / "report.json", tmp_path / "app.py"
    shutil.copy(APP.with_name("drachtio.py"), tmp_path)
    lacking.write_text(APP.read_text().replace('"call": self.call', '"other": self.call'))
    options = ["client", "--filter", "originating/calls/answered", "--json", str(report)]
    assert main([*options, "--", sys.executable, str(lacking)]) == 0
    (case,) = json.loads(report.read_text())["cases"]
    assert case["verdict"] == "not-applicable"
    assert "501 to 'call'" in case["reason"]


def test_an_app_that_ends_is_told_with_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such library')"]
    assert main(["client", "--filter", "answering/rejected/options", "--", *command]) == 1
    told = capsys.readouterr().out
    assert "its end with status 1; its standard error says: no such library" in " ".join(told.split())
    assert "nothing came within" not in told, "nobody waits for what has ended"


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_no_such_command(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever of those that run cases side by side has met it."""
    options = ["--jobs", jobs, "--filter", "answering/rejected/options"]
    assert main(["client", *options, "--", "no-such-command-here"]) == 3
    assert "no-such-command-here: there is no such command" in capsys.readouterr().err


def test_side_by_side_or_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for jobs in ("1", "3"):
        report = tmp_path / f"{jobs}.json"
        options = ["client", "--jobs", jobs, "--filter", "answering", "--json", str(report)]
        assert main([*options, "--", sys.executable, str(APP)]) == 0
        names.append([case["name"] for case in json.loads(report.read_text())["cases"]])
    assert names[0] == names[1]
    with pytest.raises(SystemExit):
        main(["client", "--jobs", "0", "--", "x"])
    assert "expected a number from 1 to 64, got '0'" in capsys.readouterr().err


def test_random_faults_in_all_that_the_app_gets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    options = ["client", "--faults", "random", "--filter", "calls/inside", "--filter", "frames/arriving"]
    assert main([*options, "--json", str(report), "--full", "--", sys.executable, str(APP)]) == 0
    told = json.loads(report.read_text())
    assert {case["verdict"] for case in told["cases"]} == {"pass"}
    seed = told["target"].rpartition("seed ")[2]
    assert f"with random faults, seed {seed}" in capsys.readouterr().out
    assert f"--faults random --seed {seed} " in told["cases"][0]["rerun"]
    frames = [event["data"] for case in told["cases"] for event in case["events"] if event["kind"] == "frame"]
    assert any("|weather|" in frame for frame in frames)
    assert any("|later|more" in frame for frame in frames)


@pytest.mark.parametrize(
    ("faults", "old", "new", "told"),
    [
        (
            "random",
            "# any other type: left out (FRAME-25)",
            'elif frame.token(1): raise ValueError("unknown")',
            "fail",
        ),
        (
            "pieces",
            "# any other type: left out (FRAME-25)",
            'elif frame.token(1): raise ValueError("unknown")',
            "pass",
        ),
        (
            "pieces",
            "            if not hash_sign or len(rest) < int(count):\n",
            "            if not hash_sign:\n",
            "fail",
        ),
    ],
)
def test_what_random_faults_find(faults: str, old: str, new: str, told: str, tmp_path: Path) -> None:
    """A client that takes what it reads for a whole frame, and one that stops at a stranger."""
    report, broken = tmp_path / "report.json", tmp_path / "app.py"
    shutil.copy(APP, broken)
    library = APP.with_name("drachtio.py").read_text()
    assert library.count(old) == 1
    (tmp_path / "drachtio.py").write_text(library.replace(old, new))
    options = ["client", "--faults", faults, "--seed", "3", "--filter", "calls/answered"]
    main([*options, "--json", str(report), "--", sys.executable, str(broken)])
    verdicts = {case["verdict"] for case in json.loads(report.read_text())["cases"]}
    assert told in verdicts
    assert (verdicts == {"pass"}) is (told == "pass")


def test_a_seed_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "--seed", "5", "--", sys.executable, str(APP)]) == 2
    assert "--seed is that of random faults: give --faults random, too" in capsys.readouterr().err
