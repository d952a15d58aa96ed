"""Which of the core's defects each release has."""

from __future__ import annotations

from typing import Final

from reference_server.config.model import Dialect
from reference_server.core.defects import Defects
from reference_server.emulation.table import CORE

_MENDED: Final[dict[Dialect, frozenset[str]]] = {
    Dialect.V0_9_5: frozenset(),
    Dialect.V0_9: frozenset(
        [
            "is_silent_without_owner",  # 481 since 0.9.7
            "gives_up_at_491",  # since 0.9.9 it tries again
        ]
    ),
}
"""fields that a release does not have"""

DEFECTS: Final = {
    release: Defects(**{field: field not in mended for field in CORE}) for release, mended in _MENDED.items()
}
"""by release; what was measured on 0.9.5 only is taken to hold for 0.9.9, unless its history says otherwise"""


# Tested by tests/emulation/test_agreement.py.
