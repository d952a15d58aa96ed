"""``coverage``: which clauses that bind applications a recording has exercised, and which it has violated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from application_rules.judge import Judge
from application_rules.rules import RULES, Problem, Weight
from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine.outcome import ExitCode
from msgtrace import messages
from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.recordings import read_blocks
from msgtrace.source import Source


class Found(Struct, frozen=True):
    """One problem, and where the recording shows it."""

    file: str
    where: str
    """``line 12``"""
    clause: str
    rule: str
    weight: str
    what: str
    remedy: str


class Coverage(Struct, frozen=True, kw_only=True):
    """What the recordings say."""

    frames: int
    exercised: dict[str, int]
    """by clause, how often one of its rules was looked at"""
    violated: dict[str, int]
    """by clause, how often one of its MUSTs was broken"""
    not_exercised: list[str]
    """clauses for which there are rules, and of which the recordings say nothing"""
    problems: list[Found]


def measure(paths: Sequence[str]) -> Coverage:
    """Read the recordings. Raises NotARecording, OSError."""
    judges: list[Judge] = []
    problems: list[Found] = []
    frames = 0
    for path in paths:
        judge: Judge | None = None
        account = Account()
        numbers: dict[str, int] = {}
        for entry in _frames(path, account):
            frames += 1
            from_server = _from_server(entry)
            if judge is None:  # what begins in the middle says nothing of ids that are not known
                judge = Judge(complete=not from_server and "|authenticate|" in entry.data[:200])
                judges.append(judge)
            connection = numbers.setdefault(entry.connection, len(numbers) + 1)
            problems += (
                _found(path, entry, each)
                for each in _judged(judge, connection, entry, from_server=from_server)
            )
    exercised = {clause: sum(judge.exercised[clause] for judge in judges) for clause in clauses()}
    violated = [each.clause for each in problems if each.weight == Weight.VIOLATION.value]
    return Coverage(
        frames=frames,
        exercised={clause: count for clause, count in exercised.items() if count},
        violated={clause: violated.count(clause) for clause in dict.fromkeys(violated)},
        not_exercised=[clause for clause, count in exercised.items() if not count],
        problems=problems,
    )


def clauses() -> list[str]:
    """Those for which there are rules."""
    return sorted({rule.clause for rule in RULES.values()}, key=_sorted_by)


def _sorted_by(clause: str) -> tuple[str, int]:
    family, _, number = clause.rpartition("-")
    return family, int(number)


def _frames(path: str, account: Account) -> Iterator[Entry]:
    source = Source(path, account)
    try:
        yield from (entry for entry in read_blocks(source, account) if entry.kind is EntryKind.FRAME)
    finally:
        source.close()


def _from_server(entry: Entry) -> bool:
    if entry.from_server is not None:
        return entry.from_server
    return messages.decode(entry.data).from_server


def _judged(judge: Judge, connection: int, entry: Entry, *, from_server: bool) -> Iterable[Problem]:
    return judge.received(connection, entry.data) if from_server else judge.sent(connection, entry.data)


def _found(path: str, entry: Entry, problem: Problem) -> Found:
    rule = problem.rule
    return Found(path, entry.where, rule.clause, rule.name, rule.weight.value, problem.what, rule.remedy)


def run(paths: Sequence[str], rules: Specification, say: Callable[[str], None], *, as_json: bool) -> int:
    """Print it; returns the exit code. Raises NotARecording, OSError."""
    coverage = measure(paths)
    if as_json:
        say(msgspec.json.format(msgspec.json.encode(coverage)).decode())
        return ExitCode.FAILURES if coverage.violated else ExitCode.OK
    for clause, count in coverage.exercised.items():
        broken = coverage.violated.get(clause, 0)
        told = f"violated {broken} of {count} times" if broken else f"{count} times"
        say(f"{clause:9} {told:28} {_title(rules, clause)}")
    for each in coverage.problems:
        say(f"{each.file}, {each.where}: {each.weight}: {each.clause}: {each.what}. {each.remedy}")
    missing = coverage.not_exercised
    if missing:
        say(f"not exercised: {', '.join(missing)}")
    total = len(coverage.exercised) + len(missing)
    said = f"{len(coverage.violated)} violated" if coverage.violated else "none violated"
    say(f"{coverage.frames} frames: {len(coverage.exercised)} of {total} clauses exercised, {said}")
    return ExitCode.FAILURES if coverage.violated else ExitCode.OK


def _title(rules: Specification, clause: str) -> str:
    known = rules.clauses.get(clause)
    return known.title if known is not None else ""
