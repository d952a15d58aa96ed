"""``msgtrace tui``: look through a recording in the terminal, also while it is made."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from msgtrace.entries import Account
from msgtrace.keylog_option import add_keylog
from msgtrace.live_capture import captured, items
from msgtrace.source import Source

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EPILOG = """\
  msgtrace tui calls.log                    Enter opens a call, e explains it, / searches, f shows those that failed
  msgtrace tui --follow /var/log/drachtio.log
  msgtrace tui --capture any                packets of ports 5060 and 9022, by tcpdump or dumpcap
  msgtrace tui --capture lo 'port 5070'     others

It needs textual: pip install 'drachtio-conformance[tui]'
exit code: 0 left, 1 cannot be read, 2 wrong usage, or textual lacks
"""
_PORTS = "port 5060 or port 9022 or port 9023"


def add_tui(commands: Commands) -> None:
    """Add the command's options."""
    tui = commands.add_parser(
        "tui",
        help="look through a recording in the terminal, also live",
        description="Shows the calls of a recording, their ladders and messages.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tui.add_argument(
        "file", nargs="?", metavar="FILE", help="a recording; with --capture a filter of tcpdump"
    )
    tui.add_argument("--follow", action="store_true", help="wait for more at the end of the file")
    tui.add_argument("--capture", metavar="INTERFACE", help="what passes there, as tcpdump sees it")
    tui.add_argument(
        "--join", metavar="HEADER", default="", help="both legs of a call have this header alike"
    )
    tui.add_argument("--show-secrets", action="store_true", help="show the secret and credentials, too")
    add_keylog(tui)
    tui.set_defaults(run=_run, parser=tui)


def _run(options: argparse.Namespace) -> int:
    if not options.capture and not options.file:
        options.parser.error("expected a FILE, or --capture INTERFACE")
    if options.capture and options.follow:
        options.parser.error("--follow is for files")
    if options.file == "-":
        options.parser.error("the keyboard is read from standard input, so it takes no recording from there")
    try:
        from msgtrace.browsing import Browsing
        from msgtrace.tui import MsgtraceApp
    except ImportError as error:
        sys.stderr.write(f"msgtrace: {error.name} lacks: pip install 'drachtio-conformance[tui]'\n")
        return 2
    with contextlib.ExitStack() as stack:
        path, name = options.file, os.path.basename(options.file or "")
        if options.capture:
            name = options.capture
            try:
                path = stack.enter_context(captured(options.capture, options.file or _PORTS))
            except OSError as error:
                sys.stderr.write(f"msgtrace: neither tcpdump nor dumpcap can be started: {error.strerror}\n")
                return 1
        try:
            source = Source(path, Account(), follow=options.follow)
        except OSError as error:
            sys.stderr.write(f"msgtrace: {path}: {error.strerror}\n")
            return 1
        stack.callback(source.close)
        browsing = Browsing(header=options.join, show_secrets=options.show_secrets)
        app = MsgtraceApp(browsing, items(source, options.keylog), name)
        app.run()
        if app.trouble:
            sys.stderr.write(f"msgtrace: {name}: {app.trouble}\n")
            return 1
    return 0
