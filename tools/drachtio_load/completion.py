"""Tab completion of the command line, by argcomplete; a shell asks by the environment.

``eval "$(register-python-argcomplete drachtio-load)"`` makes bash or zsh ask.
"""

from __future__ import annotations

import argparse
import os

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, FilesCompleter, SuppressCompleter

from drachtio_load.scenarios import load_scenarios


class _Scenarios(BaseCompleter):
    """The scenarios' names, and the XML files that there are."""

    def __call__(
        self,
        *,
        prefix: str,
        action: argparse.Action,
        parser: argparse.ArgumentParser,
        parsed_args: argparse.Namespace,
    ) -> list[str]:
        return [*(scenario.name for scenario in load_scenarios()), *FilesCompleter("xml")(prefix)]


def is_a_scenario(action: argparse.Action) -> None:
    """What stands there is the name of a scenario or a file of one's own."""
    action.completer = _Scenarios()  # type: ignore[attr-defined]  # argcomplete's way


def is_a_path(action: argparse.Action) -> None:
    """What stands there is the path of a file."""
    action.completer = FilesCompleter()  # type: ignore[attr-defined]


def answer_a_shell(parser: argparse.ArgumentParser) -> None:
    """If a shell asks how the command line may go on, write that and exit; else do nothing."""
    if "_ARGCOMPLETE" in os.environ:
        autocomplete(parser, default_completer=SuppressCompleter())
