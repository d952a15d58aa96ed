"""Calls that are run for the guides."""

from __future__ import annotations

import pytest

from protocol_book import recorded
from protocol_book.recorded import Play, RunFailed


def test_only_what_is_to_be_shown_is_recorded() -> None:
    play = Play(
        name="ping",
        setup=[{"authenticate": "app"}],
        steps=[{"ping": "app"}],
        after=[{"route": "invite"}],
    )
    events = recorded.run([play])["ping"]
    assert [(event.source, event.target, event.summary) for event in events] == [
        ("app", "server", "ping"),
        ("server", "app", "OK pong"),
    ]


def test_a_call_that_does_not_go_as_written_is_an_error() -> None:
    steps: list[object] = [
        {"authenticate": "app"},
        {"ping": "app"},
        {"expect": {"tokens": "**", "within": "50ms"}},
    ]
    with pytest.raises(RunFailed, match=r"nothing came within 0\.05 s"):
        recorded.run([Play(name="wrong", setup=[], steps=steps, after=[])])
