"""Every scenario of every feature is a test; of some features only where DRACHTIO_FEATURES names their files."""

from __future__ import annotations

import os

from pytest_bdd import scenarios

_CHOSEN = [f"{name}.feature" for name in os.environ.get("DRACHTIO_FEATURES", "").split()]

scenarios(*(_CHOSEN or ["."]))
