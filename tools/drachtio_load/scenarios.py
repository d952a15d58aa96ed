"""The SIPp scenarios of ``sipp/``: their names, and what each says of itself in its opening comment."""

from __future__ import annotations

from pathlib import Path
from xml.dom import Node, minidom
from xml.parsers.expat import ExpatError

from msgspec import Struct

from drachtio_conformance import data


class ScenarioError(ValueError):
    """There is no such scenario, or its file is not one; the text says what to do."""


class LoadScenario(Struct, frozen=True, kw_only=True):
    """One scenario file."""

    name: str
    """the file's name without ``.xml``"""
    path: Path
    about: str
    """the first line of its opening comment: what the caller does"""


def load_scenarios() -> list[LoadScenario]:
    """Every scenario of ``sipp/``, by name."""
    return [read_scenario(path) for path in sorted(data.folder("sipp").glob("*.xml"))]


def load_callees() -> list[LoadScenario]:
    """Every callee of ``sipp/callees/``, by name."""
    return [read_scenario(path) for path in sorted((data.folder("sipp") / "callees").glob("*.xml"))]


def find_callee(name: str) -> LoadScenario:
    """The callee of that name. Raises ScenarioError when there is none."""
    known = load_callees()
    for scenario in known:
        if scenario.name == name:
            return scenario
    raise ScenarioError(f"expected a callee of {', '.join(each.name for each in known)}; got {name!r}")


def find_scenario(name: str) -> LoadScenario:
    """The scenario called ``name``: one of ours, or a path to an XML file of the user's own.

    Raises ScenarioError when there is none.
    """
    path = Path(name)
    if path.suffix == ".xml":
        if not path.is_file():
            raise ScenarioError(f"expected the path of a SIPp scenario, and there is no file {name}")
        return read_scenario(path.resolve())
    known = load_scenarios()
    for scenario in known:
        if scenario.name == name:
            return scenario
    names = ", ".join(scenario.name for scenario in known)
    raise ScenarioError(f"expected a scenario of {names}, or the path of an .xml file; got {name!r}")


def read_scenario(path: Path) -> LoadScenario:
    """Reads the opening comment of one file; raises ScenarioError if it is not a SIPp scenario."""
    try:
        document = minidom.parse(str(path))
    except ExpatError as error:
        raise ScenarioError(f"{path}: not well-formed XML: {error}") from None
    root = document.documentElement
    if root is None or root.tagName != "scenario":
        raise ScenarioError(f"{path}: expected <scenario>, got <{root.tagName if root else ''}>")
    comments = (node.nodeValue or "" for node in document.childNodes if node.nodeType == Node.COMMENT_NODE)
    about = next((line for line in next(comments, "").splitlines() if line.strip()), "")
    return LoadScenario(name=path.stem, path=path, about=about.strip())
