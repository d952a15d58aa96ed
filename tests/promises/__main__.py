"""``python -m tests.promises``: makes the tables of docs/reliability.md and docs/security.md anew."""

from __future__ import annotations

from tests.promises.figures import read_figures
from tests.promises.rows import DOCS, PAGES, with_table

if __name__ == "__main__":
    for page in PAGES:
        document = DOCS / f"{page}.md"
        made = with_table(page, document.read_text("utf-8"), read_figures())
        document.write_text(made, "utf-8")
