"""The command ``msgtrace``: shows what recordings of the admin protocol say, and makes such recordings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from msgtrace.decode_command import add_decode
from msgtrace.record_command import add_record

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="msgtrace", description=_DESCRIPTION)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_decode(commands)
    add_record(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
