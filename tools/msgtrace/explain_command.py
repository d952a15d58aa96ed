"""``msgtrace explain``: the story of a call in sentences."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgtrace.decode_options import add_filter, filter_of
from msgtrace.entries import Account, NotARecording
from msgtrace.keylog_option import add_keylog
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

if TYPE_CHECKING:
    from msgtrace.answers import Shown
    from msgtrace.call_choice import Chosen
    from msgtrace.calls import Call, CallIndex

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST = 20
_EPILOG = """\
  msgtrace explain calls.log                what became of the calls that failed, one of each cause
  msgtrace explain --call 117 calls.log     the story of call 117
  msgtrace explain --from dave --since 07:30 calls.log   of Dave's calls those that failed; if none did, all of them
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
    add_filter(explain.add_argument_group("which calls: those that have such a message"))
    explain.add_argument(
        "--join", metavar="HEADER", default="", help="both legs of a call have this header alike"
    )
    add_keylog(explain)
    explain.set_defaults(run=_run, parser=explain)


def _run(options: argparse.Namespace) -> int:
    from msgtrace import redact
    from msgtrace.answers import shown
    from msgtrace.call_choice import Chosen
    from msgtrace.calls import CallIndex

    name = "standard input" if options.file == "-" else options.file
    account, index = Account(), CallIndex()
    fitting = Chosen(index, filter_of(options))
    items = []
    try:
        source = Source(options.file, account)
        for item in shown(read_blocks(source, account, options.keylog), learn=index.learn):
            fitting.take(item)
            items.append(item)
        source.close()
    except NotARecording as error:
        sys.stderr.write(f"msgtrace: {name}: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"msgtrace: {name}: {error.strerror}\n")
        return 1
    chosen = _chosen(index, fitting, options.join, all_of_them=bool(options.call))
    if not chosen:
        count = f"{len(index.calls):,} call{'s' if len(index.calls) != 1 else ''}"
        named = f"no call {', '.join(options.call)} among" if options.call else "no such call among"
        sys.stderr.write(f"msgtrace: {name}: {named if fitting.asked else 'nothing failed among'} {count}\n")
        return 1 if fitting.asked or not index.calls else 0
    text = "\n".join(_told(chosen, items, index, options.join))
    sys.stdout.buffer.write((redact.secrets(text) + "\n").encode("utf-8", "backslashreplace"))
    return 0


def _chosen(index: CallIndex, fitting: Chosen, header: str, *, all_of_them: bool) -> list[Call]:
    """Those that fit: one of each cause for which calls failed, without their other legs.

    If calls are asked for and none of them failed, and in any case where ``all_of_them`` are wanted, all that fit.
    """
    from msgtrace.call_table import judged
    from msgtrace.legs import join
    from msgtrace.verdict import Ending

    calls = [call for call in index.calls if call.number in fitting]
    if all_of_them:
        return calls
    causes: dict[tuple[str, str], Call] = {}
    for row in judged(index.calls, join(index.calls, header)):
        if row.verdict.ending is Ending.BAD and row.call.number in fitting and not row.leg_of:
            causes.setdefault((row.call.method, row.cause), row.call)
    return list(causes.values() or (calls if fitting.asked else ()))[:_MOST]


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
