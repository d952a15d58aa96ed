"""An application that gets all call detail records, and how a test reads them."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Settings
from tests.core.world import RecordingApplication, World, sip_of, tokens_of

KINDS = ("cdr:attempt", "cdr:start", "cdr:stop")


Worlds = Callable[[Settings | None], World]


def told(accounts: RecordingApplication) -> list[str]:
    """The records since the last call: kind, source and detail, and the message's start up to its second word."""
    records = []
    for payload in accounts.take():
        tokens = tokens_of(payload)
        start = " ".join(sip_of(payload).split(" ", 2)[: 2 if sip_of(payload).startswith("SIP") else 1])
        records.append(" ".join([tokens[1].removeprefix("cdr:"), tokens[2], *tokens[4:], "|", start]))
    return records
