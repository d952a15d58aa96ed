"""``msgtrace check``: what an application did against the rules of the protocol, as a recording shows it.

The rules are those of the suite's client mode (:mod:`application_rules`). What the recording does not show is held
against nobody: where it begins within a session, or has lost something, ids that are not known are not judged.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.keylog_option import add_keylog
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

if TYPE_CHECKING:
    from application_rules.judge import Judge
    from application_rules.rules import Problem
    from msgtrace.answers import Shown
    from msgtrace.calls import CallIndex

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_PLACES = 5
"""places that are named of one sentence"""
_EPILOG = """\
  msgtrace check calls.log
  drachtio-conformance explain APP-6      a clause that it names

Violations break a MUST, warnings a SHOULD, or are more than the genuine server can take; hints are what works and is
probably not meant.

exit code: 0 no violation (with --strict: and no warning), 1 there are some, or the file cannot be read, 2 wrong usage
"""


def add_check(commands: Commands) -> None:
    """Add the command's options."""
    check = commands.add_parser(
        "check",
        help="look for what an application did against the rules",
        description="Looks for what an application did against the rules of the protocol.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("files", nargs="+", metavar="FILE", help="a recording; - is standard input")
    check.add_argument("--strict", action="store_true", help="a warning is a failure, too")
    add_keylog(check)
    check.set_defaults(run=_run, parser=check)


def _run(options: argparse.Namespace) -> int:
    from application_rules.rules import Weight

    failing = {Weight.VIOLATION, Weight.WARNING} if options.strict else {Weight.VIOLATION}
    code = 0
    for file in options.files:
        name = "standard input" if file == "-" else file
        account = Account()
        findings = _Findings()
        try:
            source = Source(file, account)
            findings.take(read_blocks(source, account, options.keylog))
            source.close()
        except NotARecording as error:
            code = _failed(f"{name}: {error}")
            continue
        except OSError as error:
            code = _failed(f"{name}: {error.strerror}")
            continue
        if source.problem:
            code = _failed(f"{name}: {source.problem}")
        if not findings.frames:
            code = _failed(f"{name}: no frame of an application is in it")
            continue
        text = "".join(f"{line}\n" for line in findings.lines(name if len(options.files) > 1 else ""))
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        if any(problem.rule.weight in failing for problem, _ in findings.found.values()):
            code = 1
    return code


class _Place(Struct, frozen=True):
    number: int
    where: str
    call: int


class _Findings:
    """What is wrong in one recording, each sentence once, with its places."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Problem, list[_Place]]] = {}
        self._count: Counter[str] = Counter()
        self._judge: Judge | None = None
        self._connections: dict[str, int] = {}
        self._begun: set[int] = set()
        self._debts: list[Problem] = []
        self._lost = False
        self._answers = False
        """whether anything that servers sent is in it"""
        self.frames = 0
        """of applications"""

    def take(self, entries: Iterable[Entry]) -> None:
        """Judge all of it."""
        from msgtrace.answers import shown
        from msgtrace.calls import CallIndex

        index = CallIndex()
        for item in shown(entries, hold=0, learn=index.learn):
            entry = item.entry
            if entry.kind is EntryKind.FRAME:
                for problem in self._frame(item):
                    self._keep(problem, item, index)
            elif entry.kind is EntryKind.DAMAGE and not self._lost:
                self._lost, self._judge = True, None
            elif entry.kind is EntryKind.NOTE and item.summary.startswith("closed by "):
                for problem in self._left(self._connection(entry.connection)):
                    self._keep(problem, item, index)
        if not self._answers:
            self.found = {
                text: found for text, found in self.found.items() if found[0].rule.name not in _OF_BOTH_SIDES
            }
        self._debts = self._judge.debts() if self._judge is not None else []

    def _frame(self, item: Shown) -> Iterator[Problem]:
        from application_rules.judge import Judge
        from msgtrace.messages import MessageKind

        entry, message = item.entry, item.message
        connection = self._connection(entry.connection)
        begins = message is not None and message.kind is MessageKind.AUTHENTICATE
        if self._judge is None:
            self._judge = Judge(complete=begins and not self._lost and not entry.lossy)
        if item.from_server:
            self._answers = True
            yield from self._judge.received(connection, entry.data)
            return
        self.frames += 1
        if begins and connection in self._begun:
            yield from self._left(connection)  # a log without connections: another one has begun
        self._begun.add(connection)
        if not entry.lossy and entry.length >= 0 and entry.units and not entry.data.isascii():
            yield from self._judge.counted(connection, entry.units[0].value)
        if not entry.lossy and not entry.missing:
            yield from self._judge.sent(connection, entry.data)
        else:  # what the log has changed is no fault of the application's
            found = self._judge.sent(connection, entry.data)
            yield from (problem for problem in found if problem.rule.name not in _CHANGED_BY_LOGS)

    def _left(self, connection: int) -> list[Problem]:
        self._begun.discard(connection)
        return self._judge.left(connection) if self._judge is not None else []

    def _connection(self, name: str) -> int:
        return self._connections.setdefault(name, len(self._connections) + 1)

    def _keep(self, problem: Problem, item: Shown, index: CallIndex) -> None:
        call = index.of(item)
        place = _Place(item.number, item.entry.where, call.number if call else 0)
        _, places = self.found.setdefault(problem.sentence, (problem, []))
        self._count[problem.sentence] += 1
        if len(places) < _PLACES:
            places.append(place)

    def lines(self, name: str) -> Iterator[str]:
        """What is to be said, the gravest first."""
        from application_rules.rules import Weight
        from msgtrace import redact
        from msgtrace.octets import readable

        order = list(Weight)
        if name:
            yield f"{name}:"
        for sentence, (problem, places) in sorted(
            self.found.items(), key=lambda pair: order.index(pair[1][0].rule.weight)
        ):
            yield f"{problem.rule.weight.value:9}  {redact.secrets(readable(sentence, keep=''))}"
            count = self._count[sentence]
            told = ", ".join(
                f"message {one.number} ({one.where}{f', call {one.call}' if one.call else ''})"
                for one in places
            )
            yield f"{'':9}    {told}" + (f" and {count - len(places):,} more" if count > len(places) else "")
        for problem in self._debts[:_PLACES]:
            yield f"{'open':9}  {readable(problem.what, keep='')} when the recording ends ({problem.rule.clause})"
        weights = Counter(
            problem.rule.weight
            for sentence, (problem, _) in self.found.items()
            for _ in range(self._count[sentence])
        )
        counts = ", ".join(
            f"{weights[weight]:,} {weight.value}{'s' if weights[weight] != 1 else ''}" for weight in order
        )
        yield f"{self.frames:,} frame{'s' if self.frames != 1 else ''} of applications: {counts}"


_OF_BOTH_SIDES = frozenset(
    {
        *("not-authenticated", "unknown-transaction", "unknown-dialog", "dialog-over", "stray-ack"),
        *("id-pending", "no-ack", "call-twice", "route-never-used", "nobody-routed"),
    }
)
"""what shows only where both sides were recorded"""
_CHANGED_BY_LOGS = frozenset({"not-a-line-end", "stray-octet", "frame-too-large"})


def _failed(text: str) -> int:
    sys.stderr.write(f"msgtrace: {text}\n")
    return 1
