"""docs/api.md: current, complete, and its programs run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from api_page.page import page, source_of
from api_page.public import PARTS, Part

ROOT = Path(__file__).parents[2]
MODULES = [module for part in PARTS for module in part.modules]


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert written == page(ROOT), "run: python -m api_page > docs/api.md"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.title)
def test_its_programs_run(part: Part, tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tools")])
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", part.example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("module", MODULES)
def test_all_that_is_public_says_what_it_is(module: str) -> None:
    tree = ast.parse(source_of(module, ROOT).read_text("utf-8"))
    silent = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and node in tree.body
    ]
    assert silent == []


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"msgtrace\.nothing: there is no msgtrace/nothing\.py"):
        source_of("msgtrace.nothing", ROOT)


SAMPLE = '''
"""About ``it`` and :class:`~other.Thing`."""

from msgspec import Struct

LIMIT: int = 3
"""the most"""
_HIDDEN = 1
"""no"""

class Plan(Struct, frozen=True):
    """What to do."""
    calls: int = 1
    """how
    often"""
    _secret: str = ""

    def __init__(self, calls: int) -> None:
        """``calls``, once."""

    @property
    def rate(self) -> float:
        """A second."""

    async def run(self, *, fast: bool = False) -> int:
        """Go."""

    def _step(self) -> None: ...

def read(text: str) -> Plan:
    """Reads it."""
'''


def test_every_shape(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE)
    part = Part("Title", "About.", "print()\n", ("sample",))
    told = page(tmp_path, (part,)).partition("## Title")[2]
    assert told == (
        "\n\nAbout.\n\n```python\nprint()\n```\n\n"
        "### `sample`\n\nAbout `it` and `Thing`.\n\n"
        "#### `LIMIT: int`\n\nthe most\n\n"
        "#### `class Plan(Struct)`\n\nWhat to do.\n\n"
        "- `calls: int = 1`: how often\n"
        "- `(calls: int)`: `calls`, once.\n"
        "- `rate: float`: A second.\n"
        "- `async run(*, fast: bool=False) -> int`: Go.\n\n"
        "#### `read(text: str) -> Plan`\n\nReads it.\n"
    )
