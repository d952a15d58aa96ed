"""Tab completion of the server's command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.a_shell import completions


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("drachtio-reference-server --sec", {"--secret"}),
        ("drachtio-reference-server --loglevel no", {"notice"}),
        ("drachtio-reference-server --loop ", {"auto", "asyncio", "uvloop"}),
        ("drachtio-reference-server --file m", {"mine.xml"}),
        ("drachtio-reference-server --port ", {""}),
    ],
)
def test_the_server(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.xml").touch()
    assert completions("reference_server.cli", line, tmp_path) == offered
