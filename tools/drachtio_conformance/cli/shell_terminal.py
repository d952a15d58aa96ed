"""Where the shell's lines come from and go to: a person at a terminal, or a pipe."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator

from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.cli.shell import BadInput, Shell, completions
from drachtio_conformance.cli.shell_connection import CannotConnect

_PROMPT = "> "


_COLOURS = (
    (re.compile(r"<-- (?:NO|NOK)\b|\?   |the server closed|no answer"), "31"),
    (re.compile(r"<-- OK\b"), "32"),
    (re.compile(r"<-- "), "36"),
    (re.compile(r"--> "), "1"),
    (re.compile(r"note: |nothing came"), "33"),
    (re.compile(r" {7}\d+#"), "2"),
)
"""Beginning of a line, and the colour it is shown in (SGR parameters)."""


def coloured(text: str) -> str:
    """Lines as a terminal shows them: what left bold, good answers green, refusals red, what else came cyan."""
    lines: list[str] = []
    for line in text.split("\n"):
        colour = next((colour for beginning, colour in _COLOURS if beginning.match(line)), "")
        lines.append(f"\x1b[{colour}m{line}\x1b[0m" if colour else line)
    return "\n".join(lines)


class _Completer:
    """What Tab offers, in the way that readline asks."""

    def __init__(self, typed: Callable[[], str]) -> None:
        self._typed = typed
        self._offered: list[str] = []

    def candidate(self, word: str, number: int) -> str | None:
        """The ``number``th candidate, or None behind the last."""
        if number == 0:
            self._offered = completions(self._typed().lstrip(), word)
        return self._offered[number] if number < len(self._offered) else None


class Terminal:
    """Standard input and output. What comes from the server while somebody types is put above their line."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._typing = False
        self._lock = threading.Lock()
        if self.interactive:
            import readline

            self._typed = readline.get_line_buffer
            readline.set_completer(_Completer(readline.get_line_buffer).candidate)
            readline.set_completer_delims(" \t")
            editline = "libedit" in (readline.__doc__ or "")
            readline.parse_and_bind("bind ^I rl_complete" if editline else "tab: complete")
        self._colours = self.interactive and not os.environ.get("NO_COLOR")

    def write(self, text: str) -> None:
        """Print lines; any thread may."""
        if self._colours:
            text = coloured(text)
        with self._lock:
            if self._typing:
                sys.stdout.write(f"\r\x1b[K{text}\n{_PROMPT}{self._typed()}")
            else:
                sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def lines(self) -> Iterator[str]:
        """What is typed, line by line; Ctrl-C throws away the line, Ctrl-D ends."""
        while True:
            self._typing = self.interactive
            try:
                line = input(_PROMPT if self.interactive else "")
            except EOFError:
                if self.interactive:
                    sys.stdout.write("\n")
                return
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                continue
            except UnicodeDecodeError as error:
                self.write(f"?   not UTF-8: {error.reason}")
                continue
            finally:
                self._typing = False
            yield line


def run(address: AdminAddress, secret: str, *, brief: bool = False) -> bool:
    """Serve commands until the input ends; False if input from a pipe held a line that could not be carried out.

    Raises CannotConnect if the server cannot be reached at all.
    """
    terminal = Terminal()
    shell = Shell(address, secret, terminal.write, brief=brief)
    shell.connect()
    good = True
    lines = terminal.lines()
    shell.settle()
    if terminal.interactive:
        terminal.write("type help for the commands, quit or Ctrl-D to leave")
    for line in lines:
        try:
            if not shell.execute(line, lambda: next(lines, None)):
                break
        except (BadInput, CannotConnect) as error:
            terminal.write(f"?   {error}")
            good = False
        shell.settle(0.3 if terminal.interactive else None)
    shell.close()
    if shell.refused:
        terminal.write(
            "?   the server refused to authenticate; give the right secret by --secret or DRACHTIO_SECRET"
        )
    return (good and not shell.refused) or terminal.interactive
