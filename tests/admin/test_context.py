"""What all sessions share."""

from __future__ import annotations

from msgspec import structs

from reference_server.config.model import AdminConfiguration
from reference_server.core.ports import Taps
from tests.admin.admin_port import admin_context
from tests.core.world import World


def test_connections_are_numbered_from_1_and_no_number_comes_twice() -> None:
    context = admin_context(World(), Taps(), AdminConfiguration())
    assert [context.new_number() for _ in range(3)] == [1, 2, 3]


def test_the_secret_is_kept_as_it_is_on_the_wire() -> None:
    context = admin_context(World(), Taps(), AdminConfiguration(secret="caf\u00e9"))
    assert context.secret == "caf\xc3\xa9"
    context.configure(structs.replace(context.configuration, secret="new"), context.limits)
    assert context.secret == "new"
