"""What is generated is what its sources make: tables at once, the guides by running their calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol_book import files, suite
from protocol_book.__main__ import main

SPECIFICATION = suite.load()


def test_what_is_made_of_tables_is_up_to_date() -> None:
    quick = files.quick_files(SPECIFICATION)
    assert [path for path, text in quick.items() if path.read_text("utf-8") != text] == []


def test_everything_is_up_to_date_and_the_calls_of_the_guides_go_as_they_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out == "all files are up to date\n"


def test_a_stale_file_is_named_and_written_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guides = tmp_path / "docs" / "guides"
    (guides / "frames").mkdir(parents=True)
    (guides / "frames" / "left.md").write_text("nothing makes this", "utf-8")
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    monkeypatch.setattr(files, "GUIDES", guides)
    monkeypatch.setattr(files, "all_files", lambda: {guides / "timers.md": "new\n"})
    assert main(["--check"]) == 1
    shown = capsys.readouterr().err
    assert "docs/guides/timers.md is stale" in shown
    assert "docs/guides/frames/left.md is stale" in shown
    assert main([]) == 0
    assert (guides / "timers.md").read_text("utf-8") == "new\n"
    assert not (guides / "frames" / "left.md").exists()
