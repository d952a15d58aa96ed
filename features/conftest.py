"""Runs the features against a server: the embedded reference server, or ``--target HOST:PORT --secret S``.

Each scenario is a :class:`~drachtio_conformance.engine.session.Session`: a thread owns the event loop, and the steps
(in ``features/steps``) are synchronous. A tag that is a clause id becomes ``pytest.mark.clause(id)``.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Iterator
from functools import cache
from importlib.util import find_spec

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.cli.arguments import admin_address
from drachtio_conformance.engine.session import LoopThread, Session
from drachtio_conformance.peers import tls
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.foreign import ForeignTarget
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Target

_CLAUSE_TAG = re.compile(r"[A-Z]+-\d+")


_SCREENING = ServerSettings(
    spam_user_agent="sipcli",
    spam_action="discard",
    spam_tcp_action="reject",
    user_agent_options_auto_respond="monitor/1",
)
"""Of the server in scenarios about who may not come in."""

_SECURE = ServerSettings(tls=True, ws=True, wss=True, admin_tls=True)

_CONFIGURED = {
    "screened": (_SCREENING, "keep scanners out"),
    "secure": (_SECURE, "speak TLS and WebSocket (drachtio-conformance server tests a running one)"),
    "asking": (ServerSettings(request_handler="GET"), "ask a callback of the suite's"),
    "connecting": (ServerSettings(request_handler="tcp"), "connect to an application of the suite's"),
}
"""Marks of scenarios that need a server of these settings, and what it is configured to do."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the features."""
    group = parser.getgroup("drachtio features")
    group.addoption(
        "--target", metavar="[tls://]HOST:PORT", help="admin port of a running server (default: embedded)"
    )
    group.addoption(
        "--secret",
        metavar="S",
        default=os.environ.get("DRACHTIO_SECRET", "admin"),
        help="its shared secret (default: the environment's DRACHTIO_SECRET, else admin)",
    )
    group.addoption(
        "--cdrs",
        action="store_true",
        help="with --target: the server is configured to send call detail records",
    )
    group.addoption("--slow", action="store_true", help="with --target: also run scenarios that take minutes")


def pytest_configure(config: pytest.Config) -> None:
    """Load the sentences."""
    config.addinivalue_line("markers", "clause(id): the clause of docs/protocol.md that the scenario tests")
    config.addinivalue_line("markers", "slow: takes real time on a server whose clock cannot be advanced")
    config.addinivalue_line("markers", "cdrs: needs a server that sends call detail records")
    for mark, (_, does) in _CONFIGURED.items():
        config.addinivalue_line("markers", f"{mark}: needs a server that is configured to {does}")
    for module in (
        "applications",
        "callers",
        "callees",
        "accountants",
        "reliable",
        "sessions",
        "subscriptions",
        "dialogs",
        "proxies",
        "processes",
        "watchers",
        "scrapers",
        "strangers",
        "administrators",
        "travellers",
        "callbacks",
    ):
        config.pluginmanager.import_plugin(f"features.steps.{module}")


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool | None:
    """A clause id becomes a mark with the id; an id that the specification does not know fails the collection."""
    if not _CLAUSE_TAG.fullmatch(tag):
        return None
    if tag not in _clauses():
        raise pytest.UsageError(f"tag @{tag}: docs/protocol.md has no such clause")
    pytest.mark.clause(tag)(function)
    return True


@cache
def _clauses() -> Collection[str]:
    """Ids of the specification, which is read once for all tags."""
    return specification.load().clauses


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """What is tested."""
    given = request.config.getoption("--target")
    if given is None:
        return EmbeddedTarget()
    try:
        admin = admin_address(str(given))
    except ArgumentTypeError as error:
        raise pytest.UsageError(f"--target: {error}") from None
    return ForeignTarget(
        admin.host, admin.port, str(request.config.getoption("--secret")), secure=admin.secure
    )


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    """The thread on which every session runs."""
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture
def session(request: pytest.FixtureRequest, target: Target, loop_thread: LoopThread) -> Iterator[Session]:
    """One scenario's server and peers; in the end the server must hold nothing any more."""
    slow = request.node.get_closest_marker("slow") is not None
    if slow and not target.embedded and not request.config.getoption("--slow"):
        pytest.skip("lets time pass, which takes minutes on this server: run with --slow")
    records = request.node.get_closest_marker("cdrs") is not None
    if records and not target.embedded and not request.config.getoption("--cdrs"):
        pytest.skip("needs a server that is configured to send call detail records: run with --cdrs")
    settings = ServerSettings(cdrs=True) if records else None
    for mark, (configured, does) in _CONFIGURED.items():
        if request.node.get_closest_marker(mark) is not None:
            if not target.embedded:
                pytest.skip(f"needs a server that is configured to {does}")
            settings = configured
    if settings is _SECURE and (find_spec("websockets") is None or not tls.available()):
        pytest.skip("needs the library websockets and the command openssl")
    with Session(target, settings=settings, thread=loop_thread) as opened:
        yield opened
