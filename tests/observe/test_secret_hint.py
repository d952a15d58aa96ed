"""When the hint at the default secret is given."""

from __future__ import annotations

import io

import pytest

from reference_server.config.model import LogLevel
from reference_server.observe.log import Console, Log
from reference_server.observe.secret_hint import SecretHint


@pytest.mark.parametrize(
    ("default", "events", "hints"),
    [
        (True, [("admin-refused", "incorrect secret")] * 3, 1),
        (True, [("admin-refused", "authentication required"), ("admin-connected", "incorrect secret")], 0),
        (False, [("admin-refused", "incorrect secret")], 0),
    ],
)
def test_it_is_given_once_and_only_while_the_secret_is_the_default(
    default: bool, events: list[tuple[str, str]], hints: int
) -> None:
    stream = io.BytesIO()
    hint = SecretHint(Log(LogLevel.NOTICE, [Console(stream)]), lambda: default)
    for name, reason in events:
        hint.event(name, connection=1, reason=reason)
    assert stream.getvalue().count(b"another secret than the default") == hints
