"""The drawings of docs/architecture.md are those of the tables, and the files that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from machine_diagrams.diagrams import BLOCK, NoMachine, machine, with_machines

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "architecture.md"
MACHINES = [found[2] for found in BLOCK.finditer(DOCUMENT.read_text("utf-8"))]
NAMED = re.compile(r"`([a-z_0-9/]+\.(?:py|md|json|yaml|toml))`")


def test_the_document_is_current() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert with_machines(text) == text, "run: python -m machine_diagrams"


def test_it_has_the_three_machines_of_the_core() -> None:
    assert [name.removeprefix("reference_server.core.") for name in MACHINES] == [
        "dialog.usage",
        "cdr.leg",
        "proxy.response_context",
    ]


@pytest.mark.parametrize("name", MACHINES)
def test_each_state_and_event_is_drawn_and_each_event_explained(name: str) -> None:
    text = machine(name)
    module = __import__(name, fromlist=["MOVES"])
    for (before, event), after in module.MOVES.items():
        assert re.search(rf"^    {before.name} --> {after.name}: .*\b{event.name}\b", text, re.MULTILINE)
        assert re.search(rf"^\| {event.name} \| \S", text, re.MULTILINE)


def test_a_stale_drawing_is_made_anew() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert with_machines(text.replace("stateDiagram-v2", "stateDiagram")) == text


@pytest.mark.parametrize("name", ["reference_server.nowhere", "reference_server.turn"])
def test_a_module_without_a_machine_is_named(name: str) -> None:
    with pytest.raises(NoMachine, match=f"expected a module with a table MOVES, got {name}"):
        with_machines(f"<!-- machine {name} -->\n<!-- end of machine -->")


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_a_map_names_is_there(document: str) -> None:
    """A name counts from the top, from the server, or from its core, whatever heads its section."""
    tops = [ROOT, ROOT / "reference_server", ROOT / "reference_server" / "core", ROOT / "tools"]
    missing = [
        name
        for name in NAMED.findall((ROOT / document).read_text("utf-8"))
        if not any((top / name).is_file() for top in tops)
    ]
    assert missing == []


def test_the_map_names_every_module_of_the_core() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    modules = (ROOT / "reference_server" / "core").rglob("*.py")
    assert [one.stem for one in modules if one.name != "__init__.py" and f"`{one.stem}`" not in text] == []
