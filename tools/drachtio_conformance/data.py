"""Where the suite's data lie: in the checkout, or in a wheel under ``drachtio_conformance/_data``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_data"


def installed() -> bool:
    """True in an installed wheel, False in a checkout."""
    return _INSTALLED.is_dir()


def root() -> Path:
    """The folder that holds ``scenarios``, ``client_scenarios``, ``features``, ``sipp``, ``vectors`` and ``docs``."""
    return _INSTALLED if installed() else _PACKAGE.parents[1]


def folder(name: str) -> Path:
    """One of the data folders: ``scenarios``, ``features``, ``sipp``, ``vectors``, ``docs``."""
    return root() / name


def shown(path: str | Path) -> str:
    """``path`` as a user knows it: relative to the data's root or the working directory if it lies below."""
    absolute = Path(path).resolve()
    for base in (root(), Path.cwd()):
        if absolute.is_relative_to(base):
            return str(absolute.relative_to(base))
    return str(path)
