"""Cuts a module in two: the classes that mypyc cannot compile, and all the rest.

mypyc drops the keywords of a class (``frozen=True``), which msgspec lives by, and takes for an instance of a Protocol
only what inherits from it. So classes that derive from Struct or Protocol go into a second module, which stays Python
and has ``_types`` behind its name; the first imports them from there, and gives it what their methods use.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from msgspec import Struct

PYTHON_ONLY = frozenset({"Struct", "Protocol"})
"""Bases of classes that stay Python."""


class Halves(Struct, frozen=True):
    """One module, cut."""

    rest: str
    """the module as it will be compiled"""
    types: str
    """the module beside it that stays Python; empty if there is nothing for it"""


def python_only_classes(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Names of all classes that derive from one of PYTHON_ONLY, directly or through others of ``trees``."""
    known = set(PYTHON_ONLY)
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    while True:
        more = {node.name for node in classes if _bases(node) & known} - known
        if not more:
            return frozenset(known)
        known |= more


def split(source: str, name: str, python_only: frozenset[str]) -> Halves:
    """Cut the module ``name`` (dotted). ``python_only`` are the names of classes whose heirs stay Python."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    moved = [node for node in tree.body if isinstance(node, ast.ClassDef) and _bases(node) & python_only]
    if not moved:
        return Halves(source, "")
    names = [node.name for node in moved]
    imports = [node for node in tree.body if _is_import(node)]
    used = {node.id for one in moved for node in ast.walk(one) if isinstance(node, ast.Name)}
    given = sorted((_defined(tree) - set(names)) & used)
    beside = f"{name}_types"

    kept = list(lines)
    for node in moved:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        kept[first : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - first)
    at = imports[-1].end_lineno or 0
    kept.insert(at, f"from {beside} import {', '.join(f'{one} as {one}' for one in names)}\n")
    if given:
        module = beside.rpartition(".")[2]
        kept.append(f"\nfrom {name.rpartition('.')[0]} import {module} as _types_of_this_module\n")
        kept += [f"setattr(_types_of_this_module, {one!r}, {one})\n" for one in given]

    types = [_text(lines, node) for node in imports]
    if given:
        types.append("from typing import TYPE_CHECKING as _checking\n")
        types.append(f"if _checking:\n    from {name} import {', '.join(given)}\n")
    types += [_text(lines, node) for node in moved]
    return Halves("".join(kept), "\n".join(types))


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def _is_import(node: ast.stmt) -> bool:
    """Whether it is an import, or those that only a type checker sees."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module defines itself."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    return names


def _text(lines: list[str], node: ast.stmt) -> str:
    first = node.lineno
    if isinstance(node, ast.ClassDef) and node.decorator_list:
        first = node.decorator_list[0].lineno
    return "".join(lines[first - 1 : node.end_lineno])
