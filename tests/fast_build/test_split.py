"""Cutting a module in two: both halves together are what the module was."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from fast_build.split import python_only_classes, split

SOURCE = '''\
"""A module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

_SUFFIX = "!"


class Plain:
    """Stays."""

    def greet(self) -> str:
        """With the help of what was moved."""
        return Message("plain").shown()


class Message(Struct, frozen=True, gc=False):
    """Moves, with its keywords."""

    text: str

    def shown(self) -> str:
        """With the help of what stays."""
        return decorated(self.text) + _SUFFIX


def decorated(text: str) -> str:
    """For Message."""
    return f"*{text}*"


class Urgent(Message, frozen=True):
    """Moves, as an heir."""

    level: int = 1


class Sender(Protocol):
    """Moves."""

    def send(self, message: Message) -> Callable[[], None]:
        """Send."""
'''


def tree_of(source: str) -> ast.Module:
    """Parsed."""
    return ast.parse(source)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """SOURCE as the two halves make it."""
    package = tmp_path / "cut_in_two"
    package.mkdir()
    halves = split(SOURCE, "cut_in_two.story", python_only_classes([tree_of(SOURCE)]))
    (package / "__init__.py").touch()
    (package / "story.py").write_text(halves.rest)
    (package / "story_types.py").write_text(halves.types)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("cut_in_two.story")
    for name in [name for name in sys.modules if name.startswith("cut_in_two")]:
        del sys.modules[name]


def test_classes_that_mypyc_cannot_compile_move_and_the_others_stay() -> None:
    halves = split(SOURCE, "cut_in_two.story", python_only_classes([tree_of(SOURCE)]))
    stay = {node.name for node in tree_of(halves.rest).body if isinstance(node, ast.ClassDef)}
    move = [node.name for node in tree_of(halves.types).body if isinstance(node, ast.ClassDef)]
    assert stay == {"Plain"}
    assert move == ["Message", "Urgent", "Sender"]


def test_both_halves_together_are_the_module(module: ModuleType) -> None:
    message = module.Urgent("fire", 3)
    assert message.shown() == "*fire*!"
    assert module.Plain().greet() == "*plain*!"
    with pytest.raises(AttributeError, match="immutable"):
        message.level = 4


def test_heirs_are_found_through_other_modules() -> None:
    sources = ("class C(B): ...", "class A(Struct): ...", "class B(A): ...\nclass D: ...")
    assert python_only_classes(map(tree_of, sources)) == {"Struct", "Protocol", "A", "B", "C"}


def test_a_module_without_such_classes_stays_as_it_is() -> None:
    source = "class D: ...\n"
    halves = split(source, "a.b", frozenset({"Struct"}))
    assert (halves.rest, halves.types) == (source, "")
