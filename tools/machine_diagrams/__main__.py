"""``python -m machine_diagrams``: draws the machines of docs/architecture.md anew."""

from __future__ import annotations

from pathlib import Path

from machine_diagrams.diagrams import with_machines

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"

if __name__ == "__main__":
    DOCUMENT.write_text(with_machines(DOCUMENT.read_text("utf-8")), "utf-8")
