"""Every test of the behaviour ends with empty tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reference_server.core.context import Settings
from tests.core.proxy.stage import Stage
from tests.core.world import World


@pytest.fixture
def worlds() -> Iterator[Callable[[Settings | None], World]]:
    """Makes worlds; when the test is over each must be empty 64·T1 after its last message."""
    made: list[World] = []

    def make(settings: Settings | None = None) -> World:
        made.append(World(settings))
        return made[-1]

    yield make
    for world in made:
        world.check_empty()


@pytest.fixture
def world(worlds: Callable[[Settings | None], World]) -> World:
    """One world with the default settings."""
    return worlds(None)


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    """A caller, an application, and targets at 5090 (carol) and 5091 (dan); what is left unanswered gets its time."""
    made = Stage(world)
    yield made
    world.advance(2 * world.core.context.timing.t1x64)
