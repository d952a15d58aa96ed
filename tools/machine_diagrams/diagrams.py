"""A drawing and a table of each machine, made from its module: ``MOVES`` and what stands below each state and event.

A machine's module has a table ``MOVES`` of ``(state, event)`` to the state that follows, both of them enums whose
members are each explained by a string below. The drawing is a ``stateDiagram-v2`` of Mermaid; events that lead from
one state to the same other stand at one arrow.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Mapping
from enum import Enum
from types import ModuleType

BLOCK = re.compile(r"(<!-- machine (\S+) -->\n).*?(<!-- end of machine -->)", re.DOTALL)


class NoMachine(Exception):
    """A module that a document names has no table of moves; the text says which, and what it lacks."""


def with_machines(document: str) -> str:
    """``document`` with each block between ``<!-- machine MODULE -->`` and its end made anew. Raises NoMachine."""
    return BLOCK.sub(lambda found: f"{found[1]}{machine(found[2])}{found[3]}", document)


def machine(name: str) -> str:
    """The drawing and the table of the machine in the module ``name``. Raises NoMachine."""
    try:
        module = importlib.import_module(name)
        moves: Mapping[tuple[Enum, Enum], Enum] = module.MOVES
    except (ImportError, AttributeError) as error:
        raise NoMachine(f"expected a module with a table MOVES, got {name}: {error}") from error
    states = list(type(next(iter(moves))[0]))
    events = list(type(next(iter(moves))[1]))
    said = explanations(module)
    arrows: dict[tuple[Enum, Enum], list[str]] = {}
    for (before, event), after in moves.items():
        arrows.setdefault((before, after), []).append(event.name)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {states[0].name}"]
    lines += [
        f"    {before.name} --> {after.name}: {', '.join(names)}" for (before, after), names in arrows.items()
    ]
    lines += [
        f"    {state.name} --> [*]" for state in states if not any(state is before for before, _ in moves)
    ]
    lines += ["```", "", "| event | what it is |", "|---|---|"]
    lines += [
        f"| {event.name} | {said.get(f'{type(event).__name__}.{event.name}', '')} |" for event in events
    ]
    return "\n".join(lines) + "\n"


def explanations(module: ModuleType) -> dict[str, str]:
    """What stands below each member of each class, by ``Class.MEMBER``, on one line."""
    found: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for member, below in zip(node.body, node.body[1:], strict=False):
            match member, below:
                case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                    found[f"{node.name}.{name}"] = " ".join(text.split())
    return found
