"""Writes msgspec Structs out as plain classes: of those mypyc makes C structs, and C functions of their methods.

To compiled code a Struct is an object like any other, each field a look-up by name and each method interpreted; of a
plain class a field is one load. So a class that is nothing but fields, their defaults and methods is written out::

    class Flow(Struct, frozen=True):      class Flow:
        host: str                             host: str
        port: int = 0                         port: int
                                              __match_args__: Final = ("host", "port")

                                              def __init__(self, host: str, port: int = 0) -> None: …
                                              def __eq__(self, other: object) -> bool: …
                                              def __hash__(self) -> int: …

That nothing assigns to a ``frozen`` one, the type checker has seen to. A class with anything else (a field specifier, a
default that each instance needs for itself, a decorator) stays a Struct, as do its heirs. The functions of
msgspec.structs know only Structs, so every module of the tree takes them from :data:`STRUCTS`, where they know both.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from msgspec import Struct

from fast_build.imports import import_first

STRUCTS = '''\
"""What msgspec.structs does, for Structs and for those that the build has written out as plain classes."""

from typing import Any

from msgspec import Struct, structs
from msgspec.structs import FieldInfo, astuple, fields

__all__ = ["FieldInfo", "asdict", "astuple", "fields", "force_setattr", "replace"]


def asdict(value: Any) -> dict[str, Any]:
    """Its fields by name; a plain class must neither be an heir nor have one."""
    if isinstance(value, Struct):
        return structs.asdict(value)
    return {name: getattr(value, name) for name in value.__match_args__}


def replace(value: Any, **changes: Any) -> Any:
    """Another one with these fields changed."""
    return structs.replace(value, **changes) if isinstance(value, Struct) else type(value)(**asdict(value) | changes)


def force_setattr(value: Any, name: str, new: Any) -> None:
    """Set a field of what is frozen, which a plain class is not."""
    structs.force_setattr(value, name, new) if isinstance(value, Struct) else setattr(value, name, new)
'''
"""The module that stands in for ``msgspec.structs``."""

_NEEDED = """\
from typing import TYPE_CHECKING, Final as _Final
if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr as _mypyc_attr
"""  # the decorator is for mypyc alone, and never called
_KEYWORDS = {"frozen", "eq", "gc", "kw_only"}
_OWN_WAY = {"__init__", "__eq__", "__hash__"}
_LEADS_NOWHERE = frozenset(
    {"str", "int", "float", "bool", "bytes", "None", "list", "dict", "tuple", "frozenset"}
)


class _Field(Struct, frozen=True):
    name: str
    annotation: ast.expr
    default: ast.expr | None


class _Plan(Struct, frozen=True):
    """How one Struct is written out."""

    base: str
    """another such class, or empty"""
    inherited: tuple[_Field, ...]
    own: tuple[_Field, ...]
    kw_only: bool
    compares: bool
    frozen: bool
    has_post_init: bool
    acyclic: bool
    """nothing that its fields hold leads back to it, so the collector of cycles need not know of it"""


def write_out(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Write out what qualifies in ``trees``, which are changed; returns the names of those classes."""
    modules = list(trees)
    plans = _plans([node for tree in modules for node in tree.body if isinstance(node, ast.ClassDef)])
    bases = {plan.base for plan in plans.values()}
    for tree in modules:
        here = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in plans]
        for node in here:
            plan = plans[node.name]
            _rewrite(node, plan, alone=not plan.base and node.name not in bases)
        if here:
            import_first(tree, _NEEDED)
    return frozenset(plans)


def redirect_structs(tree: ast.Module, package: str, name: str) -> bool:
    """Let ``tree`` take what it uses of msgspec.structs from ``package.name``; False if it uses nothing."""
    changed = False
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="msgspec.structs"):
                node.module, changed = f"{package}.{name}", True
            case ast.ImportFrom(module="msgspec", names=[ast.alias(name="structs") as alias]):
                node.module, changed = package, True
                node.names = [ast.alias(name, alias.asname or "structs")]
    return changed


def _plans(classes: list[ast.ClassDef]) -> dict[str, _Plan]:
    """By name, bases before their heirs."""
    plans: dict[str, _Plan] = {}
    while True:
        before = len(plans)
        for node in classes:
            if node.name not in plans and (plan := _plan(node, plans)) is not None:
                plans[node.name] = plan
        if len(plans) == before:
            return plans


