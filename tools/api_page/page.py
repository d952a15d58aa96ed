"""The page: each public name with its shape and its docstring, read from the sources without importing them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from api_page.public import PARTS, Part

_INTRODUCTION = """# From Python

<!-- Made by `python -m api_page > docs/api.md`; a test keeps it current. -->

The distribution is called `drachtio-conformance`; it has four packages, all typed (`py.typed`):

| import | what |
|---|---|
| `reference_server` | the server |
| `drachtio_conformance` | the suite: steps, peers, targets, reports |
| `drachtio_load` | SIPp and its judge |
| `msgtrace` | decoders |

`reference_server` says what it is and nothing of drachtio. The name stays: it is the folder that people read and run
in the clone and the word of every command and document, and a second name for the same modules would be one too many.
Where your program has a module of that name itself, give this distribution an environment of its own and start the
command.

What is named on this page is for programs to use, and changes with a new minor version only. Every other module is the
project's own business.
"""


def page(root: Path, parts: Sequence[Part] = PARTS) -> str:
    """docs/api.md, from the sources below ``root``. Raises FileNotFoundError if a module has none."""
    return "\n".join([_INTRODUCTION, *(text for part in parts for text in _part(part, root))])


def source_of(module: str, root: Path) -> Path:
    """Where a module's source is: below ``root`` or ``root/tools``. Raises FileNotFoundError."""
    relative = Path(*module.split(".")).with_suffix(".py")
    for folder in (root, root / "tools"):
        if (folder / relative).is_file():
            return folder / relative
    raise FileNotFoundError(f"{module}: there is no {relative}")


def _part(part: Part, root: Path) -> Iterator[str]:
    yield f"## {part.title}\n\n{part.about}\n\n```python\n{part.example}```\n"
    for module in part.modules:
        yield from _module(module, ast.parse(source_of(module, root).read_text("utf-8")))


def _module(name: str, tree: ast.Module) -> Iterator[str]:
    yield f"### `{name}`\n\n{_text(ast.get_docstring(tree))}\n"
    for node, about in _with_text(tree.body):
        match node:
            case ast.ClassDef() if _is_public(node.name):
                yield from _class(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if _is_public(node.name):
                yield f"#### `{_signature(node)}`\n\n{_text(ast.get_docstring(node))}\n"
            case ast.Assign(targets=[ast.Name(id=constant)]) if about and _is_public(constant):
                yield f"#### `{constant}`\n\n{_text(about)}\n"
            case ast.AnnAssign(target=ast.Name(id=constant)) if about and _is_public(constant):
                yield f"#### `{constant}: {ast.unparse(node.annotation)}`\n\n{_text(about)}\n"


def _class(node: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    yield f"#### `class {node.name}{f'({bases})' if bases else ''}`\n\n{_text(ast.get_docstring(node))}\n"
    members = [line for member, about in _with_text(node.body) if (line := _member(member, about))]
    if members:
        yield "\n".join(members) + "\n"


def _member(node: ast.stmt, about: str) -> str:
    """A line of the list below a class, or nothing."""
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if _is_public(name):
            if "ClassVar" in ast.unparse(annotation) and not about:
                return ""
            default = f" = {ast.unparse(value)}" if value is not None else ""
            return _item(f"{name}: {ast.unparse(annotation)}{default}", about)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_public(name):
            return _item(f"{name} = {ast.unparse(value)}", about)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if node.name == "__init__" and len(node.args.args) + len(node.args.kwonlyargs) > 1:
                return _item(_signature(node), ast.get_docstring(node) or "")
            if not _is_public(node.name):
                return ""
            if any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list):
                returned = ast.unparse(node.returns) if node.returns is not None else "object"
                return _item(f"{node.name}: {returned}", ast.get_docstring(node) or "")
            return _item(_signature(node), ast.get_docstring(node) or "")
    return ""


def _item(shape: str, about: str) -> str:
    return f"- `{shape}`{f': {_one_line(about)}' if about else ''}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """``async run(plan: Plan) -> Run``; without ``self``."""
    arguments = re.sub(r"^(self|cls)(, |$)", "", ast.unparse(node.args))
    returned = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    word = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    if node.name == "__init__":
        return f"({arguments})"
    return f"{word}{node.name}({arguments}){returned}"


def _with_text(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement with the string that stands below it."""
    for node, below in zip(body, [*body[1:], None], strict=True):
        match below:
            case ast.Expr(value=ast.Constant(value=str(about))):
                yield node, about
            case _:
                yield node, ""


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _text(docstring: str | None) -> str:
    """As Markdown: literals and references in single backticks."""
    text = re.sub(r":\w+:`~?([^`]+)`", lambda match: f"`{match[1].rpartition('.')[2]}`", docstring or "")
    return re.sub(r"``(.+?)``", r"`\1`", text)


def _one_line(docstring: str) -> str:
    return " ".join(_text(docstring).split())
