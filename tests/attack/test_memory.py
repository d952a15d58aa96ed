"""What floods of large requests and unread responses cost: no more than is set for strangers, and nobody known a call.

Without the bounds of reference_server/account.py each of them takes more than 500 MiB within these seconds;
``python -m tests.attack.memory_floods SECONDS`` runs them longer.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.attack.memory_floods import FLOODS, Where, run

SECONDS = 5.0
MOST = 256
"""MiB"""


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_takes_a_bounded_amount_of_memory(flood: Callable[[Where, float], int]) -> None:
    outcome = run(flood, SECONDS)
    assert outcome.sent > 1000
    assert outcome.most < MOST, outcome
    assert outcome.answered == outcome.calls > 3, outcome
