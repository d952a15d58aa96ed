"""Somebody who was never told looks for why a call failed, in the log of a night: one command tells it, whichever.

The 200 calls are real ones (:mod:`tests.msgtrace.night_log`); a server's log shows less than its trace, which has the
frames, and no command may make up for that by a guess.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from msgspec import Struct
from textual.widgets import Static

from msgtrace.browsing import Browsing
from msgtrace.cli import main
from msgtrace.entries import Account
from msgtrace.live_capture import items
from msgtrace.source import Source
from msgtrace.tui import MsgtraceApp
from tests.msgtrace import night_log
from tests.msgtrace.night_log import CALLS, WANTED


class Night(Struct, frozen=True):
    """What was written."""

    log: Path
    trace: Path


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    found = Night(folder / "calls.log", folder / "calls.jsonl")
    assert night_log.write(found.log, found.trace) == CALLS
    return found


REASONS = {
    "log": ("503 Service Unavailable by this side", "nothing came back from 127.0.0.1:"),
    "trace": (
        *("503 Service Unavailable by the application", "503 Service Unavailable by the server itself"),
        "where the port is closed or nobody can be reached",
    ),
}
FORMS = pytest.mark.parametrize("form", REASONS)
WRONG = "overloaded, shutting down, or nobody to ask"
"""what is likely where a server alone answers 503, and not so here"""


def told(capsysbinary: pytest.CaptureFixture[bytes], *command: str | Path) -> str:
    assert main([str(part) for part in command]) == 0
    return capsysbinary.readouterr().out.decode()


@FORMS
@pytest.mark.parametrize(
    "command",
    [
        *(
            ["explain"],
            ["decode", "--failed"],
            ["decode", "--calls"],
            ["decode", "--failed", "--from", WANTED[0]],
        ),
        *(["decode", "--calls", "--to", WANTED[1]], ["decode", "--failed", "--status", "503"]),
        ["decode", "--failed", "--grep", WANTED[1].replace("+", "[+]")],
    ],
    ids=" ".join,
)
def test_in_text(
    command: list[str], form: str, night: Night, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    said = told(capsysbinary, *command, getattr(night, form))
    for reason in REASONS[form]:
        assert reason in said
    assert WRONG not in said


@FORMS
def test_causes_are_counted_before_calls_are_listed(
    form: str, night: Night, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    said = told(capsysbinary, "decode", "--failed", getattr(night, form))
    causes = said.split("\n\n")[0].splitlines()
    counts = [int(line.split(" × ")[0]) for line in causes]
    assert counts == [CALLS[kind] for kind in ("busy", "unknown", "cancelled", "declined", "outside")]
    for line, words in zip(
        causes,
        ("486 Busy Here", "404 Not Found", "cancelled by the caller", "603 Decline", "503"),
        strict=True,
    ):
        assert words in line
    assert "392 calls, of which 192 are other legs" in said
    remarks = re.search(r"([0-9]+) with a remark", said)
    assert remarks is not None
    assert int(remarks[1]) >= CALLS["late"], "more on a machine that is so busy that 200s are sent again"


@FORMS
def test_on_the_page(form: str, night: Night, tmp_path: Path) -> None:
    assert main(["decode", "--html", str(tmp_path / "page.html"), str(getattr(night, form))]) == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    for reason in REASONS[form]:
        assert reason in page


@FORMS
def test_in_the_terminal_interface(form: str, night: Night) -> None:
    async def run() -> None:
        path = getattr(night, form)
        source = stack.enter_context(closing(Source(str(path), Account())))
        app = MsgtraceApp(Browsing(), items(source), path.name)
        async with app.run_test(size=(160, 50)) as pilot:
            await app.workers.wait_for_complete()
            app.refresh_calls()
            await pilot.pause()
            causes = str(app.query_one("#causes", Static).render())
            for reason in REASONS[form]:
                assert reason in " ".join(causes.split())
            await pilot.press("slash", *WANTED[1], "enter", "enter", "e")
            await pilot.pause()
            story = " ".join(str(app.screen.query_one("#message", Static).render()).split())
            assert REASONS[form][-1] in story
            assert WRONG not in story

    with ExitStack() as stack:
        asyncio.run(run())
