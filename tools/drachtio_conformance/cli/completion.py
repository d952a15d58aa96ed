"""Tab completion of the command line, by argcomplete; a shell asks by the environment.

``eval "$(register-python-argcomplete drachtio-conformance)"`` makes bash or zsh ask.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, FilesCompleter, SuppressCompleter

from drachtio_conformance.cases import loader, specification, traceability
from drachtio_conformance.data import folder
from drachtio_conformance.engine import profile


class _Words(BaseCompleter):
    """Words that are looked up when somebody asks, and files where those may stand, too."""

    def __init__(self, words: Callable[[], Iterable[str]], *, files: bool = False) -> None:
        self._words = words
        self._files = files

    def __call__(
        self,
        *,
        prefix: str,
        action: argparse.Action,
        parser: argparse.ArgumentParser,
        parsed_args: argparse.Namespace,
    ) -> list[str]:
        return [*self._words(), *(FilesCompleter()(prefix) if self._files else [])]


def _features() -> list[str]:
    stories = traceability.scenarios()
    return sorted({story.source.rpartition("/")[2].partition(".")[0] for story in stories})


def _cases() -> list[str]:
    names = [case.name for case in loader.load([folder("scenarios")])]
    return [*dict.fromkeys(f"{name.rpartition('/')[0]}/" for name in names), *names]


def _clauses() -> list[str]:
    rules = specification.load()
    return [*rules.families(), *rules.clauses]


def _explained() -> list[str]:
    return [*_clauses(), *specification.load().deviations, *_cases()]


_COMPLETERS = {
    **dict.fromkeys(("FILE", "DIR", "PATH", "FILE|DIR"), FilesCompleter()),
    "GLOB": _Words(_cases),
    "ID": _Words(_explained),
    "NAME": _Words(_features),
    "NAME|FILE": _Words(profile.shipped, files=True),
}
"""By the word that the help shows for a value."""


def _tell(parser: argparse.ArgumentParser) -> None:
    """Tell argcomplete of each argument what may stand there."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _tell(command)
        elif isinstance(action.metavar, str) and action.metavar in _COMPLETERS:
            action.completer = _COMPLETERS[action.metavar]  # type: ignore[attr-defined]  # argcomplete's way


def answer_a_shell(parser: argparse.ArgumentParser) -> None:
    """If a shell asks how the command line may go on, write that and exit; else do nothing."""
    if "_ARGCOMPLETE" in os.environ:
        _tell(parser)
        autocomplete(parser, default_completer=SuppressCompleter())
