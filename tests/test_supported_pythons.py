"""What the distribution says of Pythons is what ``make pythons`` tries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CLASSIFIER = "Programming Language :: Python :: "


def test_each_version_that_is_named_is_tried_and_the_other_way_round() -> None:
    tried = re.search(r"^supported=\((.*)\)$", (ROOT / ".ci" / "pythons").read_text("utf-8"), re.MULTILINE)
    assert tried is not None
    named = [
        text.removeprefix(CLASSIFIER)
        for text in PROJECT["project"]["classifiers"]
        if text.startswith(CLASSIFIER)
    ]
    assert named == tried[1].split()
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == named[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{named[0].replace('.', '')}"
