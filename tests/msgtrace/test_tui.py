"""The terminal interface, played by textual's pilot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from msgtrace.answers import Shown, shown
from msgtrace.browsing import Browsing
from msgtrace.entries import Account
from msgtrace.live_capture import items
from msgtrace.recordings import read
from msgtrace.source import Source
from msgtrace.tui import Calls, CallScreen, Ladder, MsgtraceApp
from tests.bench import msgtrace as bench
from tests.msgtrace import samples

Play = Callable[[MsgtraceApp, "Pilot[None]"], Awaitable[None]]


def play(source: Iterator[Shown], steps: Play, size: tuple[int, int] = (100, 30)) -> None:
    """Start the interface, and do ``steps``."""

    async def run() -> None:
        app = MsgtraceApp(Browsing(), source, "x.log")
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            app.refresh_calls()
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())


def recording() -> Iterator[Shown]:
    """Two calls, of which one was refused and the other one forgotten."""
    return shown(read(samples.client().encode()))


def table(app: MsgtraceApp) -> list[list[str]]:
    """The texts of the list of calls."""
    calls = app.screen_stack[0].query_one(Calls)
    return [[str(cell) for cell in calls.get_row_at(row)] for row in range(calls.row_count)]


def message(app: MsgtraceApp) -> str:
    """What is shown below the ladder."""
    return str(app.screen.query_one("#message", Static).render())


def test_calls_are_listed_with_their_causes() -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        rows = table(app)
        assert [row[1] for row in rows] == ["1", "2"]
        assert "486 Busy Here" in rows[0][6]
        assert "486 Busy Here" in str(app.query_one("#causes", Static).render())
        assert app.sub_title == "x.log: 2 of 2 calls"

    play(recording(), steps)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 50)])
def test_enter_opens_the_ladder_and_the_cursor_chooses_the_message(size: tuple[int, int]) -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, CallScreen)
        ladder = app.screen.query_one(Ladder)
        assert ladder.row_count >= 3
        seen = set()
        for _ in range(ladder.row_count):
            seen.add(message(app))
            await pilot.press("down")
            await pilot.pause()
        assert any("INVITE sip:bob@127.0.0.1 SIP/2.0" in text for text in seen)
        assert any("transaction-id" in text for text in seen)
        assert not any("abcdef" in text for text in seen), "credentials"
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, CallScreen)

    play(recording(), steps, size)


def test_e_explains_the_call() -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter", "e")
        await pilot.pause()
        assert "486 Busy Here" in message(app)
        assert "Call 1" in message(app)
        await pilot.press("e")
        await pilot.pause()
        assert "Call 1" not in message(app)

    play(recording(), steps)


def test_a_search_shows_what_fits_while_it_is_typed() -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"call02")
        await pilot.pause()
        assert [row[1] for row in table(app)] == ["2"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.focused is app.query_one(Calls)
        app.query_one(Input).value = "nobody"
        await pilot.pause()
        assert table(app) == []
        assert app.sub_title == "x.log: 0 of 2 calls"

    play(recording(), steps)


def test_f_shows_those_that_failed() -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        await pilot.press("f")
        await pilot.pause()
        assert {row[0] for row in table(app)} == {"✗"}
        await pilot.press("f")
        await pilot.pause()
        assert {row[0] for row in table(app)} > {"✗"}

    play(both_endings(), steps)


def both_endings() -> Iterator[Shown]:
    """A call that went well, and one that failed."""
    parts = [*bench.exchange(1), *samples.EXCHANGE]
    return shown(read(bench.written("client log", parts).encode()))


def test_a_hostile_message_is_text(tmp_path: Path) -> None:
    evil = samples.client().replace("486 Busy Here", "486 [red]\x1b[2J[/]")

    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        assert any("[red]" in row[6] for row in table(app))
        assert not any("\x1b" in cell for row in table(app) for cell in row)
        await pilot.press("enter", "down", "down")
        await pilot.pause()
        assert "\x1b" not in message(app)

    play(shown(read(evil.encode())), steps)


def test_what_comes_while_one_looks_is_shown() -> None:
    more = threading.Event()

    def live() -> Iterator[Shown]:
        all_items = list(recording())
        yield from all_items[:3]
        assert more.wait(20)
        yield from all_items[3:]

    async def run() -> None:
        app = MsgtraceApp(Browsing(), live(), "live")
        async with app.run_test() as pilot:
            while not table(app):
                await pilot.pause()
                app.refresh_calls()
            assert len(table(app)) == 1
            more.set()
            await app.workers.wait_for_complete()
            app.refresh_calls()
            await pilot.pause()
            assert len(table(app)) == 2

    asyncio.run(run())


def test_news_while_the_interface_is_taken_down_trouble_nobody() -> None:
    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        await app.query_one(Calls).remove()
        app.trouble = "over"
        app.refresh_calls()

    play(recording(), steps)


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nothing")

    async def steps(app: MsgtraceApp, pilot: Pilot[None]) -> None:
        assert "not a recording" in app.trouble
        assert "not a recording" in app.sub_title

    source = Source(str(tmp_path / "x"), Account())
    play(items(source), steps)
    source.close()
