"""What tests of several parts need."""

from __future__ import annotations

import asyncio
import signal
import warnings
from collections.abc import Callable, Coroutine
from typing import TypeAlias

import hypothesis
import pytest
import uvloop

# How long an example takes is the machine's load and no fault of the code; how times grow tests/attack measures.
# The same examples each time, so that what is green stays green; pytest --hypothesis-profile=search looks for others.
hypothesis.settings.register_profile("tests", hypothesis.settings(deadline=None, derandomize=True))
hypothesis.settings.register_profile("search", hypothesis.settings(deadline=None, max_examples=2_000))
hypothesis.settings.load_profile("tests")

# A shell starts what runs in the background with SIGINT ignored, and what the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Run: TypeAlias = Callable[[Coroutine[None, None, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine to its end, which must come within 20 seconds; on both loops that the server runs on."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def runner(coroutine: Coroutine[None, None, None]) -> None:
        loop = asyncio.Runner(loop_factory=factory)
        try:
            loop.run(asyncio.wait_for(coroutine, 20))
        finally:
            left = closed(loop)
        assert left == []

    return runner


def closed(loop: asyncio.Runner) -> list[str]:
    """Close the loop; returns what was left open.

    uvloop closes a handle behind its ResourceWarning. As an error that keeps the handle open, and the loop waits for it
    for ever, in C, where no time-out of pytest reaches it.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        loop.close()
    return [str(warning.message) for warning in told]
