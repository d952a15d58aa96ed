"""The conformance apps that are shipped, as ``conformance_apps/apps.yaml`` lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import msgspec
from msgspec import Struct

from drachtio_conformance.cli.main import main
from tests.conformance.client.reference_app import ROOT

FOLDER = ROOT / "conformance_apps"


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """One of them, which is a column of docs/interop.md."""

    name: str
    folder: str
    command: list[str]
    """what starts it; names of its folder's files, and FOLDER for what ``build`` has made"""
    build: list[str] = []
    """run once in the folder"""
    needs: dict[str, str] = {}
    """program to the package that has it"""
    environment: dict[str, str] = {}
    known: str = ""
    """its known failures"""
    seldom: dict[str, str] = {}
    """cases that ``make test`` leaves to ``.ci/interop``, and why"""

    @property
    def missing(self) -> str:
        """What this machine lacks for it, with the remedy; else empty."""
        lacking = [package for program, package in self.needs.items() if shutil.which(program) is None]
        return f"apt-get install {' '.join(lacking)}" if lacking else ""

    def built(self, output: Path) -> list[str]:
        """Build it into a folder; the command that starts it. Raises CalledProcessError."""
        here = FOLDER / self.folder
        if self.build:
            told = [word.replace("FOLDER", str(output)) for word in self.build]
            subprocess.run(told, cwd=here, check=True)
        words = [word.replace("FOLDER", str(output)) for word in self.command]
        found = [str(here / word) if (here / word).is_file() else word for word in words]
        return [sys.executable if word == "python" else word for word in found]

    def judge(self, command: list[str], *options: str) -> int:
        """Have it judged by client mode; the exit code."""
        baseline = ["--baseline", str(FOLDER / self.folder / self.known)] if self.known else []
        environment = {"NODE_PATH": str(ROOT / "node_modules"), **self.environment}
        with mock.patch.dict(os.environ, environment):
            return main(["client", *options, *baseline, "--", *command])


APPS = msgspec.yaml.decode((FOLDER / "apps.yaml").read_text("utf-8"), type=list[App])
