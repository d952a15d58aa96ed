"""The reference server as a genuine release (``--emulate``): by which profile it is judged, and what is not measured.

The genuine servers were measured with one configuration; on 0.9.9 only where no time has to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drachtio_conformance.cases.case import Case
from drachtio_conformance.steps.stories import Advance

PROFILES: Final = {"0.9": "drachtio-0.9.9", "0.9.5": "drachtio-0.9.5"}
"""by release, as the server's option has it"""


def unmeasured(release: str, cases: Sequence[Case]) -> dict[str, str]:
    """Why cases say nothing about the genuine server of that release, by their name."""
    reasons: dict[str, str] = {}
    for case in cases:
        if case.server is not None:
            reasons[case.name] = "needs settings of its own, with which no genuine server was measured"
        elif release == "0.9" and (case.slow or any(isinstance(one.step, Advance) for one in case.steps)):
            reasons[case.name] = "time has to pass, which 0.9.9 was not given"
    return reasons


# Tested by tests/emulation/test_agreement.py.
