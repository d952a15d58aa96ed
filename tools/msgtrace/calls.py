"""Calls of a recording: which message belongs to which, how each ended, and why.

A call is what has one Call-ID. Frames that lack it are found by what ties them to others: the transaction id, the
dialog id, and the id of the message that an answer answers. What is remembered grows with the number of calls.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgtrace import sip as sip_view
from msgtrace.entries import EntryKind
from msgtrace.follow import Shown, seconds
from msgtrace.messages import MessageKind
from msgtrace.octets import one_line
from msgtrace.sip import SipMessage

_CALL_ID = re.compile(r"\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|i)[ \t]*:[ \t]*([^\r\n]*)")
_USER_AND_HOST = re.compile(r"(?:sips?|tel):(?:([^@;>]*)@)?([^;>?]*)", re.IGNORECASE)
_MOST_KEYS = 1_000_000  # ids that are remembered; then the oldest are forgotten


class Ending(StrEnum):
    """What became of a call."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    """the recording ends before the call does"""


class Call:
    """What is known of one call."""

    __slots__ = (
        *("ack", "answered_at", "application_told", "begin", "call_id", "callee", "caller", "cancelled_by"),
        *("challenged", "end", "ended_by", "final", "final_by", "final_number", "first", "from_server"),
        *("messages", "method", "number", "prack", "provisional", "proxied", "reason", "refused"),
        *("reliable", "responded"),
    )

    def __init__(self, number: int, call_id: str, first: int) -> None:
        self.number = number
        """from 1, in the order of the recording"""
        self.call_id = call_id
        self.first = first
        """number of its first message"""
        self.messages = 0
        self.begin = ""
        """time of its first message, as the recording has it"""
        self.end = ""
        self.method = ""
        """of the request that began it"""
        self.caller = ""
        self.callee = ""
        self.from_server = False
        """whether the application asked for it"""
        self.provisional = 0
        self.reliable = 0
        """status of the last provisional response that asks for a PRACK"""
        self.prack = False
        self.final = ""
        """status and reason of the last final response to the request that began it"""
        self.final_by = ""
        self.final_number = 0
        self.answered_at = ""
        self.challenged = False
        self.ack = False
        self.application_told = 0
        """number of the message that brought the request to an application"""
        self.responded = False
        self.proxied = False
        self.cancelled_by = ""
        self.ended_by = ""
        self.reason = ""
        self.refused: tuple[int, str] | None = None
        """message that the server refused to carry out, and its reason"""

    def outcome(self) -> tuple[Ending, str]:
        """How it ended, and why, in one sentence."""
        status = int(self.final[:3]) if self.final[:3].isdigit() else 0
        after = self._lasted(self.answered_at or self.end)
        by = f" by {self.final_by}" if self.final_by else ""
        refusal = f"; refused: {self.refused[1]} (message {self.refused[0]})" if self.refused else ""
        if 200 <= status < 300:
            return self._answered(status, refusal)
        if self.cancelled_by and status in (0, 487):
            final = f", {self.final}" if status else ""
            return Ending.BAD, f"cancelled by {self.cancelled_by}{after}{final}{self._before()}{refusal}"
        if status in (401, 407):
            return Ending.BAD, f"challenged: {self.final}{by}, and no other try{refusal}"
        if 300 <= status < 400:
            return Ending.GOOD, f"redirected: {self.final}{by}"
        if status:
            unasked = ""
            if self.final_by == "the server" and self.application_told and not self.responded:
                unasked = f"; the application did not respond to message {self.application_told}"
            return Ending.BAD, f"{self.final}{by}{self._why()}{unasked}{refusal}"
        if self.refused:
            return Ending.BAD, f"no final response{refusal}"
        if self.application_told and not self.responded:
            return (
                Ending.BAD,
                f"no response: the application did not respond to message {self.application_told}",
            )
        if self.method == "" or self.method == "ACK":
            return Ending.OPEN, "its beginning is not in the recording"
        ringing = f", the last was {self.provisional}" if self.provisional else ""
        return Ending.OPEN, f"no final response in the recording{ringing}"

    def _answered(self, status: int, refusal: str) -> tuple[Ending, str]:
        if self.method != "INVITE":
            return Ending.GOOD, f"{self.final}{self._lasted(self.end)}{refusal}"
        if self.ended_by == "the server":
            no_ack = ", no ACK came" if not self.ack else ""
            return Ending.BAD, f"answered{no_ack}; the server hung up{self._why()}{refusal}"
        length = self._talked()
        if self.ended_by:
            return Ending.GOOD, f"answered{length}, {self.ended_by} hung up{refusal}"
        if not self.ack:
            return Ending.OPEN, f"answered ({self.final}), no ACK and no BYE in the recording{refusal}"
        return Ending.OPEN, f"answered, no BYE in the recording{refusal}"

    def _before(self) -> str:
        """What was wrong, if anything was, before the caller gave up."""
        if self.cancelled_by != "the caller":
            return ""
        if self.application_told and not self.responded:
            return f"; the application had not responded to message {self.application_told}"
        if self.reliable and not self.prack:
            return f"; no PRACK came for the {self.reliable}"
        return ""

    def _why(self) -> str:
        return f" ({self.reason})" if self.reason else ""

    def _lasted(self, until: str) -> str:
        begin, end = seconds(self.begin), seconds(until)
        return f" after {(end - begin) % 86400:.1f} s" if begin is not None and end is not None else ""

    def _talked(self) -> str:
        begin, end = seconds(self.answered_at), seconds(self.end)
        return f" for {(end - begin) % 86400:.1f} s" if begin is not None and end is not None else ""


class CallIndex:
    """Assigns messages to calls; with ``outcomes`` also learns how calls end."""

    def __init__(self, *, outcomes: bool = False) -> None:
        self.calls: list[Call] = []
        self._outcomes = outcomes
        self._by_id: dict[
            str, Call
        ] = {}  # "c" Call-ID, "t" transaction, "d" dialog, "m" connection and message

    def learn(self, item: Shown) -> None:
        """Take the next message of the recording."""
        call = self._call(item)
        if call is None:
            return
        call.messages += 1
        if self._outcomes:
            _take(call, item)

    def of(self, item: Shown) -> Call | None:
        """The call of a message, as far as what was learnt tells."""
        message = item.message
        if message is not None:
            found = self._by_id.get(f"m{item.entry.connection} {message.id}")
            if found is not None:
                return found
        call_id = _call_id(item)
        return self._by_id.get(f"c{call_id}") if call_id else None

    def matches(self, item: Shown, wanted: str) -> bool:
        """Whether a message belongs to the call ``wanted``: a Call-ID, a dialog id, or a number."""
        call = self.of(item)
        if call is None:
            return False
        return wanted in (call.call_id, str(call.number)) or self._by_id.get(f"d{wanted}") is call

    def _call(self, item: Shown) -> Call | None:
        message = item.message
        if message is None and item.entry.kind is not EntryKind.SIP:
            return None
        call_id = _call_id(item)
        transaction = dialog = request = own = ""
        if message is not None:
            connection = item.entry.connection
            own = f"m{connection} {message.id}"
            transaction = message.get("transaction-id")
            dialog = message.get("dialog-id")
            request = f"m{connection} {message.request_id}" if message.request_id else ""
        by_id = self._by_id
        call = by_id.get(f"c{call_id}") if call_id else None
        if call is None:
            call = (
                (by_id.get(f"t{transaction}") if transaction and transaction != "unsolicited" else None)
                or (by_id.get(f"d{dialog}") if dialog else None)
                or (by_id.get(f"c{dialog.partition(';')[0]}") if dialog else None)
                or (by_id.get(request) if request else None)
            )
        if call is None:
            if not call_id:
                return None
            call = Call(len(self.calls) + 1, call_id, item.number)
            self.calls.append(call)
            by_id[f"c{call_id}"] = call
        if own:
            by_id[own] = call
        if transaction and transaction != "unsolicited":
            by_id[f"t{transaction}"] = call
        if dialog:
            by_id[f"d{dialog}"] = call
        if request and request not in by_id:
            by_id[request] = call
            call.first = min(call.first, item.answers or call.first)
        if len(by_id) > _MOST_KEYS:
            for key in list(by_id)[: _MOST_KEYS // 4]:
                del by_id[key]
        return call


def _call_id(item: Shown) -> str:
    text = item.content
    if not text:
        return ""
    end = text.find("\r\n\r\n")
    found = _CALL_ID.search(text, 0, end if end >= 0 else len(text))
    return found[1].strip() if found else ""


def _take(call: Call, item: Shown) -> None:
    """Learn from one message of the call."""
    time = item.entry.time or (item.message.get("time") if item.message else "")
    if not call.begin:
        call.begin = time
    message = item.message
    if message is None:
        _sip_traced(call, item, sip_view.parse(item.entry.data), time)
        return
    text = message.sip
    match message.kind:
        case MessageKind.NETWORK_REQUEST if text is not None:
            _requested(call, text, time, by_application=False)
            if text.method == call.method and not call.application_told:
                call.application_told = item.number
        case MessageKind.NETWORK_RESPONSE if text is not None:
            _responded(call, text, time, item.number, "the other side")
        case MessageKind.SEND_RESPONSE if text is not None:
            call.responded = True
            if not text.has("CSeq") or text.cseq[1] == call.method:
                _final(call, text, time, item.number, "the application", later_is_better=False)
        case MessageKind.PROXY:
            call.responded = call.proxied = True
        case MessageKind.OK if text is not None:
            by_application = message.get("source") == "application"
            if text.is_request:
                _requested(call, text, time, by_application=True)
            else:
                _responded(
                    call, text, time, item.number, "the application" if by_application else "the other side"
                )
        case MessageKind.NO | MessageKind.NOK:
            call.refused = (item.answers or item.number, one_line(message.get("reason"), 80))
            if call.final_number == item.answers:
                call.final, call.final_by, call.answered_at = "", "", ""
        case MessageKind.SEND_IN_DIALOG | MessageKind.SEND_REQUEST | MessageKind.SEND_CANCEL if (
            text is not None
        ):
            if call.method:
                _requested(call, text, time, by_application=True)
        case MessageKind.UNSOLICITED if text is not None:
            if text.method == "BYE":
                call.ended_by, call.end = "the server", time
                call.reason = call.reason or one_line(text.first("Reason"), 60)
        case MessageKind.CDR:
            if message.get("reason") and not call.reason:
                call.reason = one_line(message.get("reason"), 60)
        case _:
            pass


def _sip_traced(call: Call, item: Shown, text: SipMessage, time: str) -> None:
    if text.is_request:
        _requested(call, text, time, by_application=bool(item.from_server), traced=True)
    elif not call.final or call.challenged:
        _responded(call, text, time, item.number, "the server" if item.from_server else "the other side")


def _requested(
    call: Call, text: SipMessage, time: str, *, by_application: bool, traced: bool = False
) -> None:
    method = text.method
    if not call.method and method not in ("CANCEL",):
        call.method, call.from_server = method, by_application
        call.caller = _party(text.first("From"))
        call.callee = _party(text.first("To")) or text.uri
        return
    match method:
        case "ACK":
            call.ack = True
        case "PRACK":
            call.prack = True
        case "BYE" if not call.ended_by:
            if by_application:
                call.ended_by = "this side" if traced else "the application"
            else:
                call.ended_by = "the callee" if call.from_server else "the caller"
            call.end = time
        case "CANCEL":
            if not by_application:
                given_up = 'text="PRACK timeout"' in text.first("Reason")
                call.cancelled_by = "the server for want of a PRACK" if given_up else "the caller"
            elif not call.cancelled_by:
                call.cancelled_by = "the server" if traced else "the application"
        case _:
            pass


def _responded(call: Call, text: SipMessage, time: str, number: int, by: str) -> None:
    if text.cseq[1] == call.method or not text.has("CSeq"):
        _final(call, text, time, number, by, later_is_better=True)


def _final(call: Call, text: SipMessage, time: str, number: int, by: str, *, later_is_better: bool) -> None:
    status = text.status or 0
    if status < 200:
        call.provisional = status or call.provisional
        if status and text.has("RSeq"):
            call.reliable = status
        return
    if call.final.startswith("2") and call.method == "INVITE":
        return  # a re-INVITE's, or the same again
    if call.final and not later_is_better and not call.challenged:
        return
    call.challenged = status in (401, 407)
    call.final = text.start_line.partition(" ")[2].strip()
    call.final = one_line(call.final, 60)
    call.final_by, call.final_number, call.end = by, number, time
    call.reason = one_line(text.first("Reason") or text.first("Warning"), 80)
    if 200 <= status < 300:
        call.answered_at = time


def _party(address: str) -> str:
    found = _USER_AND_HOST.search(address)
    if not found:
        return one_line(address, 30)
    return one_line(found[1] or found[2], 30)
