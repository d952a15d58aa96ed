"""Tab completion of the command line, by argcomplete where that is installed; a shell asks by the environment.

``eval "$(register-python-argcomplete drachtio-reference-server)"`` makes bash or zsh ask.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from reference_server.config import values
from reference_server.config.table import TABLE

_FILES = (values.PATH, values.DIRECTORY)


def answer_a_shell(environment: Mapping[str, str]) -> None:
    """If a shell asks how the command line may go on, write that and exit; else do nothing."""
    if "_ARGCOMPLETE" not in environment:
        return
    try:
        from argcomplete import autocomplete
        from argcomplete.completers import SuppressCompleter
    except ImportError:
        return
    autocomplete(_parser(), default_completer=SuppressCompleter())


def _parser() -> argparse.ArgumentParser:
    """The options as argcomplete wants to have them; the command line itself is read by ``options``."""
    from argcomplete.completers import FilesCompleter

    parser = argparse.ArgumentParser(add_help=False)
    for setting in TABLE:
        if not setting.option:
            continue
        names = [f"--{setting.option}", *([f"-{setting.letter}"] if setting.letter else [])]
        if not setting.argument:
            parser.add_argument(*names, action="store_true", help=setting.meaning)
            continue
        option = parser.add_argument(*names, choices=setting.kind.words or None, help=setting.meaning)
        if setting.kind in _FILES:
            option.completer = FilesCompleter()  # type: ignore[attr-defined]  # argcomplete's way
    return parser
