"""``python -m tests.fuzz.guided TARGET SECONDS``: inputs that reach new code, by atheris; what breaks one is kept.

atheris has wheels for some Pythons only; ``make fuzz`` installs it where it can, and says so where it cannot.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reference_server", "msgtrace", "drachtio_conformance"]):
    from tests.fuzz.targets import CORPUS, TARGETS

FOUND = Path("build/fuzz")


def main() -> None:
    """Ends by itself; libFuzzer writes what broke below ``build/fuzz`` and leaves with another status than 0."""
    name, seconds = sys.argv[1], sys.argv[2]
    kept = FOUND / name
    kept.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={kept}/broke-",
        "-max_len=4096",
        "-verbosity=0",
    ]
    atheris.Setup(
        [sys.argv[0], *options, "-print_final_stats=1", str(kept), str(CORPUS / name)], TARGETS[name]
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
