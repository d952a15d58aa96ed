"""``msgtrace decode``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgtrace.colours import Paint, wanted
from msgtrace.decode_options import EPILOG, add_options, checked
from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.ordinary import Detail, Run
from msgtrace.recordings import read_blocks, read_runs
from msgtrace.source import Source

# What only some of the options need is imported there: most logs are small, and then the start is what takes time.
if TYPE_CHECKING:
    from msgtrace.answers import Shown
    from msgtrace.call_choice import Chosen
    from msgtrace.call_table import Judged
    from msgtrace.calls import CallIndex
    from msgtrace.filters import Filter
    from msgtrace.rows import Row

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_LINES_AT_ONCE = 400


def add_decode(commands: Commands) -> None:
    """Add the command's options."""
    decode = commands.add_parser(
        "decode",
        help="show the messages of a recording",
        description="Shows the messages of one or more recordings.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decode.add_argument("files", nargs="+", metavar="FILE", help="a recording; - is standard input")
    add_options(decode)
    decode.set_defaults(run=_run, parser=decode)


def _run(options: argparse.Namespace) -> int:
    wanted_only = checked(options)
    gc.disable()  # many small values in no cycles: looking for some costs a fifth of the time
    command = _Decode(options, wanted_only)
    failed = False
    for file in options.files:
        failed = not command.file(file) or failed
    return 1 if failed else 0


class _Decode:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace, wanted_only: Filter | None) -> None:
        self._options = options
        self._filter = wanted_only
        self._paint = Paint(wanted(options.color, sys.stdout))
        self._several = len(options.files) > 1
        self._nothing = ""
        """why nothing of a file was shown, if a filter is the reason"""

    def file(self, file: str) -> bool:
        """Show one file; whether all of it could be read, and something fits."""
        name = "standard input" if file == "-" else file
        account = Account()
        damages = _Damages()
        try:
            source = Source(file, account, follow=self._options.follow)
        except OSError as error:
            _complain(f"{name}: {error.strerror}")
            return False
        try:
            if self._short(source.live):
                found = read_runs(
                    source, account, Detail.KIND if self._options.stats else Detail.LINE, self._options.keylog
                )
                self._say_name(name)
                self._show_quickly(found, damages, account)
            else:
                entries = read_blocks(source, account, self._options.keylog)
                self._say_name(name)
                self._show(damages.watch(entries), source.live, file, account)
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
        return self._told(name, account, damages, source.problem)

    def _told(self, name: str, account: Account, damages: _Damages, problem: str) -> bool:
        """Say what is to be said behind the messages; whether all was well."""
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
        if account.put_right:
            told = ", ".join(f"{count:,} {what}" for what, count in account.put_right.most_common())
            _complain(f"{name}: put right, as lengths prove: {told}")
        nothing, self._nothing = self._nothing, ""
        if nothing:
            _complain(f"{name}: {nothing}")
        if problem:
            _complain(f"{name}: {problem}")
        if damages.first is not None:
            from msgtrace import redact

            first = damages.first.data if self._options.show_secrets else redact.secrets(damages.first.data)
            places = "1 place" if damages.count == 1 else f"{damages.count} places"
            _complain(f"{name}: {places} could not be read, the first at {damages.first.where}: {first}")
        return not (damages.count or problem or nothing)

    def _say_name(self, name: str) -> None:
        if self._several and not self._options.jsonl:
            sys.stdout.buffer.write(f"{name}:\n".encode("utf-8", "surrogateescape"))

    def _short(self, live: bool) -> bool:
        """Whether all is to be counted, or shown a line each without colours, or in JSON: what people do with large
        files."""
        options = self._options
        drawn = options.ladder or options.mermaid or options.svg or options.html
        styled = drawn or options.full or options.calls or (self._paint.enabled and not options.jsonl)
        return not self._filter and (options.stats or not (live or styled))

    def _show_quickly(self, found: Iterable[Entry | Run], damages: _Damages, account: Account) -> None:
        if self._options.stats:
            from msgtrace.octet_account import Statistics

            statistics = Statistics()
            statistics.take(found, damages.take)
            _write(statistics.lines(account))
            return
        if self._options.jsonl:
            from msgtrace.json_path import JsonFollower

            texts = JsonFollower(damages.take, show_secrets=self._options.show_secrets).texts(found)
        else:
            from msgtrace.short_path import LineFollower

            texts = LineFollower(damages.take).texts(found)
        for text in texts:
            sys.stdout.buffer.write(text)

    def _show(self, entries: Iterable[Entry], live: bool, file: str, account: Account) -> None:
        from msgtrace.answers import HELD, shown
        from msgtrace.calls import CallIndex

        options = self._options
        index = CallIndex()
        if options.calls:
            self._show_calls(entries, index, file)
            return
        if options.html:
            self._write_page(entries, index, file, account)
            return
        needs_calls = self._filter is not None and self._filter.needs_calls
        holds = 0 if live and not needs_calls else HELD
        items: Iterable[Shown] = shown(entries, hold=holds, learn=index.learn if needs_calls else None)
        if self._filter is not None:
            if self._filter.of_clause is not None:
                items = list(items)  # how calls end is known at the end alone
            items = self._fitting(items, index, self._filter)
        if options.stats:
            from msgtrace.octet_account import Statistics

            statistics = Statistics()
            statistics.take((item.entry for item in items), lambda entry: None)
            _write(statistics.lines(account))
        else:
            _write(self._texts(items, index), at_once=1 if live else _LINES_AT_ONCE)

    def _show_calls(self, entries: Iterable[Entry], index: CallIndex, file: str) -> None:
        from msgtrace.call_choice import Chosen

        options = self._options
        width = _width(sys.stdout.isatty())
        chosen = Chosen(index, self._filter)
        if options.follow:
            from msgtrace.live_calls import rows

            _write(rows(entries, chosen, self._paint, width, failed_only=options.failed), at_once=1)
            return
        from msgtrace.answers import shown
        from msgtrace.call_table import table

        for item in shown(entries, hold=0, learn=index.learn):
            chosen.take(item)
        rows_ = self._judged(index, chosen)
        _write(
            table(
                rows_,
                self._paint,
                failed_only=options.failed,
                file=file,
                width=width,
                of=len(index.calls),
            )
        )

    def _judged(self, index: CallIndex, chosen: Chosen) -> list[Judged]:
        """The calls that fit, with their verdicts; if none does, that is told at the end."""
        from msgtrace.call_table import judged
        from msgtrace.legs import join

        legs = join(index.calls, self._options.join)
        rows = [row for row in judged(index.calls, legs) if row.call.number in chosen]
        if self._filter is not None and not rows and index.calls:
            count = f"{len(index.calls):,} call{'s' if len(index.calls) != 1 else ''}"
            self._nothing = f"none of {count} fits"
        return rows

    def _write_page(self, entries: Iterable[Entry], index: CallIndex, file: str, account: Account) -> None:
        from msgtrace.answers import shown
        from msgtrace.call_choice import Chosen
        from msgtrace.html_page import page

        chosen = Chosen(index, self._filter)
        items = []
        for item in shown(entries, learn=index.learn):
            chosen.take(item)
            items.append(item)
        rows = self._judged(index, chosen)
        title = "standard input" if file == "-" else os.path.basename(file)
        pieces = page(
            items, rows, index, title=title, form=account.form, show_secrets=self._options.show_secrets
        )
        try:
            with open(self._options.html, "w", encoding="utf-8", errors="backslashreplace") as out:
                out.writelines(pieces)
        except OSError as error:
            raise OSError(error.errno, f"{self._options.html} cannot be written: {error.strerror}") from None

    def _fitting(self, items: Iterable[Shown], index: CallIndex, wanted_only: Filter) -> Iterator[Shown]:
        """Those that pass the filter; if none does, that is told at the end, with what there is instead."""
        kinds: set[str] = set()
        seen = passed = 0
        clock = ""
        for item in items:
            is_message = item.message is not None or item.entry.kind is EntryKind.SIP
            seen += is_message
            if item.message is not None:
                kinds.add(item.message.kind.value)
            clock = item.entry.time or (item.message.get("time") if item.message else "") or clock
            if wanted_only.passes(item, index, clock):
                passed += is_message
                yield item
        if passed or not seen:
            return
        self._nothing = f"none of {seen:,} message{'s' if seen != 1 else ''} fits"
        if wanted_only.verbs:
            self._nothing += f"; they are {', '.join(sorted(kinds))}" if kinds else ""
        elif wanted_only.calls and not (wanted_only.methods or wanted_only.statuses):
            calls = f"{len(index.calls)} call{'s' if len(index.calls) != 1 else ''}"
            self._nothing = (
                f"no call {', '.join(sorted(wanted_only.calls))} among {calls}; --calls lists them"
            )

    def _texts(self, items: Iterable[Shown], index: CallIndex) -> Iterator[str]:
        from msgtrace import render

        options, paint, secrets = self._options, self._paint, self._options.show_secrets
        if options.ladder or options.mermaid or options.svg:
            from msgtrace.rows import rows_of

            rows = rows_of(items)
            if rows or not self._filter:
                yield self._drawn(rows).rstrip("\n")
        elif options.full:
            for item in items:
                yield render.full(item, paint, show_secrets=secrets)
        elif options.jsonl:
            needs_calls = self._filter is not None and self._filter.needs_calls
            for item in items:
                call = index.of(item) if needs_calls else None
                yield render.json_line(item, show_secrets=secrets, call=call.number if call else 0)
        else:
            line = render.line
            for item in items:
                yield line(item, paint)

    def _drawn(self, rows: list[Row]) -> str:
        if self._options.ladder:
            from msgtrace import call_ladder

            return call_ladder.text(rows, _width(True), self._paint)
        from msgtrace import drawings

        return drawings.mermaid(rows) if self._options.mermaid else drawings.svg(rows)


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


def _width(bounded: bool) -> int:
    """Columns of the terminal, 80 where there is none; 0, without limit, if the lines go elsewhere."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns if bounded else 0


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
