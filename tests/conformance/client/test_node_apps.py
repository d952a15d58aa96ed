"""drachtio-srf in both versions: it fails where its list of known failures says, and nowhere else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import load
from drachtio_conformance.cli.main import main
from tests.conformance.client.reference_app import ROOT, SCENARIOS

NODE = ROOT / "conformance_apps" / "node"
VERSIONS = {"5.0": "drachtio-srf", "4.5": "drachtio-srf-4"}
FILES = sorted({case.name.rpartition("/")[0] for case in load([SCENARIOS])})
GROUPS = [name for name in FILES if not name.startswith("connection/silence")]
"""a ping of drachtio-srf takes five seconds: those cases run by hand (docs/interop.md is made of all)"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node here")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", GROUPS)
def test_it_fails_where_it_is_known_to(
    version: str, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRACHTIO_SRF", VERSIONS[version])
    monkeypatch.setenv("NODE_PATH", str(ROOT / "node_modules"))
    report = tmp_path / "report.json"
    options = [
        "--filter",
        group,
        "--baseline",
        str(NODE / f"drachtio-srf-{version}.yaml"),
        "--json",
        str(report),
    ]
    code = main(["client", *options, "--", "node", str(NODE / "app.js")])
    bad = [
        f"{case['name']}: {case['reason']}"
        for case in json.loads(report.read_text())["cases"]
        if case["verdict"] not in ("pass", "known-failing", "not-applicable")
    ]
    assert (code, bad) == (0, [])
