"""The application in the README, as somebody gets it who copies it: it runs, and its caller is content."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from drachtio_load.cli import main

ROOT = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent


def test_the_application_in_the_readme_turns_a_caller_away(tmp_path: Path) -> None:
    code = re.search(r"```js\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert code is not None
    script = tmp_path / "app.js"
    script.write_text(code[1], "utf-8")
    environment = {
        **os.environ,
        "NODE_PATH": str(ROOT / "node_modules"),
        "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
    }
    with subprocess.Popen(
        ["node", script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as application:
        try:
            assert application.stdout is not None
            told = application.stdout.readline().decode()  # the suite's own time limit bounds this
            found = re.match(r"call me at \[ 'udp/(127\.0\.0\.1:\d+)', 'tcp/", told)
            assert found is not None, told
            assert main(["run", "reject", found[1]]) == 0
        finally:
            os.killpg(application.pid, signal.SIGTERM)
