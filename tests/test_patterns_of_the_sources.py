"""Regular expressions that every supported Python understands alike.

CPython before 3.11.5 mismatches a possessive repetition of a group, ``(?:…)*+`` (gh-106052): the text that the last,
failed turn went through stays consumed. An atomic group, ``(?>(?:…)*)``, means the same and works everywhere; so does
a possessive repetition of one character.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    *sorted((ROOT / "reference_server").rglob("*.py")),
    *sorted((ROOT / "tools").rglob("*.py")),
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "features").rglob("*.py")),
]

_ANYTHING = "(?:…)"  # what stands where a pattern is put into another
_POSSESSIVE_GROUP = re.compile(
    r"""\\.                                          # an escaped character is no operator
    |   \[\^?\]?(?:\\.|[^\]\\])*\]                   # nor is one in a class
    |   (?P<found>\)(?:[*+?]|\{[0-9]*,?[0-9]*\})\+)  # a group's end, repeated, possessive
    """,
    re.VERBOSE | re.DOTALL,
)


def possessive_groups(pattern: str) -> list[str]:
    """The ends of the groups in ``pattern`` that are repeated possessively."""
    return [match["found"] for match in _POSSESSIVE_GROUP.finditer(pattern) if match["found"]]


def text_of(expression: ast.expr) -> str | None:
    """A string, octets, an f-string or a sum of those; a name in it counts as a group. None for all else."""
    match expression:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(octets)):
            return octets.decode("latin-1")
        case ast.JoinedStr(values=pieces):
            return "".join(text_of(piece) or _ANYTHING for piece in pieces)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = text_of(left), text_of(right)
            return None if texts == (None, None) else "".join(text or _ANYTHING for text in texts)
    return None


def strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Each outermost string below ``node``, with its line; patterns are among them, wherever they are compiled."""
    for child in ast.iter_child_nodes(node):
        text = text_of(child) if isinstance(child, ast.expr) else None
        if text is None:
            yield from strings(child)
        elif isinstance(child, ast.expr):
            yield child.lineno, text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r'r"a(?:b)"  "*+c"', [")*+"]),
        (r'rb"(?:b|c)++"', [")++"]),
        (r'r"(b)?+"', [")?+"]),
        (r'rf"(?:{x}){{0,200}}+"', ["){0,200}+"]),
        (r'rf"{x}*+"', [")*+"]),
        (r'NAME + r"++"', [")++"]),
        (r'r"(?:b)" + r"{3}+" + NAME', ["){3}+"]),
        (r'call(r"x", [r"(?:b)*+"])', [")*+"]),
        (r'r"(?>(?:b)*)[^;)*+]*+;\)*+[])*+]"', []),
        (r'rf"(?:{x}){{2}}[a-z]{{1,60}}+"', []),
        (r"r'\\(a)+' r'+'", [")++"]),
    ],
)
def test_a_possessive_group_is_found_however_it_is_written(source: str, expected: list[str]) -> None:
    found = [end for _, text in strings(ast.parse(source)) for end in possessive_groups(text)]
    assert found == expected


def test_no_pattern_repeats_a_group_possessively() -> None:
    assert len(SOURCES) > 300
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {end} is matched wrongly by CPython before 3.11.5; write (?>(?:…)*)"
        for path in SOURCES
        if path != here
        for line, text in strings(ast.parse(path.read_text(encoding="utf-8")))
        for end in possessive_groups(text)
    ]
    assert found == []
