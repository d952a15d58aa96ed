"""Files of known failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.engine import baseline
from drachtio_conformance.engine.baseline import BaselineError, Entry
from drachtio_conformance.engine.results import Verdict
from tests.conformance.sample_run import case


def write(tmp_path: Path, text: str) -> Path:
    """A file."""
    path = tmp_path / "known.yaml"
    path.write_text(text, "utf-8")
    return path


def test_entries_have_reasons_and_places(tmp_path: Path) -> None:
    path = write(tmp_path, "# why\nknown_failing:\n  ping/a: not yet, issue 12\n  ping/b: 'NO'\n")
    assert baseline.load(path) == [
        Entry("ping/a", "not yet, issue 12", f"{path}:3"),
        Entry("ping/b", "NO", f"{path}:4"),
    ]


@pytest.mark.parametrize("text", ["", "known_failing:\n", "# nothing\n"])
def test_an_empty_baseline_has_no_entries(tmp_path: Path, text: str) -> None:
    assert baseline.load(write(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- ping/a\n", ":1: expected one key, 'known_failing'"),
        ("known: {}\n", ":1: expected one key, 'known_failing'"),
        ("known_failing: [ping/a]\n", ":1: expected a mapping of case names to reasons"),
        ("known_failing:\n  ping/a:\n", ":2: expected a reason for ping/a"),
        ("known_failing:\n  ping/a: x\n  ping/a: y\n", ":2: ping/a is listed twice"),
        ("known_failing:\n  a: [\n", ":3: not YAML"),
    ],
)
def test_a_wrong_baseline_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        baseline.load(write(tmp_path, text))


def test_a_baseline_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="No such file or directory"):
        baseline.load(tmp_path / "none.yaml")


def test_stale_entries_fail() -> None:
    entries = [
        Entry(name, "known", f"known.yaml:{line}")
        for line, name in enumerate(("a/fine", "a/gone", "a/other"))
    ]
    results = [
        case("a/fine", Verdict.KNOWN_FAILING),
        case("a/other", Verdict.NOT_APPLICABLE, reason="no ipv6"),
    ]
    gone, other = baseline.stale(entries, results, ["a/fine", "a/gon", "a/other", "a/not-selected"])
    assert (gone.name, gone.verdict, gone.source) == ("baseline/a/gone", Verdict.FAIL, "known.yaml:1")
    assert gone.reason.startswith("no case is called 'a/gone' (did you mean a/gon,")
    assert other.reason == "a/other does not apply to this peer (no ipv6): remove the entry"


def test_an_entry_whose_case_was_not_selected_is_not_judged() -> None:
    assert baseline.stale([Entry("a/b", "known", "known.yaml:2")], [], ["a/b"]) == []
