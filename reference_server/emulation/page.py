"""Makes docs/emulation.md: ``python -m reference_server.emulation.page > docs/emulation.md``, in a clone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from reference_server.emulation.table import EDGES, LEFT_OUT, rows_in_core

_DEVIATIONS: Final = Path("docs/deviations.md")
_HEAD: Final = """\
# The genuine server, emulated

`drachtio-reference-server --emulate 0.9` is drachtio-server 0.9.9 with the defects that [deviations.md](deviations.md)
lists, and `--emulate 0.9.5` is 0.9.5. It is for whoever has to know how an application fares with them and has no
genuine server at hand; the conformance suite proves by it that its profiles tell the truth:

```sh
drachtio-conformance server --emulate 0.9
```

runs the suite against it, by the profile of that release. **Its holes in security are open, too**: applications need no
secret, each can seize the calls of every other, anybody may relay. The log says so at the start. What the genuine
server never ends is never ended here either, so that memory grows. It is no server for a network that others reach.

A defect that was seen in one situation is reproduced in that situation; how far it reaches beyond, nobody has measured.

"""


def rows(text: str) -> dict[str, str]:
    """What the genuine server does, by row of deviations.md."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        cells = [cell.replace("\0", "\\|").strip() for cell in line.replace("\\|", "\0").split("|")]
        if len(cells) > 3 and cells[1].startswith("DEV-"):
            found[cells[1]] = cells[2]
    return found


def page(text: str) -> str:
    """The whole page; ``text`` is that of deviations.md."""
    known = rows(text)
    core = rows_in_core()
    lines = [_HEAD, "## Reproduced\n", "| row | they | where |", "|---|---|---|"]
    for row, they in known.items():
        places = []
        if row in EDGES:
            places.append(f"`emulation/{EDGES[row]}.py`")
        if row in core:
            places.append(f"`{core[row]}` of `core/defects.py`")
        if places:
            lines.append(f"| {row} | {they} | {', '.join(places)} |")
    lines += ["", "## Not reproduced\n", "| row | they | why not |", "|---|---|---|"]
    lines += [f"| {row} | {they} | {LEFT_OUT[row]} |" for row, they in known.items() if row in LEFT_OUT]
    return "\n".join(lines).replace("``", "`") + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(_DEVIATIONS.read_text("utf-8")))


# Tested by tests/emulation/test_table.py.
