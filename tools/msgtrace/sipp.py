"""``msgtrace to-sipp``: the caller, or the callee, of a recorded call as a scenario of SIPp.

What the peer of the server sent is sent again, with SIPp's own addresses, branches and Call-ID; what it got is waited
for. What is sent twice was sent again by a timer, which SIPp has, too. Where frames alone were recorded, what the
server did on its own accord (its 100, its answer to a CANCEL) and the ACK of a refusal are put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from msgtrace.answers import Shown
from msgtrace.observed import APPLICATION, NETWORK, SERVER, observe
from msgtrace.octets import one_line
from msgtrace.sip import SipMessage, canonical

_LEAST_PAUSE = 0.05
"""Seconds; shorter ones are how long the wire and the others took"""
_HOST_PORT = re.compile(r"(sips?:(?:[^@>;\s]*@)?)(?:\[[^\]]*\]|[^:;>\s]+)(?::\d+)?")
_TAG = re.compile(r";tag=[^;>\s]*")
_BY_SIPP = frozenset(
    {"via", "from", "to", "call-id", "cseq", "content-length", "route", "record-route", "contact"}
)
_MEDIA = re.compile(r"(?m)^c=IN IP\S+ [^\s]+")
_OWN_MEDIA = "c=IN IP[media_ip_type] [media_ip]"
_TAG_OF_SIPP = ";tag=[pid]m[call_number]"
_NAMED = (
    '<action><ereg regexp="{}" search_in="hdr" header="{}:" assign_to="{}"/>'
    '<ereg regexp="{}" search_in="hdr" header="{}:" assign_to="{}"/></action>'
)
_PARTIES = {
    "INVITE": '<action><ereg regexp="sips*:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="target"/></action>',
    "ACK": _NAMED.format(".*", "To", "us", ".*", "From", "them"),
}
"""what a callee remembers, for requests of his own"""
_IN_DIALOG = frozenset({"BYE", "INFO", "UPDATE", "PRACK", "NOTIFY", "REFER"})


class NoCallForSipp(ValueError):
    """There is nothing that SIPp could play; the message says why."""


class _Step(Struct, frozen=True):
    """A message of the peer, or for it."""

    sent: bool
    sip: SipMessage
    at: float | None


def scenario(items: Sequence[Shown], name: str) -> Iterator[str]:
    """The lines of the scenario of one call. Raises NoCallForSipp before the first."""
    steps = _steps(items)
    first = next((step for step in steps if step.sip.is_request), None)
    if first is None:
        raise NoCallForSipp("there is no request in it")
    return _lines(steps, first, name)


def _lines(steps: Sequence[_Step], first: _Step, name: str) -> Iterator[str]:
    calls = first.sent
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<!DOCTYPE scenario SYSTEM "sipp.dtd">'
    yield f"<!-- Made by msgtrace to-sipp: the {'caller' if calls else 'callee'}. Run it with"
    yield f"     sipp -sf FILE -m 1 {'HOST:PORT' if calls else '-p PORT'} -->"
    yield f"<scenario name={quoteattr(one_line(name))}>"
    before: float | None = None
    writer = _Writer(calls)
    for step in steps:
        if step.sent:
            pause = 0.0 if before is None or step.at is None else step.at - before
            if pause > _LEAST_PAUSE:
                yield writer.pause(pause)
            yield from writer.send(step.sip, first=step is first)
        else:
            yield writer.receive(step.sip)
        before = step.at if step.at is not None else before
    if not calls and any(step.sip.is_request and not step.sent for step in steps):
        yield '  <Reference variables="target,us,them"/>'
    yield "</scenario>"


def _steps(items: Sequence[Shown]) -> list[_Step]:
    seen = [one for item in items if (one := observe(item)) is not None and one.source != APPLICATION]
    wire = [one for one in seen if one.on_wire]
    if any(one.source not in (NETWORK, SERVER) for one in wire):
        raise NoCallForSipp("the recording does not tell which end is the server's")
    seen = wire or [one for one in seen if not one.repeated and not one.unsent]
    first = next((one for one in seen if one.sip.is_request and one.sip.method != "ACK"), None)
    if first is None:
        return []
    peer = first.sender if first.source == NETWORK else first.receiver
    steps: list[_Step] = []
    known: set[tuple[bool, str, str, str]] = set()
    for one in seen:
        sent = one.source == NETWORK
        address = one.sender if sent else one.receiver
        if wire and peer and address != peer:
            continue
        if one.made_by_server and not sent and not one.on_wire and not one.sip.is_request:
            continue
        if not sent and one.sip.status == 100:
            continue  # waited for behind each INVITE
        key = (sent, one.sip.start_line, one.sip.first("CSeq"), one.sip.branch)
        if key in known:
            continue
        known.add(key)
        steps.append(_Step(sent, one.sip, one.at))
    return steps if wire else list(_completed(steps))


def _completed(steps: Sequence[_Step]) -> Iterator[_Step]:
    """With what frames do not tell of."""
    cancelled = False
    for step in steps:
        yield step
        sip = step.sip
        invite = sip.cseq[1] == "INVITE"
        if not step.sent and (sip.status or 0) >= 300 and invite:
            yield _Step(True, _ack(sip), step.at)
        elif step.sent and sip.is_request and sip.method == "CANCEL" and not cancelled:
            cancelled = True
            yield _Step(False, _response(sip, "200 OK", "CANCEL"), step.at)
            terminated = _response(sip, "487 Request Terminated", "INVITE")
            yield _Step(False, terminated, step.at)
            yield _Step(True, _ack(terminated), step.at)


def _ack(refused: SipMessage) -> SipMessage:
    return SipMessage("", "ACK sip:service SIP/2.0", refused.fields, "")


def _response(request: SipMessage, status: str, method: str) -> SipMessage:
    fields = tuple(
        type(field)(field.name, f"{request.cseq[0] or 1} {method}")
        if canonical(field.name) == "cseq"
        else field
        for field in request.fields
    )
    return SipMessage("", f"SIP/2.0 {status}", fields, "")


class _Writer:
    """Writes one command after the other, and counts them: SIPp names a branch by how many commands ago it was made."""

    def __init__(self, calls: bool) -> None:
        self._calls = calls
        self._count = 0
        self._invite = 0
        """which command sent the last INVITE"""
        self._refused = False
        """whether its final response was no 2xx"""
        self._uri = "sip:[remote_ip]:[remote_port]"
        """its Request-URI"""
        self._routes = False
        """whether a route set was looked for"""

    def pause(self, seconds: float) -> str:
        """Nothing happens for so long."""
        self._count += 1
        return f'  <pause milliseconds="{round(1000 * seconds)}"/>'

    def receive(self, sip: SipMessage) -> str:
        """Wait for a message."""
        self._count += 1
        status = sip.status or 0
        begins = not self._routes and (sip.is_request or (200 <= status < 300 and sip.cseq[1] == "INVITE"))
        self._routes = self._routes or begins
        routes = ' rrs="true"' if begins else ""
        if sip.is_request:
            named = "" if self._calls else _PARTIES.get(sip.method, "")
            return f"  <recv request={quoteattr(one_line(sip.method))}{routes}>{named}</recv>"
        if status >= 200 and sip.cseq[1] == "INVITE":
            self._refused = status >= 300
        optional = ' optional="true"' if status == 100 else ""
        return f'  <recv response="{status}"{optional}{routes}/>'

    def send(self, sip: SipMessage, *, first: bool) -> Iterator[str]:
        """Send a message."""
        self._count += 1
        if sip.is_request and sip.method == "INVITE":
            self._invite = self._count
        repeats = ' retrans="500"' if sip.is_request and sip.method != "ACK" else ""
        yield f"  <send{repeats}><![CDATA["
        yield ""
        yield f"    {self._start_line(sip, first=first)}"
        yield from (f"    {_harmless(line)}" for line in self._fields(sip, first=first))
        yield ""
        if sip.body:
            yield from (f"    {_harmless(line)}" for line in _MEDIA.sub(_OWN_MEDIA, sip.body).splitlines())
            yield ""
        yield "  ]]></send>"
        if sip.is_request and sip.method == "INVITE":
            self._count += 1
            yield '  <recv response="100" optional="true"/>'

    def _of_invite(self, sip: SipMessage) -> bool:
        """Whether it goes where the INVITE went, in its transaction (RFC 3261 §9.1, §17.1.1.3)."""
        return sip.method == "CANCEL" or (sip.method == "ACK" and self._refused)

    def _start_line(self, sip: SipMessage, *, first: bool) -> str:
        if not sip.is_request:
            return one_line(sip.start_line)
        if sip.method == "INVITE":
            self._uri = _placed(one_line(sip.uri, 500), "remote")
        if self._of_invite(sip):
            return f"{one_line(sip.method)} {self._uri} SIP/2.0"
        if first or not self._routes:
            return f"{one_line(sip.method)} {_placed(one_line(sip.uri, 500), 'remote')} SIP/2.0"
        return f"{one_line(sip.method)} {'[next_url]' if self._calls else '[$target]'} SIP/2.0"

    def _fields(self, sip: SipMessage, *, first: bool) -> Iterator[str]:
        yield from self._request(sip, first=first) if sip.is_request else self._response(sip)
        if sip.has("Contact"):
            yield f"Contact: {_placed(one_line(sip.first('Contact'), 500), 'local')}"
        for field in sip.fields:
            if canonical(field.name) not in _BY_SIPP and field.value:
                yield f"{one_line(field.name)}: {one_line(field.value, 2000)}"
        yield "Content-Length: [len]"

    def _response(self, sip: SipMessage) -> Iterator[str]:
        tagged = sip.status == 100 or self._calls or sip.cseq[1] in _IN_DIALOG
        yield from ("[last_Via:]", "[last_Record-Route:]", "[last_From:]")
        yield "[last_To:]" if tagged else f"[last_To:]{_TAG_OF_SIPP}"
        yield from ("[last_Call-ID:]", "[last_CSeq:]")

    def _request(self, sip: SipMessage, *, first: bool) -> Iterator[str]:
        within = self._of_invite(sip)
        back = self._invite - self._count
        yield f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{back if within else ''}]"
        if not self._calls:  # who was called begins a request of his own: the parties change places
            yield from (
                "From:[$us]",
                "To:[$them]",
                "[last_Call-ID:]",
                f"CSeq: {sip.cseq[0] or 1} {one_line(sip.method)}",
            )
            yield "[routes]"
            return
        yield f"From: {_party(sip.first('From'), 'local')}{_TAG_OF_SIPP}"
        tag = "" if first or sip.method == "CANCEL" else "[peer_tag_param]"
        yield f"To: {_party(sip.first('To'), 'remote')}{tag}"
        yield "Call-ID: [call_id]"
        yield f"CSeq: {sip.cseq[0] or 1} {one_line(sip.method)}"
        if not first and not within and self._routes:
            yield "[routes]"


def _harmless(line: str) -> str:
    """Nothing in it ends the text that holds it."""
    return line.replace("]]>", "]] >")


def _party(value: str, side: str) -> str:
    return _placed(_TAG.sub("", one_line(value, 500)) or "<sip:somebody@localhost>", side)


def _placed(text: str, side: str) -> str:
    """With SIPp's own address, or that of the other one, in its URI."""
    return _HOST_PORT.sub(rf"\1[{side}_ip]:[{side}_port]", text)
