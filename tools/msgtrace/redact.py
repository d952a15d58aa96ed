"""Takes secrets out of what is shown: the secret of ``authenticate``, and the credentials of SIP digests.

Works on damaged input, too: a frame that was cut off in its secret must not show the part that is there.
"""

from __future__ import annotations

import re

REDACTED = "***"

_SECRET = re.compile(r"((?:^|[#\r\n])[^|#\r\n]*\|authenticate\|)[^|\r\n]*", re.IGNORECASE)
_CREDENTIALS = re.compile(
    r"^((?:Proxy-)?Authorization[ \t]*:[ \t]*[A-Za-z]*)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)


def secrets(text: str) -> str:
    """``text`` (frames, payloads, SIP messages, or what is left of them) with ``***`` for each secret."""
    return _CREDENTIALS.sub(_without_credentials, _SECRET.sub(rf"\1{REDACTED}", text))


def _without_credentials(match: re.Match[str]) -> str:
    return f"{match[1]} {REDACTED}"
