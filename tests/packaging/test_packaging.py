"""The systemd unit and the Containerfile beside the server that they start."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reference_server.config.options import read_options

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "drachtio-reference-server.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_unit() -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_gives_options_that_the_server_has_and_waits_as_long_as_it_drains() -> None:
    text = UNIT.read_text()
    command = re.search(r"^ExecStart=/usr/bin/env drachtio-reference-server (.+)$", text, re.MULTILINE)
    assert command is not None
    line = read_options(command[1].split())
    assert line.problems == []
    drain = next(given.text for given in line.given if given.setting.option == "drain")
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert stop is not None
    assert int(stop[1]) > int(drain)


def test_the_containerfile_copies_what_there_is() -> None:
    text = (PACKAGING / "Containerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE):
        assert (PACKAGING.parent / source).exists(), source
