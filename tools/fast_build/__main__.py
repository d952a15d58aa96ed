"""``make fast``: builds the compiled server, unless it is there and fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from fast_build.build import CannotCompile, build, is_fresh

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "build" / "fast"


def main() -> int:
    """Exit code 0 if the compiled server is there, 1 if it cannot be built; stdout is where it is."""
    if not is_fresh(ROOT, TARGET):
        sys.stderr.write("Compiling the server (a minute) …\n")
        sys.stderr.flush()
        try:
            build(ROOT, TARGET)
        except CannotCompile as error:
            sys.stderr.write(f"fast_build: {error}\nThe server runs without it: make serve\n")
            return 1
    sys.stdout.write(f"{TARGET}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
