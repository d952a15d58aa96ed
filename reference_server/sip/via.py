"""The topmost Via: where a response goes, and which transaction a request belongs to (RFC 3261 §18.2, §17.2.3)."""

from __future__ import annotations

import re

from msgspec import Struct

from reference_server.sip.identifiers import MAGIC_COOKIE
from reference_server.sip.message import Request, unfolded

_VIA = re.compile(
    r"SIP\s*/\s*\d\.\d\s*/\s*(?P<transport>[A-Za-z0-9-]+)"
    r"\s+(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:;,\[\]]+)(?:\s*:\s*(?P<port>\d{1,5}))?"
    r"(?P<parameters>(?:\s*;[^,]*)?)",
    re.IGNORECASE,
)
_VIA_FIELD = re.compile(r"[\r\n](?:via|v)[ \t]*:\s*", re.IGNORECASE)
_PLAIN_PROTOCOLS = {"SIP/2.0/UDP": "UDP", "SIP/2.0/TCP": "TCP"}
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport\s*(?:=\s*\d*)?(?=[\s;,]|$)", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=\s*[^\s;,]+", re.IGNORECASE)


class TopVia(Struct, frozen=True, gc=False):
    """What matters of the topmost Via value."""

    transport: str
    host: str
    port: str
    branch: str
    value: str
    """this value alone, as it was written"""


def parse_top_via(value: str) -> TopVia | None:
    """Parse the first value of a Via header line; None if it is no Via."""
    plain = _parse_plain_via(value)
    if plain is not None:
        return plain
    matched = _VIA.match(value)
    if matched is None:
        return None
    branch = _BRANCH.search(matched["parameters"])
    return TopVia(
        matched["transport"],
        matched["host"],
        matched["port"] or "",
        branch[1] if branch else "",
        matched[0].rstrip(),
    )


def _parse_plain_via(value: str) -> TopVia | None:
    """Nearly every Via: one value, one blank, a name or IPv4 address, a branch. A short cut; None proves nothing."""
    protocol, _, rest = value.partition(" ")
    transport = _PLAIN_PROTOCOLS.get(protocol)
    if transport is None or " " in rest or "," in rest or "[" in rest or "\t" in rest:
        return None
    host, _, port = rest.partition(";")[0].partition(":")
    branch = rest.partition(";branch=")[2].partition(";")[0]
    if not host or not branch or not (port.isdecimal() and len(port) < 6):
        return None
    return TopVia(transport, host, port, branch, value)


def completed_via(via: TopVia, source_host: str, source_port: int) -> str:
    """``via`` with ``rport`` and, if its host is not where the message came from, ``received`` (RFC 3581 §4).

    The genuine server gives ``rport`` whether it was asked for or not, behind ``received`` if it was not (SIP-2).
    """
    text = via.value
    bracketed = f"[{source_host}]" if ":" in source_host else source_host
    received = "" if via.host in (source_host, bracketed) else f";received={source_host}"
    if received:
        text = _RECEIVED.sub("", text)
    at = text.find(";rport")
    if at >= 0 and text[at + 6 : at + 7] in (";", ""):
        return f"{text[:at]};rport={source_port}{text[at + 6 :]}{received}"
    asked = _RPORT.search(text) if "rport" in text.lower() else None
    if asked is None:
        return f"{text}{received};rport={source_port}"
    return f"{text[: asked.start()]};rport={source_port}{text[asked.end() :]}{received}"


def with_completed_via(request: Request, via: TopVia, completed: str) -> str:
    """The text of ``request`` with its topmost Via value completed and nothing else touched."""
    text = request.text
    at = text.find(via.value)
    if text[at - 6 : at] != "\nVia: ":  # another spelling, another field with the same text, or folded
        found = _VIA_FIELD.search(text)
        if found is None or not text.startswith(via.value, found.end()):
            text = unfolded(text)
            found = _VIA_FIELD.search(text)
        assert found is not None  # via was parsed from such a field
        at = found.end()
    return f"{text[:at]}{completed}{text[at + len(via.value) :]}"


def transaction_key(request: Request, via: TopVia, method: str) -> str:
    """What a request and its retransmissions have in common (§17.2.3); an ACK or CANCEL names its INVITE's method."""
    if via.branch.startswith(MAGIC_COOKIE) and via.branch != MAGIC_COOKIE:
        return f"{via.branch}|{via.host}:{via.port}|{method}"
    # A client of RFC 2543: all of Request-URI, From tag, Call-ID, CSeq and topmost Via; the To tag changes in the ACK.
    return f"{request.uri}|{request.get('from')}|{request.get('call-id')}|{request.cseq_number}|{via.value}|{method}"


def reply_uri(via: TopVia) -> str:
    """A SIP URI that leads where a response below this Via goes (§18.2.2, RFC 3581 §4)."""
    parameters = dict(
        (name.strip().lower(), value.strip())
        for name, _, value in (one.partition("=") for one in via.value.split(";")[1:])
    )
    host = parameters.get("received") or via.host
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    port = parameters.get("rport") or via.port
    return f"sip:{bracketed}{':' if port else ''}{port};transport={via.transport.lower()}"
