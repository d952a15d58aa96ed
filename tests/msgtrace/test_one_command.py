"""Somebody who was never told looks for why a call failed, in a log of 200 calls: one command tells it, whichever."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from textual.widgets import Static

from msgtrace.browsing import Browsing
from msgtrace.cli import main
from msgtrace.entries import Account
from msgtrace.live_capture import items
from msgtrace.source import Source
from msgtrace.tui import Calls, MsgtraceApp
from tests.bench import msgtrace as bench
from tests.msgtrace.test_short_path import renamed

FAILED = 117


def refused() -> list[tuple[bool, str]]:
    """A call that the application refuses since a gateway is down, as a Reason tells."""
    invite, _, _, answer, echo, *_ = bench.exchange(FAILED)
    reason = '503 Service Unavailable\r\nReason: Q.850;cause=38;text="gateway is down"'
    return [
        invite,
        (False, renamed(answer[1], ("200 OK", reason))),
        (True, renamed(echo[1], ("200 OK\r\n", f"{reason}\r\n"))),
    ]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 calls, of which one failed."""
    parts = [
        part
        for number in range(1, 201)
        for part in (refused() if number == FAILED else bench.exchange(number))
    ]
    file = tmp_path_factory.mktemp("calls") / "calls.log"
    file.write_text(bench.written("server log", parts), newline="")
    return file


@pytest.mark.parametrize("command", [["explain"], ["decode", "--failed"], ["decode", "--calls"]])
def test_in_text(command: list[str], log: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main([*command, str(log)]) == 0
    said = capsysbinary.readouterr().out.decode()
    assert str(FAILED) in said
    assert "503 Service Unavailable by the application" in said
    assert "gateway is down" in said


def test_on_the_page(log: Path, tmp_path: Path) -> None:
    assert main(["decode", "--html", str(tmp_path / "page.html"), str(log)]) == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "503 Service Unavailable by the application" in page
    assert "gateway is down" in page


def test_in_the_terminal_interface(log: Path) -> None:
    async def run() -> None:
        source = stack.enter_context(closing(Source(str(log), Account())))
        app = MsgtraceApp(Browsing(), items(source), log.name)
        async with app.run_test(size=(120, 40)) as pilot:
            await app.workers.wait_for_complete()
            app.refresh_calls()
            await pilot.pause()
            causes = str(app.query_one("#causes", Static).render())
            assert "503 Service Unavailable by the application" in causes
            assert "gateway is down" in causes
            await pilot.press("f", "enter", "e")
            await pilot.pause()
            assert app.screen_stack[0].query_one(Calls).row_count == 1
            assert "gateway is down" in str(app.screen.query_one("#message", Static).render())

    with ExitStack() as stack:
        asyncio.run(run())
