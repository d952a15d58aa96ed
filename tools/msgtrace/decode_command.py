"""``msgtrace decode``."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgtrace import filters
from msgtrace.colours import Paint, wanted
from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.ordinary import Detail, Run
from msgtrace.recordings import read_blocks, read_runs
from msgtrace.source import Source

# What only some of the options need is imported there: most logs are small, and then the start is what takes time.
if TYPE_CHECKING:
    from msgtrace.calls import CallIndex
    from msgtrace.follow import Shown

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_LINES_AT_ONCE = 400
_EPILOG = """\
examples:
  msgtrace decode --calls calls.log           each call: how it ended, and why
  msgtrace decode --failed calls.log          those that failed
  msgtrace decode --call 117 --ladder calls.log   who said what to whom in call 117
  msgtrace decode calls.log                   one line for each message
  msgtrace decode --full --method INVITE calls.log.gz   every token by name, and the SIP messages
  nc -l 9022 | msgtrace decode -              a bare stream of frames, as it comes from a socket
  msgtrace decode --jsonl trace.jsonl | jq    for a program to read (docs/msgtrace.schema.json)

--> application to server, <-- server to application; <~~ SIP that the server received, ~~> SIP that it sent.
It reads bare streams of frames; client logs (===> and <===, also in JSON lines); DEBUG=drachtio:agent output;
server logs; what `drachtio-reference-server --trace` and `msgtrace record` write; and packet captures (with scapy).
The form is found out from the content. The secret of authenticate and credentials in Authorization headers are
shown as ***.

