"""What is said of a bill of materials, and of an audit that learned little."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.supply_chain import audit, bill
from tests.supply_chain.audit import Answer, Dependency, Vulnerability, judged
from tests.supply_chain.bill import Bill, Component, Reference, faults_of
from tests.supply_chain.locked import locked

ROOT = Path(__file__).parents[2]
LOCK = "argcomplete==3.7.2 \\\n    --hash=sha256:aa\n    # via x\nPyYAML==6.0.3 ; sys_platform != 'x' \\\n"
HASHED = [Reference([{"alg": "SHA-256", "content": "aa"}])]


def test_locked_packages() -> None:
    assert locked(LOCK) == {"argcomplete": "3.7.2", "pyyaml": "6.0.3"}


@pytest.mark.parametrize("name", ["run", "test", "container", "fuzz", "coverage", "supply-chain"])
def test_each_lock_has_a_hash_for_each_package(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    parts = text.split("==")[1:]
    assert len(locked(text)) == len(parts)
    assert all("--hash=sha256:" in part for part in parts)


def test_a_bill_is_that_of_the_lock() -> None:
    components = [Component("argcomplete", "3.7.2", HASHED), Component("PyYAML", "6.0.3", HASHED)]
    assert faults_of(Bill("CycloneDX", components), LOCK) == []
    assert faults_of(Bill("SPDX", components), LOCK) == ["expected bomFormat CycloneDX, got SPDX"]
    others = [Component("argcomplete", "3.7.1", []), Component("left-pad", "1", HASHED)]
    assert faults_of(Bill("CycloneDX", others), LOCK) == [
        "argcomplete: locked 3.7.2, named 3.7.1",
        "left-pad: locked not, named 1",
        "pyyaml: locked 6.0.3, named not",
        "argcomplete: expected a hash, got none",
    ]


def test_the_bill_as_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sbom, requirements = tmp_path / "sbom.json", tmp_path / "run.txt"
    requirements.write_text(LOCK)
    sbom.write_text('{"bomFormat": "CycloneDX", "components": []}')
    monkeypatch.setattr(sys, "argv", ["bill", str(sbom), str(requirements)])
    assert bill.main() == 1
    assert "pyyaml: locked 6.0.3, named not" in capsys.readouterr().out


def test_what_could_not_be_asked_about_is_no_success() -> None:
    known = Dependency("a", "1")
    unknown = Dependency("b", skip_reason="not found")
    assert judged(Answer([known])) == (audit.FINE, ["1 of 1 packages could be asked about"])
    status, said = judged(Answer([known, unknown]))
    assert status == audit.NOT_REACHED
    assert said == ["1 of 2 packages could be asked about", "not asked about: b (not found)"]
    assert judged(Answer([]))[0] == audit.NOT_REACHED


def test_a_vulnerability_is_said_with_what_mends_it() -> None:
    found = Dependency("a", "1", vulns=[Vulnerability("CVE-1", ["1.1", "2"]), Vulnerability("CVE-2")])
    status, said = judged(Answer([found, Dependency("b", skip_reason="not found")]))
    assert status == audit.VULNERABLE
    assert said[:2] == ["a 1: CVE-1, mended in 1.1, 2", "a 1: CVE-2, mended in no version yet"]


@pytest.mark.parametrize(
    ("written", "status", "said"),
    [
        ("echo cannot resolve >&2; exit 1", audit.NOT_REACHED, "was not reached: cannot resolve"),
        ("""echo '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'""", audit.FINE, "1 of 1"),
    ],
)
def test_the_audit_as_a_program(
    written: str,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another program stands for the service, which no test may depend on."""
    program = tmp_path / "auditor"
    program.write_text(f"#!/bin/sh\n{written}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", ["audit", str(program), "run.txt"])
    assert audit.main() == status
    assert said in capsys.readouterr().out
