"""What a peer sent, as it may stand on a terminal, in a log or a page: what steers one is written out."""

from __future__ import annotations

import re

from markupsafe import Markup

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """``text`` with control characters as ``\\x1b``; its lines stay, whether they end in LF or CRLF."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))


def visible_on_one_line(text: str) -> str:
    """The same where a line end would begin something else; it is written as ``\\n``."""
    return visible(text).replace("\n", "\\n")


def in_a_page(value: object) -> object:
    """What Jinja2 makes of an expression's value: text becomes visible, markup stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
