"""Tab completion of drachtio-load's command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.a_shell import completions


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("drachtio-load r", {"run"}),
        ("drachtio-load run prac", {"prack", "prack_never"}),
        ("drachtio-load run mi", {"mine.xml"}),
        ("drachtio-load run answered 127.0.0.1:5060 --transport ", {"udp", "tcp"}),
        ("drachtio-load run answered 127.0.0.1:5060 --ans", {"--answer-within"}),
        ("drachtio-load run answered 127.0.0.1:5060 --json mi", {"mine.xml"}),
    ],
)
def test_the_load_command(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.xml").touch()
    assert completions("drachtio_load.cli", line, tmp_path) == offered