def _plan(node: ast.ClassDef, known: Mapping[str, _Plan]) -> _Plan | None:
    """How ``node`` is written out; None if it is not, or its base is not ``known`` yet."""
    match node.bases:
        case [ast.Name(id=base)] if base == "Struct" or base in known:
            former = known.get(base)
        case _:
            return None
    keywords = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
    if node.decorator_list or len(keywords) < len(node.keywords) or not keywords.keys() <= _KEYWORDS:
        return None
    if former is not None and (former.kw_only or "kw_only" in keywords or former.has_post_init):
        return None  # some fields would be keywords and others not; what follows the first fields would come twice
    own: list[_Field] = []
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=default):
                if "ClassVar" in ast.unparse(annotation) or not _may_be_shared(default):
                    return None
                own.append(_Field(name, annotation, default))
            case ast.Expr(value=ast.Constant()):  # a docstring
                pass
            case ast.FunctionDef(name=name) if name not in _OWN_WAY:
                pass
            case _:
                return None
    lead_nowhere = _LEADS_NOWHERE | {name for name, plan in known.items() if plan.acyclic}
    return _Plan(
        base=base if former else "",
        inherited=(*former.inherited, *former.own) if former else (),
        own=tuple(own),
        kw_only=keywords.get("kw_only") is True,
        compares=bool(keywords.get("eq", former.compares if former else True)),
        frozen=bool(keywords.get("frozen", former.frozen if former else False)),
        has_post_init=any(
            isinstance(one, ast.FunctionDef) and one.name == "__post_init__" for one in node.body
        ),
        acyclic=(former is None or former.acyclic)
        and (keywords.get("gc") is False or all(_names(one.annotation) <= lead_nowhere for one in own)),
    )


def _may_be_shared(default: ast.expr | None) -> bool:
    """Whether all instances may have this one default: a constant, a name, ``()``, what a class makes of nothing."""
    match default:
        case None | ast.Constant() | ast.Name() | ast.Attribute():
            return True
        case ast.Tuple(elts=elements):
            return all(map(_may_be_shared, elements))
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            return name == "frozenset" or name[:1].isupper()
        case _:
            return False


def _names(annotation: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)}


def _rewrite(node: ast.ClassDef, plan: _Plan, *, alone: bool) -> None:
    """``alone``: it is no heir and has none. (An heir's ``__match_args__`` would be others; mypy allows none.)"""
    names = [field.name for field in (*plan.inherited, *plan.own)]
    written = [f"{one.name}: {ast.unparse(one.annotation)}" for one in plan.own]
    if alone:
        written.append(f"__match_args__: _Final = {tuple(names)!r}")
    written.append(_init(plan))
    if plan.compares:
        same = "".join(f" and self.{name} == other.{name}" for name in names)
        written.append(
            "def __eq__(self, other: object) -> bool:\n"
            f"    return isinstance(other, {node.name}) and type(self) is type(other){same}"
        )
    if plan.compares and plan.frozen:
        values = "".join(f"self.{name}, " for name in names)
        written.append(f"def __hash__(self) -> int:\n    return hash(({values}))")
    methods = [statement for statement in node.body if isinstance(statement, ast.FunctionDef)]
    node.bases = [ast.Name(plan.base, ast.Load())] if plan.base else []
    node.keywords = []
    node.decorator_list = [ast.parse("_mypyc_attr(acyclic=True)", mode="eval").body] if plan.acyclic else []
    node.body = [*ast.parse("\n".join(written)).body, *methods]


def _init(plan: _Plan) -> str:
    parameters = ["self", *(["*"] if plan.kw_only else [])]
    for one in (*plan.inherited, *plan.own):
        default = "" if one.default is None else f" = {ast.unparse(one.default)}"
        parameters.append(f"{one.name}: {ast.unparse(one.annotation)}{default}")
    lines = [f"def __init__({', '.join(parameters)}) -> None:"]
    if plan.base:
        lines.append(f"super().__init__({', '.join(one.name for one in plan.inherited)})")
    lines += [f"self.{one.name} = {one.name}" for one in plan.own]
    if plan.has_post_init:
        lines.append("self.__post_init__()")
    return "\n    ".join(lines if len(lines) > 1 else [*lines, "pass"])
