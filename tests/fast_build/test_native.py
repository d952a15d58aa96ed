"""Structs written out as plain classes: the same constructor, fields, equality and methods; what does not fit stays."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from importlib import import_module
from types import ModuleType

import pytest
from msgspec import Struct

from fast_build import __main__ as command
from fast_build.build import hot_modules
from fast_build.native import STRUCTS, redirect_structs, write_out

SOURCE = '''
from __future__ import annotations

from msgspec import Struct

from standing_in import force_setattr


class Place(Struct, frozen=True):
    """Where."""

    host: str
    """a name"""
    port: int = 5060
    names: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As text."""
        return f"{self.host}:{self.port}"


NOWHERE = Place("nowhere")


class Settings(Struct, frozen=True, kw_only=True):
    place: Place = NOWHERE
    loud: bool = False


class Message(Struct, eq=False):
    text: str

    def get(self) -> str:
        return self.text


class Answer(Message, eq=False):
    status: int


class Handle(Struct):
    callback: object = None


class Shouted(Struct, frozen=True):
    text: str
    loud: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "loud", self.text.upper())


class Marker(Struct, frozen=True, gc=False):
    """Nothing in it."""
'''


def executed(tree: ast.Module) -> ModuleType:
    """``tree`` as a module."""
    module = ModuleType("rewritten")
    exec(compile(ast.fix_missing_locations(tree), "rewritten", "exec"), module.__dict__)
    return module


@pytest.fixture
def module(structs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """SOURCE, written out. The decorator that only mypyc knows is left out, as mypyc does."""
    monkeypatch.setitem(sys.modules, "standing_in", structs)
    tree = ast.parse(SOURCE)
    write_out([tree])
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            node.decorator_list = []
    return executed(tree)


@pytest.fixture
def structs() -> ModuleType:
    """The module that stands in for msgspec.structs."""
    return executed(ast.parse(STRUCTS))


def test_they_are_no_structs_any_more(module: ModuleType) -> None:
    classes = [one for one in vars(module).values() if isinstance(one, type) and one is not Struct]
    assert len(classes) == 7
    assert not any(issubclass(one, Struct) for one in classes)


def test_the_constructor_takes_what_the_struct_takes(module: ModuleType) -> None:
    place = module.Place("a", 1)
    assert (place.host, place.port, place.names, place.shown) == ("a", 1, (), "a:1")
    assert module.Place(port=2, host="b").shown == "b:2"
    assert module.Settings(loud=True).place.host == "nowhere"
    with pytest.raises(TypeError, match="positional"):
        module.Settings(place)
    with pytest.raises(TypeError, match="host"):
        module.Place()


def test_equal_are_those_of_one_class_with_equal_fields(module: ModuleType) -> None:
    place = module.Place("a", 1)
    assert place == module.Place("a", 1)
    assert hash(place) == hash(module.Place("a", 1))
    assert place != module.Place("a", 2)
    assert place != module.Settings(place=place)
    assert module.Marker() == module.Marker()


def test_eq_false_compares_by_identity(module: ModuleType) -> None:
    message = module.Message("a")
    assert message == message
    assert message != module.Message("a")
    assert len({message, module.Message("a")}) == 2


def test_what_can_change_has_no_hash(module: ModuleType) -> None:
    assert module.Handle(1) == module.Handle(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(module.Handle())


def test_heirs_have_the_fields_of_their_base_first(module: ModuleType) -> None:
    answer = module.Answer("text", 200)
    assert isinstance(answer, module.Message)
    assert (answer.get(), answer.status) == ("text", 200)


def test_what_follows_the_fields_follows_them(module: ModuleType) -> None:
    assert module.Shouted("a").loud == "A"


def test_fields_match_by_their_place(module: ModuleType) -> None:
    match module.Place("a", 1):
        case module.Place(host, port):
            assert (host, port) == ("a", 1)
        case _:
            pytest.fail("no match")


def test_only_what_leads_nowhere_is_hidden_from_the_collector() -> None:
    tree = ast.parse(SOURCE)
    write_out([tree])
    hidden = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.decorator_list}
    assert hidden == {"Place", "Settings", "Message", "Answer", "Marker", "Shouted"}


@pytest.mark.parametrize(
    "source",
    [
        "class A(Struct):\n    items: list[int] = field(default_factory=list)",
        "class A(Struct):\n    items: list[int] = []",
        "class A(Struct, tag='a'):\n    text: str",
        "class A(Struct):\n    count: ClassVar[int] = 0",
        "class A(Struct):\n    text: str\n    def __init__(self): ...",
        "class A(Struct):\n    other = 1",
        "class A(Struct, **options):\n    text: str",
        "@final\nclass A(Struct):\n    text: str",
        "class A(Struct, Generic[T]):\n    text: str",
        "class A(Stranger):\n    text: str",
    ],
)
def test_what_is_more_than_fields_and_methods_stays(source: str) -> None:
    tree = ast.parse(f"{source}\nclass Heir(A):\n    number: int\n")
    before = ast.unparse(tree)
    assert write_out([tree]) == frozenset()
    assert ast.unparse(tree) == before


def test_bases_are_found_in_other_modules() -> None:
    heir = ast.parse("class C(B):\n    number: int")
    assert write_out([heir, ast.parse("class B(Struct):\n    text: str")]) == {"B", "C"}
    assert "super().__init__(text)" in ast.unparse(heir)


def test_heirs_of_what_does_more_than_set_its_fields_stay() -> None:
    tree = ast.parse("class A(Struct):\n    def __post_init__(self): ...\nclass B(A):\n    text: str")
    assert write_out([tree]) == {"A"}


def test_asdict_and_replace_know_both_kinds(module: ModuleType, structs: ModuleType) -> None:
    class Real(Struct):
        text: str
        number: int = 1

    assert structs.asdict(Real("a")) == {"text": "a", "number": 1}
    assert structs.replace(Real("a"), text="b") == Real("b")
    assert [field.name for field in structs.fields(Real)] == ["text", "number"]
    assert structs.asdict(module.Place("a")) == {"host": "a", "port": 5060, "names": ()}
    changed = structs.replace(module.Settings(), loud=True)
    assert (changed.loud, changed.place) == (True, module.Place("nowhere"))


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("from msgspec import structs", "from package import own as structs"),
        ("from msgspec import structs as s", "from package import own as s"),
        ("from msgspec.structs import replace", "from package.own import replace"),
        ("from msgspec import Struct", "from msgspec import Struct"),
        ("def f():\n    from msgspec import structs", "def f():\n    from package import own as structs"),
    ],
)
def test_every_module_takes_them_from_there(source: str, becomes: str) -> None:
    tree = ast.parse(source)
    assert redirect_structs(tree, "package", "own") == (source != becomes)
    assert ast.unparse(tree) == textwrap.dedent(becomes)


def test_every_struct_of_the_compiled_modules_is_written_out() -> None:
    trees = [ast.parse(path.read_text()) for path in hot_modules(command.ROOT)]
    write_out(trees)
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    slow = [node.name for node in classes if "Struct" in map(ast.unparse, node.bases)]
    assert slow == [], "to compiled code their fields are look-ups by name: see tools/fast_build/native.py"


def test_no_class_of_the_server_changes_its_constructor() -> None:
    trees = {path: ast.parse(path.read_text()) for path in hot_modules(command.ROOT)}
    names = write_out(trees.values())
    seen = set()
    for path, tree in trees.items():
        module = import_module(".".join(path.relative_to(command.ROOT).with_suffix("").parts))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in names:
                init = next(
                    one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"
                )
                parameters = inspect.signature(getattr(module, node.name)).parameters.values()
                by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
                assert [one.arg for one in init.args.args] == ["self", *by_place], node.name
                by_name = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
                assert [one.arg for one in init.args.kwonlyargs] == by_name, node.name
                required = sum(one.default is one.empty for one in parameters)
                defaults = [*init.args.defaults, *filter(None, init.args.kw_defaults)]
                assert len(parameters) - len(defaults) == required, node.name
                seen.add(node.name)
    assert seen == names
    assert "Flow" in names
