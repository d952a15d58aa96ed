"""``msgtrace explain``: the story of a call in sentences."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgtrace.entries import Account, NotARecording
from msgtrace.keylog_option import add_keylog
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

if TYPE_CHECKING:
    from msgtrace.answers import Shown
    from msgtrace.calls import Call, CallIndex

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST = 20
_EPILOG = """\
  msgtrace explain calls.log                what became of the calls that failed, one of each cause
  msgtrace explain --call 117 calls.log     the story of call 117
  drachtio-conformance explain OUT-6        a clause that it names

exit code: 0 told, 1 the file cannot be read or holds no such call, 2 wrong usage
"""


def add_explain(commands: Commands) -> None:
    """Add the command's options."""
    explain = commands.add_parser(
        "explain",
        help="tell the story of a call, and why it failed",
        description="Tells what happened in a call, what is odd about it, and the likely cause.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.add_argument(
        "file", metavar="FILE", help="a recording in any form that decode reads; - is standard input"
    )
    explain.add_argument(
        *("--call",),
        metavar="CALL",
        action="append",
        default=[],
        help="Call-ID, dialog id, or number; may be repeated",
    )
    explain.add_argument(
        "--join", metavar="HEADER", default="", help="both legs of a call have this header alike"
    )
    add_keylog(explain)
    explain.set_defaults(run=_run, parser=explain)


def _run(options: argparse.Namespace) -> int:
    from msgtrace import redact
    from msgtrace.answers import shown
    from msgtrace.calls import CallIndex

    name = "standard input" if options.file == "-" else options.file
    account, index = Account(), CallIndex()
    try:
        source = Source(options.file, account)
        items = list(shown(read_blocks(source, account, options.keylog), learn=index.learn))
        source.close()
    except NotARecording as error:
        sys.stderr.write(f"msgtrace: {name}: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"msgtrace: {name}: {error.strerror}\n")
        return 1
    chosen = list(_chosen(index, options.call, options.join))
    if not chosen:
        count = f"{len(index.calls):,} call{'s' if len(index.calls) != 1 else ''}"
        wanted = f"no call {', '.join(options.call)} among" if options.call else "nothing failed among"
        sys.stderr.write(f"msgtrace: {name}: {wanted} {count}\n")
        return 1 if options.call or not index.calls else 0
    text = "\n".join(_told(chosen, items, index, options.join))
    sys.stdout.buffer.write((redact.secrets(text) + "\n").encode("utf-8", "backslashreplace"))
    return 0


def _chosen(index: CallIndex, wanted: Sequence[str], header: str) -> Iterator[Call]:
    """Those that are named, else one of each cause for which calls failed, without their other legs."""
    from msgtrace.call_table import judged
    from msgtrace.legs import join
    from msgtrace.verdict import Ending

    if wanted:
        yield from (call for call in index.calls if any(index.is_called(call, one) for one in wanted))
        return
    causes: set[tuple[str, str]] = set()
    for row in judged(index.calls, join(index.calls, header)):
        cause = (row.call.method, row.cause)
        is_new = cause not in causes and len(causes) < _MOST and not row.leg_of
        if row.verdict.ending is Ending.BAD and is_new:
            causes.add(cause)
            yield row.call


def _told(chosen: Sequence[Call], items: Sequence[Shown], index: CallIndex, header: str) -> Iterator[str]:
    from msgtrace.explain import story
    from msgtrace.legs import join

    legs = join(index.calls, header)
    for place, call in enumerate(chosen):
        if place:
            yield "\n" + "─" * 72 + "\n"
        own = [item for item in items if index.of(item) is call]
        others = [other for other in index.calls if other.number in legs and legs[other.number] is call]
        yield from story(call, own, legs.get(call.number), others)
