"""The vectors hold for a codec in another language that is made of docs/protocol.json alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("check.mjs")


def check(vectors: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", PROGRAM, ROOT / "docs" / "protocol.json", vectors],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_all_vectors_hold() -> None:
    done = check(ROOT / "vectors")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" vectors, 0 do not hold\n")


def test_a_wrong_vector_is_named(tmp_path: Path) -> None:
    for file in (ROOT / "vectors").glob("*.json"):
        vectors = json.loads(file.read_text("utf-8"))
        if file.stem == "to-server":
            vectors[0]["decoded"]["tokens"]["secret"] = "another"
            vectors[1]["canonical"] = False
        if file.stem == "framing":
            vectors[0]["decoded"]["incomplete"] = True
        (tmp_path / file.name).write_text(json.dumps(vectors), "utf-8")
    done = check(tmp_path)
    assert done.returncode == 1
    named = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert named[:-1] == ["framing/one", "to-server/authenticate", "to-server/authenticate-tags"]
