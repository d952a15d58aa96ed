"""docs/guides/an-sdk-in-an-hour.md: the text beside this module, with code out of tested programs.

The line ``CODE NAME`` stands for the part of the reference client that is marked ``[NAME]``, and for the part of the
same name of the client in JavaScript; ``APP NAME`` for a part of the conformance app.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final

from protocol_book.suite import ROOT

TEXT: Final = Path(__file__).resolve().parent / "sdk_in_an_hour.md"
CLIENT: Final = ROOT / "conformance_apps" / "python" / "drachtio.py"
APP: Final = CLIENT.with_name("app.py")
JAVASCRIPT: Final = ROOT / "docs" / "guides" / "sdk" / "drachtio.mjs"
NOTICE: Final = (
    "<!-- made by python -m protocol_book from its sdk_in_an_hour.md, conformance_apps/python and sdk -->\n\n"
)


class NoSuchPart(ValueError):
    """The text asks for a part that a program does not mark."""


def page() -> str:
    """The page. Raises NoSuchPart."""
    client, app, javascript = (path.read_text("utf-8") for path in (CLIENT, APP, JAVASCRIPT))

    def code(match: re.Match[str]) -> str:
        if match[1] == "APP":
            return f"```python\n{part(app, match[2])}\n```"
        return (
            f"```python\n{part(client, match[2])}\n```\n\n"
            '<details markdown="1"><summary>The same in JavaScript</summary>\n\n'
            f"```js\n{part(javascript, match[2])}\n```\n\n</details>"
        )

    return NOTICE + re.sub(r"^(CODE|APP) (\w+)$", code, TEXT.read_text("utf-8"), flags=re.MULTILINE)


def part(program: str, name: str) -> str:
    """What stands behind a mark, up to the next mark. Raises NoSuchPart."""
    found = re.search(rf"^ *(?:#|//) \[{name}\]\n(.*?)^ *(?:#|//) \[", program, re.MULTILINE | re.DOTALL)
    if found is None:
        raise NoSuchPart(f"no part of the program is marked [{name}]")
    return textwrap.dedent(found[1]).strip("\n")
