"""Reads case files. Every error says file:line, what was expected and what stands there.

YAML is read without types (``NO`` and ``16:06:41`` stay texts), positions come from its nodes (yaml_nodes.py), and
msgspec gives the types.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
import yaml
from msgspec import Struct, field

from drachtio_conformance.cases import yaml_nodes
from drachtio_conformance.cases.case import Case, ExpectUnder, Level, NoSuchStep, position
from drachtio_conformance.cases.vocabulary import STEP_TYPES
from drachtio_conformance.steps.step import Located, Step
from drachtio_conformance.targets.settings import ServerSettings

_T = TypeVar("_T")
Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"
"""YAML without types."""

_ROOTS = ("scenarios", "client_scenarios")
"""folders at which the names of cases begin"""


class LoadError(Exception):
    """A case file is wrong; the text begins with ``file:line:``."""


class Under(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of an ``expect_under`` entry."""

    reason: str
    steps: list[object] = field(default_factory=list)
    at: str = ""
    got: str = ""


class _Shared(Struct, kw_only=True):
    """Fields that a file may give for all its cases."""

    clauses: list[str] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)
    server: ServerSettings | None = None
    level: Level | None = None
    slow: bool | None = None


class _CaseFields(_Shared, kw_only=True, forbid_unknown_fields=True):
    id: str
    title: str
    steps: list[object]
    ends_open: bool = False
    expect_under: dict[str, str | Under] = field(default_factory=dict)
    danger: dict[str, str] = field(default_factory=dict)


class _FileFields(_Shared, kw_only=True, forbid_unknown_fields=True):
    title: str
    cases: list[object]
    before: list[object] = field(default_factory=list)


def load(paths: Iterable[Path], *, root: Path | None = None) -> list[Case]:
    """All cases of the given files and folders, sorted by file.

    A case's name begins with its file's path below ``root`` (default: the folder that was given, or the folder
    called ``scenarios`` above a file). Raises :class:`LoadError`.
    """
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise LoadError(f"{path}:1: expected a case file or a folder of case files, there is nothing")
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        with _no_search_for_garbage():
            loaded = [case for file in files for case in load_file(file, root=root or _root_of(path, file))]
        for case in loaded:
            if case.name in seen:
                raise LoadError(
                    f"{case.source}: expected a new id, {case.name} is already at {seen[case.name]}"
                )
            seen[case.name] = case.source
        cases += loaded
    return cases


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Nodes have no circles; to look for some again and again while they are made was a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _root_of(given: Path, file: Path) -> Path:
    for folder in file.resolve().parents:
        if folder.name in _ROOTS:
            return folder
    return given.resolve() if given.is_dir() else file.resolve().parent


