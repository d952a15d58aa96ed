"""The command ``msgtrace``: shows what recordings of the admin protocol say, and makes such recordings."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Collection, Sequence

from msgtrace.check_command import add_check
from msgtrace.convert_commands import add_conversions
from msgtrace.decode_command import add_decode
from msgtrace.dissector_command import add_dissector
from msgtrace.explain_command import add_explain
from msgtrace.record_command import add_record
from msgtrace.tui_command import add_tui

_DESCRIPTION = "Shows what recordings of the drachtio admin protocol say, and makes such recordings."
_EPILOG = """\
a call went wrong:
  msgtrace explain calls.log                   why, in sentences: one call of each cause
  msgtrace decode --failed calls.log           how many failed of what, and which
  msgtrace decode --call 117 --ladder calls.log   who said what to whom in call 117
  msgtrace decode --html page.html calls.log   all of it as a page, to look through or to send to somebody
  msgtrace tui calls.log                       the same in the terminal

calls.log is a log of the server or of the application, or a packet capture; msgtrace finds out which.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser, commands = _parser()
    if given and given[0] not in commands and not given[0].startswith("-") and os.path.isfile(given[0]):
        file = shlex.quote(given[0])
        parser.error(
            f"{file} is a file, expected a command: msgtrace explain {file}, or msgtrace decode --failed {file}"
        )
    options = parser.parse_args(given)
    try:
        code: int = options.run(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


class _Version(argparse.Action):
    """Looks the version up where it is asked for: that takes longer than to decode a small log."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("drachtio-conformance")
        except PackageNotFoundError:
            found = "not installed, of a folder of its sources"
        sys.stdout.write(f"msgtrace {found}\n")
        parser.exit()


def _parser() -> tuple[argparse.ArgumentParser, Collection[str]]:
    """The parser, and the names of the commands."""
    parser = argparse.ArgumentParser(
        prog="msgtrace",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_decode(commands)
    add_explain(commands)
    add_check(commands)
    add_tui(commands)
    add_record(commands)
    add_conversions(commands)
    add_dissector(commands)
    return parser, commands.choices


if __name__ == "__main__":
    sys.exit(main())
