"""Declares constants as Final, so that compiled code finds them at once instead of by their names in a module's dict.

Constant is what a module assigns once and no function of it assigns again. What is written like a class is left: it may
be an alias of a type, which cannot be Final.
"""

from __future__ import annotations

import ast
import re
from collections import Counter

from fast_build.imports import import_first

_NOT_LIKE_A_CLASS = re.compile(r"_?(?:[A-Z][A-Z0-9_]*|[a-z][a-z0-9_]*)")


def make_final(tree: ast.Module) -> None:
    """Declare what never changes in ``tree``, which is rewritten."""
    stored = (
        node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    times = Counter(node.id for node in stored)
    changed = False
    for at, node in enumerate(tree.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                declared = ast.AnnAssign(target, _final(), value, simple=1)
            case ast.AnnAssign(
                target=ast.Name(id=name) as target, annotation=annotation, value=ast.expr() as value
            ):
                if "Final" in ast.unparse(annotation) or "TypeAlias" in ast.unparse(annotation):
                    continue
                declared = ast.AnnAssign(
                    target, ast.Subscript(_final(), annotation, ast.Load()), value, simple=1
                )
            case _:
                continue
        if times[name] == 1 and _NOT_LIKE_A_CLASS.fullmatch(name):
            tree.body[at] = ast.copy_location(declared, node)
            changed = True
    if changed:
        import_first(tree, "from typing import Final as _Final")


def _final() -> ast.Name:
    return ast.Name("_Final", ast.Load())
