"""Tab completion as a shell asks for it: argcomplete's environment, the answer in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def completions(module: str, line: str, folder: Path) -> set[str]:
    """What may stand at the end of ``line``."""
    answer = folder / "answer"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tools'}",
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", module], cwd=folder, env=environment, check=True, timeout=60)
    return {word.strip() for word in answer.read_text().split("\n")}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("drachtio-reference-server --sec", {"--secret"}),
        ("drachtio-reference-server --loglevel no", {"notice"}),
        ("drachtio-reference-server --loop ", {"auto", "asyncio", "uvloop"}),
        ("drachtio-reference-server --file m", {"mine.xml"}),
        ("drachtio-reference-server --port ", {""}),
    ],
)
def test_the_server(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.xml").touch()
    assert completions("reference_server.cli", line, tmp_path) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("drachtio-load r", {"run"}),
        ("drachtio-load run prac", {"prack", "prack_never"}),
        ("drachtio-load run mi", {"mine.xml"}),
        ("drachtio-load run answered 127.0.0.1:5060 --transport ", {"udp", "tcp"}),
        ("drachtio-load run answered 127.0.0.1:5060 --ans", {"--answer-within"}),
        ("drachtio-load run answered 127.0.0.1:5060 --json mi", {"mine.xml"}),
    ],
)
def test_the_load_command(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.xml").touch()
    assert completions("drachtio_load.cli", line, tmp_path) == offered
