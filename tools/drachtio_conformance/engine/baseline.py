"""Known failures of a peer (``--baseline FILE``): they run, they are reported, and they do not fail the run.

The file maps case names to reasons::

    known_failing:
      route/matching/upper-case: the SDK lower-cases every verb, issue 12

A listed case that passes is an unexpected pass, which fails the run, so that the list never grows stale. An entry
that names no case, or a case that does not apply to this peer, fails the run, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from drachtio_conformance.cases import yaml_nodes
from drachtio_conformance.cases.selection import near
from drachtio_conformance.engine.results import CaseResult, Verdict


class BaselineError(ValueError):
    """The file cannot be used; the message begins with ``file:line:``."""


class Entry(Struct, frozen=True):
    """One known failure."""

    case: str
    reason: str
    source: str
    """``file:line``"""


def load(path: Path) -> list[Entry]:
    """The entries of a baseline file, in order. Raises BaselineError."""
    try:
        node = yaml_nodes.compose(path.read_text("utf-8"))
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BaselineError(f"{path}: not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BaselineError(f"{path}:{line}: not YAML: {error.problem}") from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode) or [key.value for key, _ in node.value] != ["known_failing"]:
        raise BaselineError(
            f"{path}:1: expected one key, 'known_failing', with a mapping of case names to reasons"
        )
    (_, listed), *_ = node.value
    if isinstance(listed, yaml.ScalarNode) and not listed.value:
        return []
    if not isinstance(listed, yaml.MappingNode):
        raise BaselineError(
            f"{path}:{listed.start_mark.line + 1}: expected a mapping of case names to reasons"
        )
    return [_entry(path, key, value, listed=listed) for key, value in listed.value]


def _entry(path: Path, key: yaml.Node, value: yaml.Node, *, listed: yaml.MappingNode) -> Entry:
    source = f"{path}:{key.start_mark.line + 1}"
    if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
        raise BaselineError(f"{source}: expected a reason for {key.value}, in one sentence")
    if sum(other.value == key.value for other, _ in listed.value) > 1:
        raise BaselineError(f"{source}: {key.value} is listed twice")
    return Entry(key.value, value.value.strip(), source)


def stale(
    entries: Sequence[Entry], results: Sequence[CaseResult], names: Collection[str]
) -> list[CaseResult]:
    """A failed result for each entry that names no case of the suite (``names``), or one that does not apply here.

    That a listed case passes is judged where it runs; one that was not selected for this run is not judged.
    """
    by_name = {result.name: result for result in results}
    return [problem for entry in entries if (problem := _stale(entry, by_name, names))]


def _stale(entry: Entry, results: dict[str, CaseResult], all_names: Collection[str]) -> CaseResult | None:
    if entry.case not in all_names:
        reason = f"no case is called '{entry.case}'{near(entry.case, all_names)}: correct or remove the entry"
    elif entry.case in results and results[entry.case].verdict is Verdict.NOT_APPLICABLE:
        reason = f"{entry.case} does not apply to this peer ({results[entry.case].reason}): remove the entry"
    else:
        return None
    return CaseResult(
        name=f"baseline/{entry.case}",
        title="An entry of the baseline is stale",
        clauses=[],
        verdict=Verdict.FAIL,
        reason=reason,
        source=entry.source,
    )
