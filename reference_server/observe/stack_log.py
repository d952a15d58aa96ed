"""What ``sofia-loglevel`` lets us say of the SIP stack: a line of the log at ``info`` for each step of a transaction.

::

    …846719 transaction z9hG4bK-1 127.0.0.1:5080 OPTIONS|1|a1|1@alice: began, by OPTIONS sip:bob@127.0.0.1 SIP/2.0

A transaction is named by what its messages are matched by: the branch, and of the network's requests also who sent
them, method, CSeq, From tag and Call-ID.

The genuine server's levels are those of its own stack. Ours, each with what the ones before it say:

===== =====================================================================================================
0–2   nothing but what the log warns of anyway: what could not be read, or not be sent
3–4   what goes wrong: transport failures, requests without a final response, merged requests
5–6   that a transaction began, what it sent and received, and that its failure was acknowledged
7–8   what was sent again and why, and which requests came again
9     that a transaction is over
===== =====================================================================================================
"""

from __future__ import annotations

from typing import Final

from reference_server.core.ports import Step
from reference_server.observe.event_log import on_one_line
from reference_server.observe.log import Log

QUIET: Final = 2
"""Up to this level nothing is said, and nobody need watch."""

LEVELS: Final = {
    Step.TRANSPORT_FAILED: 3,
    Step.UNANSWERED: 3,
    Step.MERGED: 3,
    Step.BEGAN: 5,
    Step.SENT: 5,
    Step.RECEIVED: 5,
    Step.ACKNOWLEDGED: 5,
    Step.SENT_AGAIN: 7,
    Step.CAME_AGAIN: 7,
    Step.OVER: 9,
}
"""From which level on a step is told."""


class StackLog:
    """A tap that writes steps of transactions into the log."""

    def __init__(self, log: Log, level: int) -> None:
        """``level`` from 0 to 9."""
        self._log = log
        self._level = level

    def transaction(self, step: Step, key: str, about: str) -> None:
        """One line, if the level wants it."""
        if LEVELS[step] <= self._level:
            text = f"transaction {key}: {step.value} {about}".rstrip()
            self._log.info(on_one_line(text))
