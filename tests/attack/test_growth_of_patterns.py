"""Every regular expression of the server takes time in proportion to the text, whatever that is.

The patterns are found in the sources, so none is left out. Each is applied as its module applies it (a search begins
anywhere, a match at the start) to texts of one unit over and over; the units are those of test_growth.py and the
pattern's own words, with blanks and separators between.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from tests.attack.test_growth import QUADRATIC, UNITS, grows_too_fast

PACKAGE = Path(__file__).parents[2] / "reference_server"
LOOKED_AT = 6_000
MOMENT = 0.02
"""Characters, and the seconds of processor time that a quadratic pattern takes for them at the least."""
_METHODS = frozenset({"match", "search", "fullmatch", "sub", "finditer", "findall", "split"})
_WORDS = re.compile(r"(?<!\\)[A-Za-z][A-Za-z0-9-]+|(?<=\\[nrt])[A-Za-z][A-Za-z0-9-]+")


class Applied(Struct, frozen=True):
    """A pattern, and the methods by which modules apply it."""

    pattern: re.Pattern[str]
    methods: frozenset[str]

    def readers(self) -> Iterator[Callable[[str], object]]:
        """Functions that apply it to a text."""
        for method in sorted(self.methods):
            if method == "sub":
                yield lambda text: self.pattern.sub("", text)
            elif method == "finditer":
                yield lambda text: list(self.pattern.finditer(text))
            else:
                yield getattr(self.pattern, method)


def inside(value: object) -> Iterator[re.Pattern[str]]:
    """The patterns of text in ``value``, which may be a table of them."""
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, tuple | list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from inside(one)


def assigned(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives at its outermost level, so without those that it imports."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def called(tree: ast.Module) -> dict[str, set[str]]:
    """By name, the methods of patterns that a module calls on it."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _METHODS:
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def patterns() -> dict[str, Applied]:
    """All of the server's modules, by ``file:NAME``, with a number if a table has several."""
    found: dict[str, Applied] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "re.compile(" not in text:
            continue
        where = path.relative_to(PACKAGE)
        module = importlib.import_module(".".join(("reference_server", *where.with_suffix("").parts)))
        tree = ast.parse(text)
        methods = called(tree)
        # Those of a table are called by names that are no constants.
        others = {method for name in methods if not name.isupper() for method in methods[name]} - {"split"}
        for name in assigned(tree):
            value = vars(module)[name]
            applied = methods.get(name, set()) if isinstance(value, re.Pattern) else others
            for number, pattern in enumerate(inside(value)):
                found[f"{where}:{name}{number or ''}"] = Applied(pattern, frozenset(applied or {"search"}))
    return found


PATTERNS = patterns()


def units_of(pattern: str) -> list[str]:
    """What may lead ``pattern`` on, again and again."""
    words = list(dict.fromkeys(_WORDS.findall(pattern)))[:4]
    behind = ("", ": ", ": a", '="', "; ")
    return [f"{before}{word}{after}" for word in words for before in ("", "\n") for after in behind]


def suspects(applied: Applied) -> Iterator[tuple[Callable[[str], object], str, str, str]]:
    """Readers, and a beginning, a unit and an end that take one of them long."""
    own = units_of(applied.pattern.pattern)
    tried = [("", unit) for unit in (*UNITS, *own)]
    tried += [(beginning, unit) for beginning in own for unit in (" ", ";", "a", '"', "\\", ",")]
    for read in applied.readers():
        for beginning, unit in tried:
            for end in ("\n", "x"):
                if takes_long(read, f"{beginning}{unit * (LOOKED_AT // len(unit))}{end}"):
                    yield read, beginning, unit, end


def why_not_linear(applied: Applied) -> str:
    """The first text by which it takes too long, or an empty one."""
    return next((why for one in suspects(applied) if (why := grows_too_fast(*one))), "")


def takes_long(read: Callable[[str], object], text: str) -> bool:
    """Whether a closer look is worth its time: a text of this length is read in a fraction of a millisecond."""
    began = time.process_time()
    read(text)
    return time.process_time() - began > MOMENT


@pytest.mark.parametrize("name", PATTERNS)
def test_time_grows_with_the_text_and_no_faster(name: str) -> None:
    assert why_not_linear(PATTERNS[name]) == ""


def test_all_patterns_of_the_sources_are_tried() -> None:
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    compiled = sum(text.count("re.compile(") for text in sources)
    of_octets = sum(len(re.findall(r"re\.compile\(\s*r?b", text)) for text in sources)
    assert len(PATTERNS) >= compiled - of_octets > 90


@pytest.mark.parametrize(
    "pattern",
    [
        QUADRATIC,
        re.compile(r"^(Route[ \t]*:[ \t]*)((?:[^\r\n]|\r\n[ \t])*\r\n)", re.MULTILINE | re.IGNORECASE),
    ],
)
def test_what_is_quadratic_is_suspected(pattern: re.Pattern[str]) -> None:
    assert next(suspects(Applied(pattern, frozenset({"search"}))))


def test_what_is_quadratic_is_found_out() -> None:
    assert why_not_linear(Applied(re.compile(r"[a-z]+:([^@]*)@"), frozenset({"findall"})))
