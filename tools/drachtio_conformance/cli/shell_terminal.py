"""Where the shell's lines come from and go to: a person at a terminal, or a pipe."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

from drachtio_conformance.cli.shell import BadInput, Shell
from drachtio_conformance.cli.shell_connection import CannotConnect

_PROMPT = "> "


class Terminal:
    """Standard input and output. What comes from the server while somebody types is put above their line."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._typing = False
        self._lock = threading.Lock()
        if self.interactive:
            import readline

            self._typed = readline.get_line_buffer

    def write(self, text: str) -> None:
        """Print lines; any thread may."""
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


def run(address: tuple[str, int], secret: str, *, brief: bool = False) -> bool:
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
    return good or terminal.interactive
