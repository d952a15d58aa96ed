"""Where a rewriting adds the imports that it needs."""

from __future__ import annotations

import ast


def import_first(tree: ast.Module, source: str) -> None:
    """Put ``source`` before all of ``tree`` but the docstring and ``from __future__``."""
    at = 0
    while at < len(tree.body) and _must_come_first(tree.body[at]):
        at += 1
    tree.body[at:at] = ast.parse(source).body


def _must_come_first(node: ast.stmt) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


# Tested by tests/fast_build/test_build.py.
