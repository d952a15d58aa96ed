"""docs/guides/an-sdk-in-an-hour.md: the text beside this module, with the code of each step out of tested programs."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final

from protocol_book.suite import ROOT

TEXT: Final = Path(__file__).resolve().parent / "sdk_in_an_hour.md"
PROGRAMS: Final = ROOT / "docs" / "guides" / "sdk"
NOTICE: Final = "<!-- made by python -m protocol_book from its sdk_in_an_hour.md and docs/guides/sdk -->\n\n"


class NoSuchStep(ValueError):
    """The text asks for a step that a program does not mark."""


def page() -> str:
    """The page. Raises NoSuchStep."""
    python, node = (
        (PROGRAMS / "drachtio.py").read_text("utf-8"),
        (PROGRAMS / "drachtio.mjs").read_text("utf-8"),
    )

    def code(match: re.Match[str]) -> str:
        return (
            f"```python\n{step(python, match[1])}\n```\n\n"
            '<details markdown="1"><summary>The same in JavaScript</summary>\n\n'
            f"```js\n{step(node, match[1])}\n```\n\n</details>"
        )

    return NOTICE + re.sub(r"^CODE (\d)$", code, TEXT.read_text("utf-8"), flags=re.MULTILINE)


def step(program: str, number: str) -> str:
    """What stands behind the mark of a step, up to the next mark. Raises NoSuchStep."""
    found = re.search(
        rf"^ *(?:#|//) \[step {number}\]\n(.*?)^ *(?:#|//) \[", program, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise NoSuchStep(f"no part of the program is marked [step {number}]")
    return textwrap.dedent(found[1]).strip("\n")
