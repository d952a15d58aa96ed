"""A stage for each test; what a test leaves unanswered has its time to end, then the world must be empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.proxy.stage import Stage
from tests.core.world import World


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    """A caller, an application, and targets at 5090 (carol) and 5091 (dan)."""
    made = Stage(world)
    yield made
    world.advance(2 * world.state.timing.t1x64)
