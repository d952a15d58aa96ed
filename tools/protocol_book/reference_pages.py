"""Pages that are one table: failure texts, timers, what changed in which release."""

from __future__ import annotations

from protocol_book.facts import REASONS, ROLES, TIMERS, Word
from protocol_book.tables import failures, releases, table

NOTICE = "<!-- made by python -m protocol_book from tools/protocol_book/{} -->\n\n"


def failure_texts() -> str:
    """docs/guides/failure-texts.md"""
    return (
        NOTICE.format("texts.py")
        + "# Failure texts\n\nThe text is the rest of the line behind `NO|` or `NOK|` (APP-5). Words in capitals stand "
        "for what varies. Programs compare the beginning, at most: texts are for people.\n\n"
        "## NO: the connection ends\n\n"
        + failures("NO")
        + "\n## NOK: this one frame failed\n\n"
        + failures("NOK")
        + "\nA final response that the server makes itself is no failure of the frame: it comes as a `sip` frame of "
        "length 0 (OUT-6, OUT-13), or goes to the caller in the application's place (CALL-10, CALL-11).\n"
    )


def timers() -> str:
    """docs/guides/timers.md"""
    rows = [
        (timer.what, timer.seconds, timer.derived, timer.then, ", ".join(timer.clauses)) for timer in TIMERS
    ]
    return (
        NOTICE.format("facts.py")
        + "# Timers\n\nIn seconds, with the usual T1 = 0.5, T2 = 4 and 64·T1 = 32, which are settings "
        "([configuration](../configuration.md)).\n\n"
        + "## How long may an application take to answer, a far end, or the server?\n\n"
        + table(("what", "seconds", "from", "then", "clause"), rows)
    )


def records() -> str:
    """docs/guides/records.md"""
    return (
        NOTICE.format("facts.py")
        + "# Words of call detail records\n\nWhen each record is made, the table of the chapter "
        "[Call detail records](../protocol.md#call-detail-records) says.\n\n## Roles of `cdr:start`\n\n"
        + _words(ROLES)
        + "\n## Reasons of `cdr:stop`\n\n"
        + _words(REASONS)
    )


def _words(words: tuple[Word, ...]) -> str:
    return table(
        ("word", "meaning", "clause"),
        [(f"`{each.word}`", each.meaning, ", ".join(each.clauses)) for each in words],
    )


def changes() -> str:
    """docs/guides/changes.md"""
    return (
        NOTICE.format("facts.py")
        + "# Changes 0.2 → 0.9\n\nWhat changed in the protocol, and in which release of the genuine server it came. "
        "What each dialect looks like, the chapter [Versions](../protocol.md#versions) says.\n\n"
        + releases()
        + "\n## How does a client find out the server's version?\n\n"
        "From the answer to its `authenticate`: token 5 is the version, and where there is no such token the dialect "
        "is 0.8 (VER-1, VER-2).\n"
    )
