"""Composing responses (RFC 3261 §8.2.6): what of the request comes back, and in which order."""

from __future__ import annotations

from msgspec import Struct

from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.via import TopVia, completed_via

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    487: "Request Terminated",
    491: "Request Pending",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    603: "Decline",
}
"""The phrases of the responses that the server makes itself."""


class ResponseHeaders(Struct, frozen=True, eq=False, gc=False):
    """The headers that every response to one request has in common. Made by :func:`response_headers`."""

    completed_via: str
    """the topmost value, with what we know of its sender"""
    vias: str
    record_routes: str
    """header lines, complete, as ``vias`` are"""
    from_: str
    to: str
    """as received, so without our tag on a request outside dialogs"""
    call_id: str
    cseq: str

    def compose(self, status_line: str, to: str, draft: Draft, *, with_record_route: bool) -> str:
        """A response for an application; its own From, Call-ID and CSeq win (RSP-22)."""
        record_routes = self.record_routes if with_record_route else ""
        from_, call_id, cseq = draft.take_identity()
        return (
            f"{status_line}\r\n{self.vias}{record_routes}From: {from_ or self.from_}\r\nTo: {to}\r\n"
            f"Call-ID: {call_id or self.call_id}\r\nCSeq: {cseq or self.cseq}\r\n{draft.lines()}\r\n{draft.body}"
        )

    def minimal(self, status: int, to: str, extra: str = "", *, reason: str | None = None) -> str:
        """A response that the server makes itself; ``extra`` are complete header lines, a ``reason`` may be empty.

        A 100 has the Record-Route of the request, as the genuine server's has; what ends a transaction has not.
        """
        record_routes = self.record_routes if status == 100 else ""
        if reason is None:
            reason = REASONS[status]
        return (
            f"SIP/2.0 {status} {reason}\r\n{self.vias}{record_routes}From: {self.from_}\r\n"
            f"To: {to}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.cseq}\r\n{extra}Content-Length: 0\r\n\r\n"
        )

    def refusal(self, status: int, to: str, extra: str = "", *, reason: str | None = None) -> str:
        """A minimal response to a request that may lack what a request must have: what it lacks is left out.

        An empty From or To would be one more message that cannot be parsed (RFC 4475 §3.3.1).
        """
        text = self.minimal(status, to, extra, reason=reason)
        for name, value in (("From", self.from_), ("Call-ID", self.call_id), ("CSeq", self.cseq)):
            if not value:
                text = text.replace(f"\r\n{name}: \r\n", "\r\n", 1)
        return text if self.to else text.replace(f"\r\nTo: {to}\r\n", "\r\n", 1)


def response_headers(request: Request, via: TopVia, source_host: str, source_port: int) -> ResponseHeaders:
    """What the responses to ``request``, which came from that address, have in common."""
    first = request.first
    line = first.get("via", "")
    completed = completed_via(via, source_host, source_port)
    others = "" if line is via.value else line[len(via.value) :]
    vias = f"Via: {completed}{others}\r\n"
    if request.repeats:
        vias += "".join([f"Via: {line}\r\n" for line in request.all("via")[1:]])
    return ResponseHeaders(
        completed,
        vias,
        _record_routes_of(request) if "record-route" in first else "",
        first.get("from", ""),
        first.get("to", ""),
        first.get("call-id", ""),
        first.get("cseq", ""),
    )


def _record_routes_of(request: Request) -> str:
    return "".join(
        [f"Record-Route: {value}\r\n" for line in request.all("record-route") for value in elements(line)]
    )
