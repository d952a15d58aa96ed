"""Credentials of SIP users, for a log that others read: what ``Authorization`` says is hidden, octet for octet."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(
    r"^((?:proxy-)?authorization[ \t]*:[ \t]*(?:(?:digest|basic|bearer)\b)?)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_OCTET = re.compile(r"[^ \t\r\n]")


def without_credentials(text: str) -> str:
    """``text`` with each octet of a value of Authorization and Proxy-Authorization as ``*``; only the scheme stays.

    Folded values (:rfc:`3261#section-7.3.1`) count, and messages within messages. The length is as before, so that what
    counts octets is still right.
    """
    if "uthorization" not in text and "uthorization" not in text.lower():
        return text
    return _CREDENTIALS.sub(lambda found: found[1] + _OCTET.sub("*", found[2]), text)
