"""Lines of one kind, at most one a second."""

from __future__ import annotations

from reference_server.sparingly import Sparingly


def test_what_is_not_said_is_counted() -> None:
    lines: list[str] = []
    now = 100.0
    say = Sparingly(lines.append, lambda: now)
    for number in range(5):
        say(f"line {number}")
    now = 101.0
    say("line 5")
    now = 101.5
    say("line 6")
    now = 102.0
    say("line 7")
    now = 104.0
    say("line 8")
    assert lines == [
        "line 0",
        "line 5 (4 more of this kind since the last line)",
        "line 7 (1 more of this kind since the last line)",
        "line 8",
    ]
