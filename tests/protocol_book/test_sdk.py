"""The programs of "An SDK in an hour" say pass, in both languages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "guides" / "sdk"
CLIENT = ROOT / "conformance_apps" / "python"
LANGUAGES = {"python": [sys.executable, "-W", "error", "steps.py"], "node": ["node", "steps.mjs"]}


def run(language: str, step: str, vectors: Path = ROOT / "vectors") -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*LANGUAGES[language], step],
        cwd=FOLDER,
        env={
            **os.environ,
            "PATH": path,
            "VECTORS": str(vectors),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(CLIENT),
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize("step", range(1, 8))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_passes(language: str, step: int) -> None:
    done = run(language, str(step))
    assert (done.stdout, done.stderr) == (f"step {step}: pass\n", "")
    assert done.returncode == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_fails_on_what_is_wrong(language: str, tmp_path: Path) -> None:
    text = (ROOT / "vectors" / "framing.json").read_text("utf-8")
    (tmp_path / "framing.json").write_text(text.replace('"6964317c70696e67"', '"6964317c70696e68"'), "utf-8")
    done = run(language, "1", tmp_path)
    assert done.returncode != 0
    assert "pass" not in done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_arguments_are_wrong_usage(language: str) -> None:
    done = run(language, "8")
    assert done.returncode != 0
    assert "usage: " in done.stderr
