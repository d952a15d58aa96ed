"""An end of a call that reaches a drachtio-srf application in one piece with its beginning: docs/guides/faults.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_testing import SyncReferenceServer, acts
from drachtio_testing.server import Options
from tests.peers.processes import LIBRARIES, NodeApplication

SCRIPT = Path(__file__).parent / "apps" / "listens.js"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("listens", "heard"), [("callback", True), ("await", False)])
def test_who_awaits_the_dialog_does_not_hear_its_end(library: str, listens: str, heard: bool) -> None:
    with SyncReferenceServer(Options(fault="glue=9")) as server:
        application = NodeApplication(SCRIPT, server.port, server.secret, library=library, LISTENS=listens)
        try:
            server.applications(1, routed=["invite"])
            first = server.phone("alice").play(acts.HangUp(), user="bob")  # echo of the 200, ACK and BYE
            assert first.good, first.sentence
            server.set_faults("")
            second = server.phone("carol")
            assert second.call("bob").status == 200
            application.wait_for_events("listening", 2)
            assert second.hang_up().status == 200
            application.wait_for_events("destroyed", 1 + heard)
            assert len(application.events("destroyed")) == 1 + heard
            assert application.events("failed") == []
        finally:
            application.stop()
