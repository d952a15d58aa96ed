"""The secret never leaves the server: it is taken out of a frame before anybody sees it."""

from __future__ import annotations

REDACTED = "***"


def without_secret(payload: str, secret: str = "") -> str:
    """The payload of a frame; in an ``authenticate`` (whatever else is wrong with it) the secret is ``***``.

    ``secret``, as it is on the wire, is ``***`` wherever it stands: who has not authenticated yet may have mistyped
    all that is around it.
    """
    line, line_end, rest = payload.partition("\r\n")
    tokens = line.split("|")
    for position, token in enumerate(tokens[:2]):  # in the first place if the id was forgotten
        if token.strip().lower() == "authenticate" and len(tokens) > position + 1:
            tokens[position + 1] = REDACTED
            payload = "|".join(tokens) + (line_end + REDACTED if rest else line_end)
            break
    return payload.replace(secret, REDACTED) if secret else payload
