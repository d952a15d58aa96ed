"""Fixtures for pytest (``pytest-drachtio``): a server, telephones, its trace and its time.

A test says what its server is like by a mark: ``@pytest.mark.drachtio(fault="split=1", lint=True)``. Where a test
fails, the ladder of what crossed the wires stands in the report.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from drachtio_conformance.peers.recorder import WireEvent
    from drachtio_testing.synchronous import SyncPhone, SyncReferenceServer

_SERVER = pytest.StashKey["SyncReferenceServer"]()


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.addinivalue_line(
        "markers", "drachtio(**options): what the server of the test is told, as Options has it"
    )


@pytest.fixture
def drachtio_server(request: pytest.FixtureRequest) -> Iterator[SyncReferenceServer]:
    """A reference server of this test alone, on free ports: host, port, secret, sip(), phone(), advance()."""
    from drachtio_testing.server import Options
    from drachtio_testing.synchronous import SyncReferenceServer

    mark = request.node.get_closest_marker("drachtio")
    try:
        options = Options(**mark.kwargs) if mark is not None else Options()
    except TypeError as error:
        names = ", ".join(Options.__struct_fields__)
        raise pytest.UsageError(f"@pytest.mark.drachtio: {error}; there are {names}") from None
    with SyncReferenceServer(options) as server:
        request.node.stash[_SERVER] = server
        yield server


@pytest.fixture
def phone(drachtio_server: SyncReferenceServer) -> SyncPhone:
    """A telephone that calls."""
    return drachtio_server.phone("phone")


@pytest.fixture
def callee(drachtio_server: SyncReferenceServer) -> SyncPhone:
    """A telephone that is called, by its ``uri``."""
    return drachtio_server.phone("callee")


@pytest.fixture
def drachtio_trace(drachtio_server: SyncReferenceServer) -> Callable[[], list[WireEvent]]:
    """What has crossed the wires so far: call it."""
    return lambda: drachtio_server.trace


@pytest.fixture
def advance(drachtio_server: SyncReferenceServer) -> Callable[[float], None]:
    """Lets the server's time pass, so many seconds at once."""
    return drachtio_server.advance


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Called by pytest: a test that failed shows its ladder."""
    report = yield
    server = item.stash.get(_SERVER, None)
    if report.failed and call.when == "call" and server is not None and server.trace:
        report.sections.append(("drachtio: what crossed the wires", server.ladder()))
    return report
