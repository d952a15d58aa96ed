"""What make does for all that it starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_programs_keep_bytecode_whatever_the_environment_says() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    told = subprocess.run(
        ["make", "--eval", 'told: ; @echo "[$${PYTHONDONTWRITEBYTECODE-}$$OTHER]"', "told"],
        cwd=ROOT,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", "OTHER": "kept"},
        capture_output=True,
        text=True,
    )
    assert (told.stdout, told.stderr) == ("[kept]\n", "")
