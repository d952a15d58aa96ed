"""Cases written as recordings: where the files lie. ``test_recordings.py`` plays recordings again."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.replay.record import write
from tests.conformance.sample_run import case


@pytest.mark.parametrize("name", ["call/answered/one", "../../outside", "..", "a/../../b"])
def test_whatever_a_case_is_called_its_files_lie_in_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    log = write(case(name, Verdict.PASS, events=[]), folder)
    assert log.resolve().parent == folder.resolve()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 2
    assert {path.parent for path in written} == {folder}
