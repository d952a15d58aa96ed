"""Tab completion as a shell asks for it: argcomplete's environment, the answer in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def completions(line: str, folder: Path) -> set[str]:
    """What may stand at the end of ``line``."""
    answer = folder / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-m", "drachtio_conformance.cli"]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=60)
    return {word.strip() for word in answer.read_text().split("\n")}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vec", {"vectors"}),
        ("server --mark", {"--markdown"}),
        ("server --filter ping/basic/tho", {"ping/basic/thousand"}),
        ("server --filter ping/ba", {"ping/basic/", "ping/basic/answered", "ping/basic/thousand"}),
        ("server --clause PING-2", {"PING-2"}),
        ("server --profile drachtio-0.9.9", {"drachtio-0.9.9"}),
        ("server --profile mi", {"mine.xml"}),
        ("server --json mi", {"mine.xml"}),
        ("explain DEV-10", {"DEV-10", "DEV-101"}),
        ("explain ping/basic/tho", {"ping/basic/thousand"}),
        ("features ca", {"cancel", "call_as_callee", "call_as_caller"}),
        ("call sip:x@y --transport ", {"udp", "tcp"}),
    ],
)
def test_the_line_goes_on(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.xml").touch()
    found = completions(f"drachtio-conformance {line}", tmp_path)
    assert offered <= found
    assert all(word.startswith(line.rpartition(" ")[2]) for word in found)
