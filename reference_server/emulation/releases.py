"""Which of the core's defects each release has."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from reference_server.config.model import Dialect
from reference_server.core.defects import Defects

_NEWEST: Final = Defects(**dict.fromkeys(Defects.__struct_fields__, True))

DEFECTS: Final = {
    Dialect.V0_9_5: _NEWEST,
    Dialect.V0_9: structs.replace(
        _NEWEST,
        is_silent_without_owner=False,  # 481 since 0.9.7
        gives_up_at_491=False,  # since 0.9.9 it tries again
    ),
}
"""by release; what was measured on 0.9.5 only is taken to hold for 0.9.9, unless its history says otherwise"""


# Tested by tests/emulation/test_agreement.py.
