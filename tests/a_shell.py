"""A shell that asks how a command line may go on: argcomplete's environment, the answer in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
