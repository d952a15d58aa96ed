"""What a machine lacks for the tests is told in one line that can be typed, and nothing is installed unasked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".ci" / "debian-packages"
NEEDED = dict(re.findall(r"^need (\S+) (\S+)$", SCRIPT.read_text(), re.MULTILINE))


def told(folder: Path, present: set[str]) -> subprocess.CompletedProcess[str]:
    """What the script says where, of the commands that it needs, only these are ``present``."""
    for command in ("bash", "env", "id"):
        found = shutil.which(command)
        assert found is not None
        (folder / command).symlink_to(found)
    for command in present:
        (folder / command).write_text('#!/bin/sh\n[ "$1" = --version ] && echo v22\nexit 0\n')
        (folder / command).chmod(0o755)
    environment = {**os.environ, "PATH": str(folder), "NO_APT": "1"}
    return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True)


def test_a_machine_with_nothing_is_told_one_command(tmp_path: Path) -> None:
    done = told(tmp_path, set())
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    command, _, why = line.partition("#")
    assert command.startswith("apt-get install --no-install-recommends ")
    assert why.strip() == "needed by make test; run it as root"
    # What is looked for in /usr/sbin may be there.
    assert set(NEEDED.values()) - {"kamailio"} <= set(command.split())


def test_only_what_lacks_is_named(tmp_path: Path) -> None:
    done = told(tmp_path, set(NEEDED) - {"sipsak", "tshark"})
    assert done.returncode == 2
    named = set(done.stderr.partition("#")[0].split()[3:])
    assert {"sipsak", "tshark"} <= named
    assert not named & (set(NEEDED.values()) - {"sipsak", "tshark"})


def test_a_machine_with_everything_is_told_nothing(tmp_path: Path) -> None:
    done = told(tmp_path, set(NEEDED))
    assert done.stdout == ""
    # Modules of Kamailio and of Python are looked for where Debian has them, whatever the path says.
    named = set(done.stderr.partition("#")[0].split()[3:])
    assert named <= {"kamailio-tls-modules", "python3-venv", ""}
    assert done.returncode == (2 if named else 0)
