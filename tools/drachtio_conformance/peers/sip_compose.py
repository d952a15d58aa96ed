"""Puts SIP messages together from fields, with the defaults that a well-formed message needs.

Texts here are wire text; the caller fills variables first.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from drachtio_conformance.peers.variables import AUTO
from msgtrace.sip import canonical

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
}
"""Default reason phrases (RFC 3261 §21 and RFCs that extend it)."""

SDP = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio 20400 RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "",
    )
)
"""The offer of an INVITE whose case does not care."""

HeaderLine = tuple[str, str]


class Changes(Struct, frozen=True):
    """What a case wants different from the defaults."""

    headers: tuple[HeaderLine, ...] = ()
    """replace the default lines of that name, in place, or are added in this order"""
    without: tuple[str, ...] = ()


def compose(start_line: str, defaults: Iterable[HeaderLine], changes: Changes, *, body: str) -> str:
    """A complete message; Content-Length comes last unless the changes give it or leave it out."""
    left_out = {canonical(name) for name in changes.without}
    replaced: dict[str, list[HeaderLine]] = {}
    for name, value in changes.headers:
        replaced.setdefault(canonical(name), []).append((name, value))
    lines: list[HeaderLine] = []
    placed: set[str] = set()
    for name, value in (*defaults, ("Content-Length", f"${{{AUTO}}}")):
        key = canonical(name)
        if key == "content-length":
            for other, news in replaced.items():
                if other not in placed and other != key:
                    lines.extend(news)
        if key in left_out:
            continue
        if key not in replaced:
            lines.append((name, value))
        elif key not in placed:
            placed.add(key)
            lines.extend(replaced[key])
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return computed_length(f"{start_line}\r\n{head}\r\n{body}")


def computed_length(message: str) -> str:
    """Replace ``${auto}`` by the length of the body."""
    head, blank, body = message.partition("\r\n\r\n")
    return head.replace(f"${{{AUTO}}}", str(len(body))) + blank + body


def status_line(status: int, reason: str | None) -> str:
    """``SIP/2.0 486 Busy Here``; the default phrase if ``reason`` is None."""
    phrase = REASONS.get(status, "Unknown") if reason is None else reason
    return f"SIP/2.0 {status:03d} {phrase}"


def crlf(text: str) -> str:
    """Line feeds as CRLF."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")
