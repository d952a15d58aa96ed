"""The command ``msgtrace``: reads recordings of the admin protocol and shows what they say."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgtrace import recordings, redact, render
from msgtrace.recordings import Entry, EntryKind, NotARecording

_EXAMPLES = """\
examples:
  msgtrace decode calls.log                 one line for each message
  msgtrace decode --full calls.log          every token by name, and the SIP messages
  msgtrace decode --ladder calls.log        who said what to whom
  nc -l 9022 | msgtrace decode -            a bare stream of frames, as it comes from a socket
  msgtrace decode --jsonl trace.jsonl | jq  for a program to read

--> application to server, <-- server to application; <~~ SIP that the server received, ~~> SIP that it sent.
It reads a bare stream of frames, client logs with ===> and <===, and what `drachtio-reference-server --trace`
writes. The secret of authenticate and credentials in Authorization headers are shown as ***.

exit code: 0 all was read, 1 something could not be read (the message names the place), 2 wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _decode(options.files, _style(options), options.show_secrets)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msgtrace",
        description="Shows what recordings of the drachtio admin protocol say.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    decode = commands.add_parser(
        "decode",
        help="show the messages of a recording",
        description="Shows the messages of one or more recordings.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decode.add_argument("files", nargs="+", metavar="FILE", help="a recording; - is standard input")
    style = decode.add_mutually_exclusive_group()
    style.add_argument("--full", action="store_true", help="show every token by name, and the SIP messages")
    style.add_argument("--ladder", action="store_true", help="draw a ladder")
    style.add_argument("--jsonl", action="store_true", help="write one JSON object for each message")
    decode.add_argument("--show-secrets", action="store_true", help="show the secret and credentials, too")
    return parser


def _style(options: argparse.Namespace) -> Callable[[Iterator[render.Shown]], Iterator[str]]:
    if options.ladder:
        return lambda items: iter(
            (render.ladder_text(items, shutil.get_terminal_size().columns).rstrip("\n"),)
        )
    if options.full:
        return lambda items: map(render.full, items)
    return lambda items: map(render.json_line if options.jsonl else render.line, items)


def _decode(
    files: list[str], style: Callable[[Iterator[render.Shown]], Iterator[str]], show_secrets: bool
) -> int:
    failed = False
    for file in files:
        name = "standard input" if file == "-" else file
        damages: list[Entry] = []
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            entries = _noting(recordings.read(data), damages)
            for text in style(render.shown(entries, show_secrets=show_secrets)):
                _print(text)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            _complain(f"{name}: {error.strerror}")
            failed = True
        except NotARecording as error:
            _complain(f"{name}: {error}")
            failed = True
        else:
            if not data.strip():
                _complain(f"{name}: empty, nothing was recorded")
        sys.stdout.flush()
        if damages:
            first = damages[0].data if show_secrets else redact.secrets(damages[0].data)
            places = "1 place" if len(damages) == 1 else f"{len(damages)} places"
            _complain(f"{name}: {places} could not be read, the first at {damages[0].where}: {first}")
            failed = True
    return 1 if failed else 0


def _noting(entries: Iterator[Entry], damages: list[Entry]) -> Iterator[Entry]:
    """``entries``; those that could not be read are kept in ``damages``, too."""
    for entry in entries:
        if entry.kind is EntryKind.DAMAGE:
            damages.append(entry)
        yield entry


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"msgtrace: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
