"""The packages that a file of locked requirements names."""

from __future__ import annotations

import re

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def locked(requirements: str) -> dict[str, str]:
    """Versions by name, as ``pip-compile`` has written them."""
    return {normal(name): version for name, version in _PINNED.findall(requirements)}


def normal(name: str) -> str:
    """A package's name as registries compare it (PyPA specification "names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()
