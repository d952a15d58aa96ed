"""From text in which each character is one octet to octets, and which of it is readable."""

from __future__ import annotations

import codecs


def _as_utf8(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end].encode("utf-8", "replace"), error.end


_ERRORS = "reference_server.octets"
codecs.register_error(_ERRORS, _as_utf8)


def to_octets(text: str) -> bytes:
    """Octets of the wire as they were; what no octet can be (a dash in a sentence of ours) as UTF-8."""
    return text.encode("latin-1", _ERRORS)


def shown(text: str) -> str:
    """For the eye: UTF-8 as the text it is, our own sentences as they are, all that is not printable escaped."""
    if text.isascii() and text.isprintable():
        return text
    decoded = readable(text)
    if decoded is None and max(text) > "\xff":
        decoded = text  # no octets: a sentence of ours
    if decoded is None:
        return "".join(c if c.isascii() and c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in decoded)


def readable(text: str) -> str | None:
    """The text that the octets are in UTF-8, or None if they are not UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
