"""``python -m tests.coverage``: runs the tests of the layers, two runs side by side, and says what they reached.

Each layer is measured by what tests it and those above it, without sockets; nothing is excluded. The figures go to
``tests/promises/figures.json``. Returns 1 if a test fails or a layer is reached too little.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.coverage.demands import Report, missed, percent_by_layer
from tests.promises.figures import record

FOLDER = Path("build/coverage")
RUNS = (("tests/wire", "tests/sip", "tests/vectors"), ("tests/core",))
MEASURED = "reference_server.wire,reference_server.sip,reference_server.core"

_CONFIGURATION = f"""[run]
branch = true
parallel = true
data_file = {FOLDER}/data
source_pkgs = {MEASURED}
"""


def main() -> int:
    """Says each layer's figure, and which lines and branches are missed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    configuration = FOLDER / "configuration"
    configuration.write_text(_CONFIGURATION, "utf-8")
    options = f"--rcfile={configuration}"
    coverage = [sys.executable, "-m", "coverage"]
    under_way = [
        subprocess.Popen(
            [*coverage, "run", options, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders]
        )
        for folders in RUNS
    ]
    if any([one.wait() for one in under_way]):
        return 1
    report = FOLDER / "report.json"
    quietly = {**os.environ, "COVERAGE_RCFILE": str(configuration)}
    subprocess.run([*coverage, "combine", "-q"], check=True, env=quietly)
    subprocess.run([*coverage, "report", "--show-missing", "--skip-covered"], check=True, env=quietly)
    subprocess.run([*coverage, "json", "-q", "-o", str(report)], check=True, env=quietly)
    percent = percent_by_layer(msgspec.json.decode(report.read_bytes(), type=Report))
    for layer, reached in percent.items():
        sys.stdout.write(f"reference_server/{layer}: {reached:g} % of statements and branches\n")
    record("coverage", {layer: f"{reached:g} %" for layer, reached in percent.items()})
    sys.stdout.writelines(f"{sentence}\n" for sentence in missed(percent))
    return 1 if missed(percent) else 0


if __name__ == "__main__":
    sys.exit(main())
