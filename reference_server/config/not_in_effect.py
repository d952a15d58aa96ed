"""Settings of the genuine server that are known and checked, but have no effect in this release.

Each that is given is named in one warning that says what is not done (``without``), so that nobody relies on it.
"""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Effect, Setting

NOT_IN_EFFECT: tuple[Setting[object], ...] = (
    Setting(
        kind=values.YES_NO,
        meaning="of the genuine server, which does not heed it",
        default="false",
        without="the genuine server does not heed it either",
        path="admin@tls",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="memory debugging of the genuine server",
        option="memory-debug",
        variable="MEMORY_DEBUG",
        without="memory is managed by Python",
        effect=Effect.NEVER,
    ),
)

# Tested by tests/config/test_table.py.
