"""The configuration file: XML below one ``<drachtio>`` element, read with positions.

As the genuine server does, the first of several elements of one name counts, except where many are meant. Unlike it,
the reader says what it leaves aside: names that it does not know, and repetitions. Entities are not declared and files
are small, so that a file cannot exhaust memory.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from reference_server.config.given import Given, Problem, error, nearest, warning, without_effect
from reference_server.config.setting import Effect, Setting
from reference_server.config.table import BY_PATH, CONTACT_URI, SINGLE_CONTACT

SIZE_LIMIT = 1024 * 1024
"""Octets; a thousand times what a real file has."""

_ROOT = "drachtio"
_MANY = frozenset(
    (
        "sip/contacts/contact",
        "request-handlers/request-handler",
        "sip/spammers/header",
        "sip/spammers/header/*",
    )
)
_TEXT_OPTIONAL = frozenset(("admin", "monitoring/prometheus"))
_ELEMENTS = frozenset(path.partition("@")[0] for path in BY_PATH)
_CONTAINERS = frozenset(
    "/".join(path.split("/")[:depth]) for path in _ELEMENTS for depth in range(1, path.count("/") + 1)
)
_KNOWN = _ELEMENTS | _CONTAINERS


def _most_effective(element: str) -> Setting[object]:
    """Of an element, its attributes and all that is in it, the first setting of the greatest effect."""
    inside = tuple(f"{element}{mark}" for mark in "/@")
    settings = [setting for path, setting in BY_PATH.items() if path == element or path.startswith(inside)]
    return min(settings, key=lambda setting: list(Effect).index(setting.effect))


_EFFECTS = {element: _most_effective(element) for element in _KNOWN}


@dataclass(slots=True)
class Document:
    """What one file gives, in its order, and what is wrong with it."""

    name: str
    given: list[Given] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Element:
    path: str
    line: int
    number: int
    setting: Setting[object] | None
    announced: bool
    """it has been said that it, or an element around it, has no effect"""
    text: list[str] = field(default_factory=list)
    named: bool = False
    """it has the attribute ``name``"""
    seen: set[str] = field(default_factory=set)
    """names of children that have occurred"""


class _Unacceptable(Exception):
    """The reading ends here; the problem has been noted."""


def read_document(path: Path) -> Document:
    """Read a file. It never raises: what is wrong stands in ``problems``."""
    document = Document(name=str(path))
    try:
        if not path.is_file() and path.exists():
            document.problems.append(error(document.name, "expected a configuration file, this is no file"))
            return document
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as reason:
        text = f"cannot read the configuration file: {os.strerror(reason.errno or 0)}"
        document.problems.append(error(document.name, text))
        return document
    except ValueError:
        document.problems.append(error(ascii(document.name), "expected the path of a file"))
        return document
    if len(content) > SIZE_LIMIT:
        text = f"expected a configuration file of at most {SIZE_LIMIT} bytes, this one is larger"
        document.problems.append(error(document.name, text))
        return document
    _Reader(document).read(content)
    return document


class _Reader:
    """The handlers of one parse."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: list[_Element] = []
        self._skipped = 0  # depth inside an element that is left aside
        self._count = 0
        self._settings: set[str] = set()
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        self._parser = parser

    def read(self, content: bytes) -> None:
        mended, lines = _without_dashes(content)
        for line in lines:
            self._warn(
                line, "comment", "'--' stands inside a comment, which XML does not allow; read all the same"
            )
        try:
            self._parser.Parse(mended, True)
        except _Unacceptable:
            return
        except expat.ExpatError as reason:
            self._not_xml(content, reason)
            return
        except (LookupError, ValueError) as reason:
            self._error(1, f"expected UTF-8 or another encoding that the XML declaration names: {reason}")
            return
        if "admin" not in self._settings:
            self._error(
                None, "expected an <admin> element, which says where applications connect; found none"
            )
        if SINGLE_CONTACT.path in self._settings and CONTACT_URI.path in self._settings:
            text = "<contacts> is ignored, because the old form <sip><contact> is present, too"
            self._document.problems.append(warning(self._document.name, text))

    # What expat calls.

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if self._skipped:
            self._skipped += 1
            return
        if not self._open:
            if name != _ROOT:
                self._error(line, f"expected <{_ROOT}> as the outermost element, got <{name}>")
                raise _Unacceptable
            self._push("", line, None, attributes)
            return
        parent = self._open[-1]
        path = f"{parent.path}/{name}" if parent.path else name
        if f"{parent.path}/*" in _ELEMENTS:
            path = f"{parent.path}/*"
        if path not in _KNOWN:
            self._unknown_element(path, line)
            self._skipped = 1
        elif path in parent.seen and path not in _MANY:
            self._warn(line, f"<{name}>", "occurs again and is ignored, the first one counts")
            self._skipped = 1
        else:
            parent.seen.add(path)
            self._settings.add(path)
            self._push(path, line, BY_PATH.get(path), attributes)

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        element = self._open.pop()
        text = "".join(element.text)
        if element.setting is not None:
            if text.strip() or element.path not in _TEXT_OPTIONAL:
                self._give(element.setting, text, element.line, f"<{name}>", element)
        elif element.path == "sip/spammers/header" and not element.named:
            self._error(
                element.line,
                '<header>: expected the attribute name in it, such as name="User-Agent"; found none',
            )
        elif element.path == "logging/file" and "logging/file/name" not in element.seen:
            self._error(element.line, "<file>: expected a <name> in it, found none")
        elif text.strip():
            self._warn(element.line, f"<{name}>", "expected elements only, its text is ignored")

    def _characters(self, text: str) -> None:
        if not self._skipped and self._open:
            self._open[-1].text.append(text)

    def _entity(self, name: str, *_: object) -> None:
        self._error(
            self._parser.CurrentLineNumber, f"expected no declarations of entities, got one of {name!r}"
        )
        raise _Unacceptable

    # What they have in common.

    def _push(
        self, path: str, line: int, setting: Setting[object] | None, attributes: dict[str, str]
    ) -> None:
        self._count += 1
        tag = path.rpartition("/")[2] or _ROOT
        announced = bool(self._open) and self._open[-1].announced
        inside = _EFFECTS.get(path)
        if inside is not None and inside.effect is not Effect.NOW and not announced:
            place = f"{self._document.name}:{line}: <{tag}>"
            self._document.problems.append(without_effect(place, inside.effect, inside.without))
            announced = True
        element = _Element(path, line, self._count, setting, announced, named="name" in attributes)
        self._open.append(element)
        for name, text in attributes.items():
            known = BY_PATH.get(f"{path}@{name}")
            if known is not None:
                self._give(known, text, line, f"<{tag} {name}>", element)
                continue
            siblings = [key.partition("@")[2] for key in BY_PATH if key.startswith(f"{path}@")]
            hint = nearest(name, siblings) or self._elsewhere(name)
            self._warn(line, f"<{tag} {name}>", f"unknown attribute, ignored{hint}")

    def _unknown_element(self, path: str, line: int) -> None:
        parent, _, name = path.rpartition("/")
        siblings = [key.rpartition("/")[2] for key in _KNOWN if key.rpartition("/")[0] == parent]
        hint = nearest(name, siblings, "<{}>") or self._elsewhere(name)
        self._warn(line, f"<{name}>", f"unknown element, ignored{hint}")

    def _elsewhere(self, name: str) -> str:
        """A hint if ``name`` is known at another place of the file."""
        for key in sorted(_KNOWN | BY_PATH.keys()):
            if key.replace("@", "/").rpartition("/")[2] == name:
                return f", did you mean {key}?"
        return nearest(name, [key.replace("@", "/").rpartition("/")[2] for key in BY_PATH], cutoff=0.75)

    def _give(self, setting: Setting[object], text: str, line: int, tag: str, element: _Element) -> None:
        place = f"{self._document.name}:{line}: {tag}"
        self._document.given.append(Given(setting, text, place, element.number, element.announced))

    def _warn(self, line: int, tag: str, text: str) -> None:
        self._document.problems.append(warning(f"{self._document.name}:{line}: {tag}", text))

    def _error(self, line: int | None, text: str) -> None:
        place = self._document.name if line is None else f"{self._document.name}:{line}"
        self._document.problems.append(error(place, text))

    def _not_xml(self, content: bytes, reason: expat.ExpatError) -> None:
        if not content.strip():
            self._error(None, f"expected XML with <{_ROOT}> as the outermost element, the file is empty")
            return
        text = f"expected well-formed XML: {expat.errors.messages[reason.code]} at column {reason.offset + 1}"
        line = content.splitlines()[reason.lineno - 1 : reason.lineno]
        if line and b"&" in line[0] and reason.code == _INVALID_TOKEN:
            text += " (write a '&' as &amp;)"
        if line and b"<spammers" in line[0] and reason.code == _DUPLICATE_ATTRIBUTE:
            text += ' (write <spammers action="reject" tcp-action="discard">: the second is for connections)'
        self._error(reason.lineno, text)


_DUPLICATE_ATTRIBUTE: int = expat.errors.codes[expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE]
_INVALID_TOKEN: int = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]

_SPAN = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--(?P<comment>.*?)-->", re.DOTALL)
"""What is a comment and what only looks like one."""


def _without_dashes(content: bytes) -> tuple[bytes, list[int]]:
    """The content with blanks for ``--`` inside comments, which real files have, and the lines where that was."""
    lines: list[int] = []

    def mend(span: re.Match[bytes]) -> bytes:
        comment = span["comment"]
        if comment is None or (b"--" not in comment and not comment.endswith(b"-")):
            return span[0]
        within = comment.find(b"--") if b"--" in comment else len(comment) - 1
        lines.append(content.count(b"\n", 0, span.start("comment") + within) + 1)
        return b"<!--" + comment.replace(b"-", b" ") + b"-->"

    return (_SPAN.sub(mend, content), lines) if b"--" in content else (content, lines)