def load_file(file: Path, *, root: Path) -> list[Case]:
    """The cases of one file, in order. Raises :class:`LoadError`."""
    resolved, root = file.resolve(), root.resolve()
    prefix = resolved.relative_to(root) if resolved.is_relative_to(root) else Path(file.name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{file}:1: cannot be read: {error}") from None
    return parse(text, name=prefix.with_suffix("").as_posix(), file=_shown(file, resolved))


def _shown(file: Path, resolved: Path) -> str:
    """The path as a user in the current folder would type it."""
    try:
        return resolved.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(file)


def parse(text: str, *, name: str, file: str) -> list[Case]:
    """The cases of a file's text; ``name`` is the first part of their names. Raises :class:`LoadError`."""
    node = compose(text, file)
    document = Reader(file)
    fields = document.typed(node, _FileFields)
    before = document.steps(member(node, "before"))
    return [
        document.case(case_node, name, fields, before=before)
        for case_node in document.items(member(node, "cases"), "a list of cases", node)
    ]


def compose(text: str, file: str) -> yaml.Node:
    """The nodes of a document, with their lines. Raises :class:`LoadError`."""
    try:
        node = yaml_nodes.compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise LoadError(f"{file}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise LoadError(f"{file}:1: not YAML: {error}") from None
    if node is None:
        raise LoadError(f"{file}:1: expected a mapping with title and cases, the file is empty")
    return node


class Reader:
    """Turns nodes of one file into typed values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._plain: dict[yaml.Node, Plain] = {}
        """what the lists and mappings are that were asked for: a file's hold its cases', and theirs hold the steps'"""

    def error(self, node: yaml.Node, text: str) -> LoadError:
        return LoadError(f"{self.source(node)}: {text}")

    def source(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}"

    def plain(self, node: yaml.Node) -> Plain:
        """The node's value; a key that stands twice is an error (YAML forbids it, PyYAML does not)."""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if node not in self._plain:
            self._plain[node] = self._made_plain(node)
        return self._plain[node]

    def _made_plain(self, node: yaml.Node) -> Plain:
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            values: dict[str, Plain] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise self.error(key, "expected a text as key")
                if key.value in values:
                    raise self.error(key, f"the key {key.value!r} stands twice")
                values[key.value] = self.plain(value)
            return values
        raise self.error(node, "expected a text, a list or a mapping")

    def typed(self, node: yaml.Node, kind: type[_T]) -> _T:
        return self.convert(self.plain(node), kind, node)

    def convert(self, value: Plain, kind: type[_T], node: yaml.Node) -> _T:
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `")
            where = path.rstrip("`").removeprefix("$").lstrip(".")
            raise self.error(
                _at(node, path.rstrip("`")), (f"{where}: " if where else "") + _polite(message)
            ) from None

    def items(self, node: yaml.Node | None, expected: str, parent: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node or parent, f"expected {expected}")
        return list(node.value)

    def case(self, node: yaml.Node, prefix: str, file: _FileFields, *, before: list[Located]) -> Case:
        fields = self.typed(node, _CaseFields)
        if not fields.id or not all(part.isalnum() for part in fields.id.split("-")):
            raise self.error(
                member(node, "id") or node, f"expected an id like 'wrong-secret', got {fields.id!r}"
            )
        steps = self.steps(member(node, "steps"))
        if not steps:
            raise self.error(node, "expected at least one step")
        clauses = fields.clauses or file.clauses
        if not clauses and not fields.ends_open:  # a recording shows what there was
            raise self.error(node, "expected clauses (the ids of docs/protocol.md that the case tests)")
        return Case(
            name=f"{prefix}/{fields.id}",
            title=fields.title,
            clauses=tuple(clauses),
            steps=(*before, *steps),
            source=self.source(node),
            requires=tuple(fields.requires or file.requires),
            server=fields.server if fields.server is not None else file.server,
            level=fields.level or file.level or Level.MUST,
            slow=fields.slow if fields.slow is not None else bool(file.slow),
            ends_open=fields.ends_open,
            expect_under=self.expect_under(node, fields, before, case=(*before, *steps)),
            danger=fields.danger,
        )

    def expect_under(
        self, node: yaml.Node, fields: _CaseFields, before: list[Located], *, case: tuple[Located, ...]
    ) -> dict[str, ExpectUnder]:
        found: dict[str, ExpectUnder] = {}
        for profile, value in fields.expect_under.items():
            if isinstance(value, str):
                found[profile] = ExpectUnder(reason=value)
                continue
            under = member(node, "expect_under")
            entry = member(under, profile) if under is not None else None
            steps = self.steps(member(entry, "steps")) if entry is not None else []
            found[profile] = expected = ExpectUnder(
                reason=value.reason, steps=(*before, *steps) if steps else (), at=value.at, got=value.got
            )
            if problem := misfit(expected, case):
                raise self.error(entry or node, problem)
        return found

    def steps(self, node: yaml.Node | None) -> list[Located]:
        if node is None:
            return []
        return [
            Located(self.step(item), self.source(item)) for item in self.items(node, "a list of steps", node)
        ]

    def step(self, node: yaml.Node) -> Step:
        """A bare word, or a mapping with one key."""
        if isinstance(node, yaml.ScalarNode):
            name, arguments = str(node.value), None
        elif isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            name, arguments = str(node.value[0][0].value), node.value[0][1]
        else:
            raise self.error(node, "expected a step: one word, or a mapping with one key, the step's name")
        if name not in STEP_TYPES:
            raise self.error(node, f"{name!r} is no step; there are {', '.join(STEP_TYPES)}")
        value = self.arguments(name, arguments)
        return self.convert(value, STEP_TYPES[name], arguments if arguments is not None else node)

    def arguments(self, name: str, node: yaml.Node | None) -> dict[str, Plain]:
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value and node.style is None):
            return {}
        plain = self.plain(node)
        if isinstance(plain, dict):
            return plain
        shorthand = STEP_TYPES[name].shorthand
        if not shorthand:
            raise self.error(node, f"{name} expects a mapping of its arguments")
        return {_encoded(STEP_TYPES[name], shorthand): plain}


def misfit(expected: ExpectUnder, steps: Sequence[Located]) -> str:
    """What is wrong with what a server is expected to do instead of ``steps``; empty if nothing is."""
    if bool(expected.at) != bool(expected.got) or (expected.at and expected.steps):
        return "expected reason with either steps, or at and got (the check that fails and what comes there)"
    try:
        if expected.at:
            position(steps, expected.at)
    except NoSuchStep as error:
        return str(error)
    return ""


@cache
def _encoded(kind: type[Step], attribute: str) -> str:
    """The name that an attribute has in YAML."""
    return next(item.encode_name for item in msgspec.structs.fields(kind) if item.name == attribute)


def member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key of a mapping, if there is one."""
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


_PATH = re.compile(r"\.([^.\[]+)|\[([0-9]+|\.\.\.)\]")


def _at(node: yaml.Node, path: str) -> yaml.Node:
    """The node at a path of msgspec (``$.headers[...]``), or the nearest one around it."""
    for name, index in _PATH.findall(path):
        if name:
            inner = member(node, name)
        elif isinstance(node, yaml.SequenceNode) and index.isdecimal() and int(index) < len(node.value):
            inner = node.value[int(index)]
        else:
            inner = None
        if inner is None:
            return node
        node = inner
    return node


def _polite(message: str) -> str:
    return message[:1].lower() + message[1:].replace("`", "'")
