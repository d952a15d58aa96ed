"""The command ``msgtrace``: shows what recordings of the admin protocol say, and makes such recordings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from msgtrace.check_command import add_check
from msgtrace.convert_commands import add_conversions
from msgtrace.decode_command import add_decode
from msgtrace.dissector_command import add_dissector
from msgtrace.explain_command import add_explain
from msgtrace.record_command import add_record
from msgtrace.tui_command import add_tui

_DESCRIPTION = "Shows what recordings of the drachtio admin protocol say, and makes such recordings."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="msgtrace", description=_DESCRIPTION)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_decode(commands)
    add_explain(commands)
    add_check(commands)
    add_tui(commands)
    add_record(commands)
    add_conversions(commands)
    add_dissector(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