exit code: 0 all was read, 1 something could not be read (the message names the place), 2 wrong usage
"""


def add_decode(commands: Commands) -> None:
    """Add the command's options."""
    decode = commands.add_parser(
        "decode",
        help="show the messages of a recording",
        description="Shows the messages of one or more recordings.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decode.add_argument("files", nargs="+", metavar="FILE", help="a recording; - is standard input")
    style = decode.add_mutually_exclusive_group()
    style.add_argument("--full", action="store_true", help="show every token by name, and the SIP messages")
    style.add_argument("--ladder", action="store_true", help="draw a ladder of both legs")
    style.add_argument("--jsonl", action="store_true", help="write one JSON object for each message")
    style.add_argument("--calls", action="store_true", help="one line for each call: how it ended, and why")
    style.add_argument("--stats", action="store_true", help="count messages, and tell where each octet went")
    decode.add_argument("--failed", action="store_true", help="the calls that failed, and why (--calls)")
    decode.add_argument("--call", metavar="CALL", default="", help="only this: Call-ID, dialog id, or number")
    decode.add_argument("--verb", action="append", default=[], help="only this verb or kind; may be repeated")
    decode.add_argument("--method", action="append", default=[], help="only this SIP method; may be repeated")
    decode.add_argument(
        *("--status",),
        action="append",
        default=[],
        type=_status,
        help="only this SIP status, like 486 or 4xx",
    )
    decode.add_argument("--show-secrets", action="store_true", help="show the secret and credentials, too")
    decode.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    decode.set_defaults(run=_run, parser=decode)


def _status(text: str) -> str:
    try:
        return filters.status(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    wanted_only = filters.Filter(
        options.call,
        frozenset(verb.lower() for verb in options.verb),
        frozenset(method.upper() for method in options.method),
        tuple(options.status),
    )
    if options.failed and (options.full or options.ladder or options.jsonl or options.stats):
        options.parser.error("--failed is a form of --calls")
    options.calls = options.calls or options.failed
    if wanted_only and (options.calls or options.stats):
        options.parser.error("--calls and --stats take no filter")
    gc.disable()  # many small values in no cycles: looking for some costs a fifth of the time
    command = _Decode(options, wanted_only)
    failed = False
    for file in options.files:
        failed = not command.file(file) or failed
    return 1 if failed else 0


class _Decode:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace, wanted_only: filters.Filter) -> None:
        self._options = options
        self._filter = wanted_only
        self._paint = Paint(wanted(options.color, sys.stdout))
        self._several = len(options.files) > 1
        self._nothing = ""
        """why nothing of a file was shown, if a filter is the reason"""

    def file(self, file: str) -> bool:
        """Show one file; whether all of it could be read."""
        name = "standard input" if file == "-" else file
        account = Account()
        damages = _Damages()
        try:
            source = Source(file, account)
        except OSError as error:
            _complain(f"{name}: {error.strerror}")
            return False
        try:
            if self._short(source.live):
                found = read_runs(source, account, Detail.KIND if self._options.stats else Detail.LINE)
                self._say_name(name)
                self._show_quickly(found, damages, account)
            else:
                entries = read_blocks(source, account)
                self._say_name(name)
                self._show(damages.watch(entries), source.live, file)
        except NotARecording as error:
            _complain(f"{name}: {error}")
            return False
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            _complain(f"{name}: {error.strerror}")
            return False
        finally:
            source.close()
            sys.stdout.buffer.flush()
        if not account.total:
            _complain(f"{name}: empty, nothing was recorded")
        elif account.form and not (account.frames or account.sip or damages.count):
            _complain(f"{name}: taken for {account.form}, but there is no message in it")
        if account.unread:
            told = ", ".join(
                f"{count} packet{'s' if count != 1 else ''} of {what}"
                for what, count in account.unread.most_common(5)
            )
            _complain(f"{name}: not looked into: {told}")
        if self._nothing:
            _complain(f"{name}: {self._nothing}")
            self._nothing = ""
        if source.problem:
            _complain(f"{name}: {source.problem}")
        if damages.first is not None:
            from msgtrace import redact

            first = damages.first.data if self._options.show_secrets else redact.secrets(damages.first.data)
            places = "1 place" if damages.count == 1 else f"{damages.count} places"
            _complain(f"{name}: {places} could not be read, the first at {damages.first.where}: {first}")
        return not damages.count and not source.problem

    def _say_name(self, name: str) -> None:
        if self._several and not self._options.jsonl:
            sys.stdout.buffer.write(f"{name}:\n".encode("utf-8", "surrogateescape"))

    def _short(self, live: bool) -> bool:
        """Whether all is to be counted, or shown a line each without colours: what people do with large files."""
        options = self._options
        styled = options.ladder or options.full or options.jsonl or options.calls or self._paint.enabled
        return options.stats or not (live or styled or self._filter)

    def _show_quickly(self, found: Iterable[Entry | Run], damages: _Damages, account: Account) -> None:
        if self._options.stats:
            from msgtrace.statistics import Statistics

            statistics = Statistics()
            statistics.take(found, damages.take)
            _write(statistics.lines(account))
        else:
            from msgtrace.short_path import LineFollower

            for text in LineFollower(damages.take).texts(found):
                sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))

    def _show(self, entries: Iterable[Entry], live: bool, file: str) -> None:
        from msgtrace.calls import CallIndex
        from msgtrace.follow import HELD, shown

        options = self._options
        if options.calls:
            from msgtrace.call_table import table

            index = CallIndex()
            for _ in shown(entries, hold=0, learn=index.learn):
                pass
            _write(table(index.calls, self._paint, failed_only=options.failed, file=file))
        else:
            holds = 0 if live and not self._filter.call else HELD
            index = CallIndex()
            learn = index.learn if self._filter.call else None
            items: Iterable[Shown] = shown(entries, hold=holds, learn=learn)
            if self._filter:
                items = self._fitting(items, index)
            _write(self._texts(items, index), at_once=1 if live else _LINES_AT_ONCE)

    def _fitting(self, items: Iterable[Shown], index: CallIndex) -> Iterator[Shown]:
        """Those that pass the filter; if none does, that is told at the end, with what there is instead."""
        kinds: set[str] = set()
        seen = passed = 0
        for item in items:
            is_message = item.message is not None or item.entry.kind is EntryKind.SIP
            seen += is_message
            if item.message is not None:
                kinds.add(item.message.kind.value)
            if self._filter.passes(item, index):
                passed += is_message
                yield item
        if passed or not seen:
            return
        self._nothing = f"none of {seen:,} message{'s' if seen != 1 else ''} fits"
        if self._filter.verbs:
            self._nothing += f"; they are {', '.join(sorted(kinds))}" if kinds else ""
        elif self._filter.call and not (self._filter.methods or self._filter.statuses):
            calls = f"{len(index.calls)} call{'s' if len(index.calls) != 1 else ''}"
            self._nothing = f"no call {self._filter.call} among {calls}; --calls lists them"

    def _texts(self, items: Iterable[Shown], index: CallIndex) -> Iterator[str]:
        from msgtrace import render

        options, paint, secrets = self._options, self._paint, self._options.show_secrets
        if options.ladder:
            import shutil

            from msgtrace import call_ladder
            from msgtrace.rows import rows_of

            width = shutil.get_terminal_size((80, 24)).columns
            yield call_ladder.text(rows_of(items), width, paint).rstrip("\n")
        elif options.full:
            for item in items:
                yield render.full(item, paint, show_secrets=secrets)
        elif options.jsonl:
            for item in items:
                call = index.of(item) if self._filter.call else None
                yield render.json_line(item, show_secrets=secrets, call=call.number if call else 0)
        else:
            line = render.line
            for item in items:
                yield line(item, paint)


class _Damages:
    """What could not be read: how much, and the first of it."""

    def __init__(self) -> None:
        self.count = 0
        self.first: Entry | None = None

    def take(self, entry: Entry) -> None:
        """One more."""
        self.count += 1
        self.first = self.first or entry

    def watch(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The same entries, and those that tell of damage are taken."""
        damage = EntryKind.DAMAGE
        for entry in entries:
            if entry.kind is damage:
                self.take(entry)
            yield entry


def _write(lines: Iterable[str], at_once: int = _LINES_AT_ONCE) -> None:
    write = sys.stdout.buffer.write
    collected: list[str] = []
    for line in lines:
        collected.append(line)
        if len(collected) >= at_once:
            collected.append("")
            write("\n".join(collected).encode("utf-8", "backslashreplace"))
            collected.clear()
            if at_once == 1:
                sys.stdout.buffer.flush()
    if collected:
        collected.append("")
        write("\n".join(collected).encode("utf-8", "backslashreplace"))


def _complain(text: str) -> None:
    sys.stderr.write(f"msgtrace: {text}\n")
