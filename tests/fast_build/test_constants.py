"""What a module assigns once becomes Final, and nothing else does."""

from __future__ import annotations

import ast

import pytest

from fast_build.constants import make_final

SOURCE = '''\
"""A module."""

from __future__ import annotations

import re

_WORD = re.compile("a")
table: dict[str, int] = {}
'''


def rewritten(source: str) -> str:
    """As source."""
    tree = ast.parse(source)
    make_final(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def test_constants_become_final() -> None:
    lines = rewritten(SOURCE).splitlines()
    assert lines[1:3] == ["from __future__ import annotations", "from typing import Final as _Final"]
    assert lines[-2:] == ["_WORD: _Final = re.compile('a')", "table: _Final[dict[str, int]] = {}"]


@pytest.mark.parametrize(
    "source",
    [
        "Send = Callable[[str], object]",
        "known = None\n\ndef learn() -> None:\n    global known\n    known = 1",
        "count = 1\ncount = 2",
        "count = 1\ncount += 1",
        "LIMIT: Final = 1",
        "Receive: TypeAlias = object",
        "first, second = (1, 2)",
        "missing: str",
        "class A:\n    limit = 1",
    ],
)
def test_all_else_stays(source: str) -> None:
    assert rewritten(source) == source
