"""The house keeps its order: few parameters, nobody changes what another file owns, a test for each module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("reference_server", "tools") for path in (ROOT / folder).rglob("*.py"))
CORE = sorted((ROOT / "reference_server" / "core").rglob("*.py"))
MOST_POSITIONAL = 5

COVERED_BY = "# Tested by "
"""A module without a test file of its own says so, in its last line, by this and the file's name."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters may be given by position, the object itself not counted."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


DICTATED = {"make_socket"}
"""A library calls it by position (dnspython)."""


def too_many(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name in DICTATED:
            continue
        if positional(node) > MOST_POSITIONAL:
            yield f"{node.name} takes {positional(node)}"


def test_no_function_takes_more_than_five_by_position() -> None:
    found = {named(path): list(too_many(ast.parse(path.read_text("utf-8")))) for path in SOURCES}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_six_are_seen() -> None:
    assert list(
        too_many(ast.parse("class A:\n def f(self, a, b, c, d, e): ...\n def g(self, a, b, c, d, e, f): ..."))
    ) == ["g takes 6"]


def own_attributes(tree: ast.Module) -> set[str]:
    """What the classes of a file have: declared, in ``__slots__``, or assigned to ``self``."""
    own: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                own.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                own.add(name)
    return own


def foreign_assignments(tree: ast.Module) -> Iterator[str]:
    own = own_attributes(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self")):
                pass
            case ast.Attribute(attr=name, ctx=ast.Store()) if name not in own:
                yield f"line {node.lineno}: {ast.unparse(node)} is assigned to"


def test_what_an_object_holds_changes_in_its_owners_file() -> None:
    found = {named(path): list(foreign_assignments(ast.parse(path.read_text("utf-8")))) for path in CORE}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_an_assignment_to_anothers_attribute_is_seen() -> None:
    text = (
        "class A:\n def __init__(self, other):\n  self.x = 1\n  other.x = 2\n  other.y += 3\n  self.z.w = 4"
    )
    assert list(foreign_assignments(ast.parse(text))) == [
        "line 5: other.y is assigned to",
        "line 6: self.z.w is assigned to",
    ]


def covering(path: Path) -> Path:
    """The test file of a module: of its name, in the folder of its place, or the one that it names."""
    relative = path.relative_to(ROOT)
    package, *folders = relative.parent.parts
    if package == "tools":
        package, *folders = folders or [""]
        folders = [TEST_FOLDERS.get(package, package), *folders]
    last = path.read_text("utf-8").rstrip().rpartition("\n")[2]
    if last.startswith(COVERED_BY):
        return ROOT / last.removeprefix(COVERED_BY).rstrip(".")
    return ROOT.joinpath("tests", *folders, f"test_{path.stem}.py")


TEST_FOLDERS = {"drachtio_conformance": "conformance", "drachtio_load": "load"}
ROOMS_WITH_TESTS = ["reference_server", "tools/api_page", "tools/fast_build", "tools/machine_diagrams"]
MODULES = [
    path
    for path in SOURCES
    if path.name not in ("__init__.py", "__main__.py")
    and any(path.is_relative_to(ROOT / room) for room in ROOMS_WITH_TESTS)
]


def test_every_module_has_a_test_file() -> None:
    assert [str(covering(path).relative_to(ROOT)) for path in MODULES if not covering(path).is_file()] == []


def class_names(package: str) -> dict[str, list[str]]:
    """Public classes at the top of modules, and where each name stands."""
    found: dict[str, list[str]] = {}
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(named(path))
    return found


def test_no_two_classes_have_one_name() -> None:
    assert {name: files for name, files in class_names("reference_server").items() if len(files) > 1} == {}
