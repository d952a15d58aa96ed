"""The topmost Via: where a response goes, and which transaction a request belongs to (RFC 3261 §18.2, §17.2.3).

The Vias of one sender differ in their branch and in nothing else, as a rule. So what stands around the branch is kept,
with what it says and with how it is completed: of the next Via from there only the branch has to be looked at.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from reference_server.memo import Memo
from reference_server.sip.identifiers import LONGEST_NAME, MAGIC_COOKIE, shortened
from reference_server.sip.messages.message import Request, unfolded

_VIA = re.compile(
    r"SIP\s*/\s*\d\.\d\s*/\s*(?P<transport>[A-Za-z0-9-]+)"
    r"\s+(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:;,\[\]]+)(?:\s*:\s*(?P<port>\d{1,5}))?"
    r"(?P<parameters>(?:\s*;[^,]*)?)",
    re.IGNORECASE,
)
_VIA_FIELD = re.compile(r"[\r\n](?:via|v)[ \t]*:\s*", re.IGNORECASE)
_BRANCH = re.compile(r";[ \t]*branch[ \t]*=[ \t]*([^ \t\r\n;,]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport\s*(?:=\s*\d*)?(?=[\s;,]|$)", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=\s*[^\s;,]+", re.IGNORECASE)
_PLAIN_BRANCH: Final = ";branch="
_AFTER_BRANCH: Final = len(_PLAIN_BRANCH)


class Sender:
    """What the Vias of one sender have in common."""

    __slots__ = (
        "behind",
        "completed_before",
        "completed_behind",
        "host",
        "kept",
        "port",
        "sent_by",
        "source_host",
        "source_port",
        "transport",
    )

    def __init__(self, transport: str, host: str, port: str) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.sent_by = f"|{host}:{port}|"
        """between branch and method in the key of a transaction"""
        self.kept = False
        """its Vias have one value with one plain branch, behind which stands ``behind``"""
        self.behind = ""
        self.source_host = ""
        """where its latest request came from, and what stands around the branch when that is told in the Via"""
        self.source_port = -1
        self.completed_before = ""
        self.completed_behind = ""


class TopVia(Struct, frozen=True, eq=False, gc=False):
    """What matters of the topmost Via value."""

    value: str
    """this value alone, as it was written"""
    branch: str
    sender: Sender

    @property
    def transport(self) -> str:
        """As written."""
        return self.sender.transport

    @property
    def host(self) -> str:
        """As written, so with the brackets of IPv6."""
        return self.sender.host

    @property
    def port(self) -> str:
        """Of the sent-by, empty if it has none."""
        return self.sender.port


_LONGEST_KEPT: Final = 300
_SENDERS: Final = Memo[str, Sender](entries=4096, longest=_LONGEST_KEPT)
"""By what stands before the branch."""


def parse_top_via(value: str) -> TopVia | None:
    """Parse the first value of a Via header line; None if it is no Via."""
    at = value.find(_PLAIN_BRANCH)
    sender = _SENDERS.known.get(value[:at]) if at > 0 else None
    if sender is not None and value.endswith(sender.behind):
        branch = value[at + _AFTER_BRANCH : len(value) - len(sender.behind)]
        if branch and not (";" in branch or "," in branch or " " in branch or "\t" in branch):
            return TopVia(value, branch, sender)
    return _parse_any_via(value)


def _parse_any_via(value: str) -> TopVia | None:
    """Parse what comes from nobody known."""
    matched = _VIA.match(value)
    if matched is None:
        return None
    sender = Sender(matched["transport"], matched["host"], matched["port"] or "")
    found = _BRANCH.search(matched["parameters"])
    via = TopVia(matched[0].rstrip(" \t\r\n"), found[1] if found else "", sender)
    if via.branch and via.value == value and len(value) <= _LONGEST_KEPT:
        _keep(via)
    return via


def _keep(via: TopVia) -> None:
    """Know the sender again, if its branch is written in the plain way."""
    before, _, rest = via.value.partition(_PLAIN_BRANCH)
    if not rest.startswith(via.branch) or _BRANCH.search(before):
        return
    via.sender.kept = True
    via.sender.behind = rest[len(via.branch) :]
    _SENDERS.keep(before, via.sender)


def completed_via(via: TopVia, source_host: str, source_port: int) -> str:
    """``via`` with ``rport`` and, if its host is not where the message came from, ``received`` (RFC 3581 §4).

    The genuine server gives ``rport`` whether it was asked for or not, behind ``received`` if it was not (SIP-2).
    """
    sender = via.sender
    if sender.source_port != source_port or sender.source_host != source_host:
        completed = _complete(via, source_host, source_port)
        if not sender.kept:
            return completed
        at = completed.index(_PLAIN_BRANCH) + _AFTER_BRANCH
        sender.source_host = source_host
        sender.source_port = source_port
        sender.completed_before = completed[:at]
        sender.completed_behind = completed[at + len(via.branch) :]
    return f"{sender.completed_before}{via.branch}{sender.completed_behind}"


def _complete(via: TopVia, source_host: str, source_port: int) -> str:
    text = via.value
    bracketed = f"[{source_host}]" if ":" in source_host else source_host
    received = "" if via.host in (source_host, bracketed) else f";received={source_host}"
    if received:
        text = _RECEIVED.sub("", text)
    asked = _RPORT.search(text) if "rport" in text.lower() else None
    if asked is None:
        return f"{text}{received};rport={source_port}"
    return f"{text[: asked.start()]};rport={source_port}{text[asked.end() :]}{received}"


def with_completed_via(request: Request, via: TopVia, completed: str) -> str:
    """The text of ``request`` with its topmost Via value completed and nothing else touched."""
    text, value = request.text, via.value
    at = len(request.start_line) + 7  # it is the first field nearly always, so behind "\r\nVia: "
    if text[at - 6 : at] != "\nVia: " or text[at : at + len(value)] != value:
        text, at = _place_of_top_via(text, value)
    return f"{text[:at]}{completed}{text[at + len(value) :]}"


def _place_of_top_via(text: str, value: str) -> tuple[str, int]:
    """Where the first Via field has its value, which begins with ``value``; the text is unfolded if that was folded."""
    found = _VIA_FIELD.search(text)
    if found is None or not text.startswith(value, found.end()):
        text = unfolded(text)
        found = _VIA_FIELD.search(text)
    assert found is not None  # the value was parsed from such a field
    return text, found.end()


def transaction_key(request: Request, via: TopVia, method: str) -> str:
    """What a request and its retransmissions have in common (§17.2.3); an ACK or CANCEL names its INVITE's method.

    Branch, sent-by and method are not enough: behind NATs there are many with one private address, and some count their
    branches. So the Call-ID, the From tag and the CSeq number count, too, which ACK and CANCEL have from the INVITE
    (SIP-49).
    """
    call_id, cseq = request.first.get("call-id", ""), request.cseq_number
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
        key = f"{branch} {via.sender.sent_by} {method}|{cseq}|{request.from_tag}|{call_id}"
        return key if len(key) <= LONGEST_NAME else shortened(key)
    # A client of RFC 2543: all of Request-URI, From tag, Call-ID, CSeq and topmost Via; the To tag changes in the ACK.
    return shortened(f"{request.uri}|{request.get('from')}|{call_id}|{cseq}|{via.value}|{method}")


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
