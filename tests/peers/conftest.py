from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.peers.flows import Flows
from tests.peers.processes import LIBRARIES, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    for command in ("sipp", "node"):
        assert shutil.which(command), f"{command} is not installed; make setup says what is needed"
    running = Server("--loglevel", "notice")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session", params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """The version of drachtio-srf that applications run on."""
    return str(request.param)


@pytest.fixture(scope="session")
def flows(server: Server, library: str, tmp_path_factory: pytest.TempPathFactory) -> Flows:
    return Flows(server, library, tmp_path_factory.mktemp("sipp"))
