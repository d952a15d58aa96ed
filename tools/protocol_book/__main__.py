"""``python -m protocol_book [--check]``: writes what is made of the tables and of calls that are run for the guides.

With ``--check`` nothing is written; files that are stale are named, and the status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from protocol_book import files, suite
from protocol_book.recorded import RunFailed


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status: 0, 1 for stale files, 4 when a call of a guide fails."""
    parser = argparse.ArgumentParser(prog="python -m protocol_book", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name the files that are stale")
    options = parser.parse_args(arguments)
    try:
        wanted = files.all_files()
    except RunFailed as error:
        sys.stderr.write(f"a call of the guides failed:\n{error}\n")
        return 4
    stale = files.stale(wanted)
    for path in stale:
        if options.check:
            sys.stderr.write(f"{_shown(path)} is stale: run python -m protocol_book\n")
        else:
            files.write(path, wanted)
            sys.stdout.write(f"wrote {_shown(path)}\n")
    if not stale:
        sys.stdout.write("all files are up to date\n")
    return 1 if stale and options.check else 0


def _shown(path: Path) -> str:
    return str(path.relative_to(suite.ROOT))


if __name__ == "__main__":
    sys.exit(main())
