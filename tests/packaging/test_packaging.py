"""The systemd unit and the Containerfile beside the server that they start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
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


INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
"""those of a Containerfile that this one needs"""


def instructions() -> list[tuple[str, str]]:
    """Each with what stands behind it; none goes over several lines."""
    lines = (PACKAGING / "Containerfile").read_text().splitlines()
    written = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in written]


def test_the_containerfile_is_one() -> None:
    """No container engine is here: what it would say first is looked for, and that each stage is there."""
    stages: set[str] = set()
    for name, rest in instructions():
        assert name in INSTRUCTIONS
        if name == "FROM":
            stage = re.fullmatch(r"docker\.io/library/python:3\.\d+-slim(?: AS (\w+))?", rest)
            assert stage, rest
            stages.add(stage[1])
        if (source := re.match(r"--from=(\w+) ", rest)) and name == "COPY":
            assert source[1] in stages
    assert instructions()[0][0] == "FROM"


def test_the_containerfile_copies_what_there_is_and_all_that_the_wheel_needs() -> None:
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    sources = {source for line in copied for source in line}
    for source in sources:
        assert (PACKAGING.parent / source).exists(), source
    wheel = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text())
    targets = wheel["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*targets["packages"], *targets["force-include"], "pyproject.toml", wheel["project"]["readme"]}
    needed |= set(wheel["project"]["license-files"])
    missing = {one for one in needed if not any(one == it or one.startswith(f"{it}/") for it in sources)}
    assert not missing


def test_the_containers_server_has_options_and_libraries() -> None:
    told = dict(instructions())
    (program,) = json.loads(told["ENTRYPOINT"])
    assert program.endswith("/bin/drachtio-reference-server")
    assert read_options(json.loads(told["CMD"])).problems == []
    locked = (PACKAGING.parent / "requirements" / "container.txt").read_text()
    tested = (PACKAGING.parent / "requirements" / "test.txt").read_text()
    for library in ("websockets", "prometheus-client", "aiohttp", "redis", "msgspec"):
        pinned = re.search(rf"^{library}==\S+", locked, re.MULTILINE)
        assert pinned is not None, library
        assert pinned[0] in tested, "what the tests run with"
