"""Octets made readable, without losing one: what can be shown as text is, the rest is escaped.

Wire text is a ``str`` in which each character is one octet. Valid UTF-8 is shown as its characters; every
other octet outside printable ASCII as ``\\xNN`` (so is a backslash that could be mistaken for an escape).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPE_LOOKALIKE = re.compile(r"\\(?=x[0-9a-f]{2})")
_UTF8 = re.compile(
    "(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    "|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+"
)
_PIECE = re.compile(f"(?P<utf8>{_UTF8.pattern})|(?P<other>[^\x20-\x7e])")


def pieces(octets: str, keep: str = "") -> Iterator[tuple[str, bool]]:
    """``octets`` cut into (text, escaped) pieces; the control characters in ``keep`` count as text."""
    start = 0
    for match in _PIECE.finditer(octets):
        if match.lastgroup == "other" and match[0] in keep:
            continue
        shown, escaped = _shown(match)
        if not escaped and not shown.isprintable():
            shown, escaped = "".join(f"\\x{ord(octet):02x}" for octet in match[0]), True
        if match.start() > start:
            yield _ESCAPE_LOOKALIKE.sub(r"\\x5c", octets[start : match.start()]), False
        yield shown, escaped
        start = match.end()
    if start < len(octets):
        yield _ESCAPE_LOOKALIKE.sub(r"\\x5c", octets[start:]), False


def readable(octets: str, keep: str = "\n\t") -> str:
    """``octets`` as text for a terminal or a file; CR LF becomes one line end if ``keep`` holds LF but not CR."""
    if octets.isascii() and octets.isprintable() and "\\" not in octets:
        return octets  # nearly all
    if "\n" in keep and "\r" not in keep:
        octets = octets.replace("\r\n", "\n")
    return "".join(text for text, _ in pieces(octets, keep))


def one_line(octets: str, limit: int = 100) -> str:
    """``octets`` in one line of at most ``limit`` characters, line ends written as ``\\r\\n``."""
    if len(octets) <= limit and octets.isascii() and octets.isprintable() and "\\" not in octets:
        return octets
    text = "".join(
        {"\\x0d": "\\r", "\\x0a": "\\n", "\\x09": "\\t"}.get(text, text)
        for text, _ in pieces(octets[: limit + 1])
    )
    return text if len(text) <= limit and len(octets) <= limit else text[: limit - 1] + "…"


def _shown(match: re.Match[str]) -> tuple[str, bool]:
    if match.lastgroup == "utf8":
        return match[0].encode("latin-1").decode("utf-8"), False
    return f"\\x{ord(match[0]):02x}" if ord(match[0]) < 256 else match[0], ord(match[0]) < 256
