"""``features``: runs the stories in Gherkin (``features/``) with pytest-bdd, from a clone or from the wheel."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import sys
from pathlib import Path

from drachtio_conformance import data
from drachtio_conformance.cases.selection import NothingMatches, near
from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.report.visible import visible
from drachtio_conformance.targets.foreign import ForeignTarget
from drachtio_conformance.targets.target import StartFailed

_NEEDED = {"pytest": "pytest", "pytest_bdd": "pytest-bdd"}
"""module to package"""


class Missing(ValueError):
    """A package that the features need is not there; the message says how to get it."""


def names() -> list[str]:
    """The features, by the names of their files."""
    return sorted(path.stem for path in data.folder("features").glob("*.feature"))


def run(options: argparse.Namespace, secret: str) -> int:
    """Run the features as ``options`` say; returns the exit code.

    Raises Missing, and NothingMatches for a feature that is not there.
    """
    missing = [package for module, package in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise Missing(
            f"the features need {' and '.join(missing)}: pip install 'drachtio-conformance[features]'"
        )
    for name in options.feature:
        if name not in names():
            raise NothingMatches(f"no feature is called '{name}'{near(name, names())}")
    if options.target is not None:
        admin: AdminAddress = options.target
        try:
            asyncio.run(ForeignTarget(admin.host, admin.port, secret, secure=admin.secure).start(None))
        except StartFailed as error:
            sys.stderr.write(f"drachtio-conformance: {visible(str(error))}\n")
            return ExitCode.USAGE if "incorrect secret" in str(error) else ExitCode.NO_PEER
    return _status(_pytest(_arguments(options), secret, options.feature))


def _arguments(options: argparse.Namespace) -> list[str]:
    """Those of pytest: the features' own options, and none of any configuration that is near."""
    folder = data.folder("features")
    arguments = [str(folder), "--rootdir", str(folder), "-c", os.devnull]
    arguments += ["--import-mode=importlib", "-p", "no:cacheprovider", "-q", "-r", "fE", "-W", "error"]
    arguments += [
        "-W",
        "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    ]  # we run inside it
    if options.target is not None:
        arguments += ["--target", str(options.target)]
    arguments += [f"--{name}" for name in ("cdrs", "slow") if getattr(options, name)]
    if options.junit:
        arguments += ["--junit-xml", str(Path(options.junit).resolve())]
    return arguments


def _pytest(arguments: list[str], secret: str, features: list[str]) -> int:
    import pytest

    if str(data.root()) not in sys.path:
        sys.path.insert(0, str(data.root()))  # the sentences are the package features.steps
    if secret:
        os.environ["DRACHTIO_SECRET"] = secret  # never on a command line
    os.environ["DRACHTIO_FEATURES"] = " ".join(features)
    return int(pytest.main(arguments))


def _status(code: int) -> int:
    """Exit code for one of pytest's: failures; interrupted; internal error; usage; nothing was collected."""
    codes = {
        0: ExitCode.OK,
        1: ExitCode.FAILURES,
        2: 130,
        3: ExitCode.HARNESS,
        4: ExitCode.USAGE,
        5: ExitCode.FAILURES,
    }
    return codes.get(code, ExitCode.HARNESS)
