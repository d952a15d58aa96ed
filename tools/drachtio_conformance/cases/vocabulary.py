"""Every step that a case can consist of, by name: the step types of all files in ``steps/``, found, not listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from drachtio_conformance import steps
from drachtio_conformance.steps.step import Step


def _heirs(kind: type[Step]) -> Iterator[type[Step]]:
    for heir in kind.__subclasses__():
        yield heir
        yield from _heirs(heir)


def _found() -> dict[str, type[Step]]:
    for module in pkgutil.iter_modules(steps.__path__, f"{steps.__name__}."):
        importlib.import_module(module.name)
    # A type that other steps are made from has no name of its own: its tag is the class's.
    named = {str(kind.__struct_config__.tag): kind for kind in _heirs(Step)}
    return {name: kind for name, kind in sorted(named.items()) if name != kind.__name__}


STEP_TYPES: dict[str, type[Step]] = _found()
"""Step name, as in YAML, to its type."""

CHECKS: frozenset[str] = frozenset(name for name, kind in STEP_TYPES.items() if kind.is_check)
"""Steps that look at what the peer does, and so have broken twins."""
