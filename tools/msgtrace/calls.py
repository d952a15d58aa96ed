"""Calls of a recording: which message belongs to which call, and what its transactions were.

A call is what has one Call-ID, except that who calls again with a Call-ID that he has used begins a call of its own:

- an INVITE outside dialogs that follows registrations, pings or messages of its Call-ID makes a call of them;
- one that follows INVITEs which failed, with a higher CSeq, is a further try of the same call;
- any other, that is one after a call that ended, or with another From tag beside a call that has not failed, begins a
  further call.

Frames that lack a Call-ID are found by what ties them to others: the transaction id, the dialog id, and the id of the
message that an answer answers. What is remembered grows with the number of calls. How a call ended,
:mod:`msgtrace.verdict` says.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from msgtrace.entries import EntryKind
from msgtrace.follow import Shown
from msgtrace.messages import MessageKind
from msgtrace.observed import APPLICATION, SERVER, Observation, observe, tags
from msgtrace.octets import one_line
from msgtrace.sip import SipMessage
from msgtrace.transactions import Transaction

_CALL_ID = re.compile(r"\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|i)[ \t]*:[ \t]*([^\r\n]*)")
_USER_AND_HOST = re.compile(r"(?:sips?|tel):(?:([^@;>]*)@)?([^;>?]*)", re.IGNORECASE)
_MOST_KEYS = 1_000_000  # ids that are remembered; then the oldest are forgotten
_MOST_TRANSACTIONS = 2_000  # of one call; a phone may ping with one Call-ID for weeks
_BELONG_TO_INVITE = frozenset({"ACK", "CANCEL"})
_WITHIN = frozenset({"BYE", "PRACK", "UPDATE", "INFO"})
"""methods that begin no call"""


class Bye(Struct, frozen=True):
    """Who hung up."""

    from_tag: str
    to_tag: str
    clock: str
    at: float | None
    source: str
    by_application: bool
    made_by_server: bool
    reason: str
    number: int
    """of the message"""


class Lacking:
    """What the recording lacks, of all its calls."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0
        """number of the message before the last damage"""


class Call:
    """What is known of one call."""

    __slots__ = (
        *("begin", "byes", "call_id", "callee", "caller", "end", "first", "from_value"),
        *("lacking", "left_out", "to_value"),
        *("messages", "method", "number", "reason", "refused", "tags", "transactions"),
    )

    def __init__(self, number: int, call_id: str, first: int, lacking: Lacking) -> None:
        self.lacking = lacking
        self.number = number
        """from 1, in the order of the recording"""
        self.call_id = call_id
        self.first = first
        """number of its first message"""
        self.messages = 0
        self.begin = ""
        """time of its first message, as the recording has it"""
        self.end = ""
        """time of its last"""
        self.method = ""
        """INVITE if there is one, else of the request that began it"""
        self.caller = ""
        """user of the From, or its host"""
        self.callee = ""
        self.from_value = self.to_value = ""
        """From, and To with the Request-URI, of the request that counts most"""
        self.tags: set[str] = set()
        """tags of the parties, of INVITEs and their responses"""
        self.transactions: list[Transaction] = []
        """in the order of the recording, without ACK and CANCEL"""
        self.left_out = 0
        """transactions that are not kept, since there are too many"""
        self.byes: list[Bye] = []
        self.reason = ""
        """why it ended, from a CDR"""
        self.refused: tuple[int, str] | None = None
        """message that the server refused to carry out, and its reason"""

    @property
    def attempts(self) -> list[Transaction]:
        """Its INVITEs outside of dialogs: a try each. If the recording has none, those of which it has responses."""
        invites = [one for one in self.transactions if one.method == "INVITE" and not one.in_dialog]
        return [one for one in invites if one.request is not None] or invites

    @property
    def ended(self) -> bool:
        """Whether somebody hung up."""
        return bool(self.byes)

    def transaction(self, method: str, cseq: int | None, from_tag: str) -> Transaction | None:
        """The latest with this method, CSeq and From tag; what is not known fits all."""
        for one in reversed(self.transactions):
            if one.method != method:
                continue
            if cseq is not None and one.cseq is not None and cseq != one.cseq:
                continue
            if from_tag and one.from_tag and from_tag != one.from_tag:
                continue
            return one
        return None

    def has_failed(self) -> bool:
        """Whether all its INVITEs got a final response that is no 2xx, or were cancelled."""
        attempts = self.attempts
        return bool(attempts) and all(
            (one.finals or one.elsewhere or one.ordered or one.cancelled) and not self.is_answered(one)
            for one in attempts
        )

    @staticmethod
    def is_answered(one: Transaction) -> bool:
        """Whether a 2xx went back, as far as the recording shows."""
        finals = one.finals or one.elsewhere
        if finals:
            return any(200 <= final.status < 300 for final in finals)
        return any(200 <= (seen.sip.status or 0) < 300 for seen in one.ordered.values())


class CallIndex:
    """Assigns messages to calls, and tells the calls of them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._rows: dict[str, list[Call]] = {}  # by Call-ID
        # "t" transaction, "d" dialog, "m" connection and message
        self._by_id: dict[str, Call] = {}
        self._transactions: dict[str, Transaction] = {}  # by the protocol's transaction id
        self._lacking = Lacking()

    def learn(self, item: Shown) -> None:
        """Take the next message of the recording."""
        if item.entry.kind is EntryKind.DAMAGE:
            self._lacking.last = item.number
            return
        seen = observe(item)
        call = self._call(item, seen)
        if call is None:
            return
        call.messages += 1
        message = item.message
        clock = item.entry.time or (message.get("time") if message else "")
        call.begin = call.begin or clock
        call.end = clock or call.end
        if seen is not None:
            self._observed(call, seen, item)
        if message is None:
            return
        match message.kind:
            case MessageKind.PROXY:
                one = self._transactions.get(message.get("transaction-id"))
                if one is not None:
                    one.responded = one.proxied = True
            case MessageKind.NO | MessageKind.NOK:
                call.refused = (item.answers or item.number, one_line(message.get("text"), 80))
                for one in call.transactions:
                    one.refused(item.answers)
            case MessageKind.CDR:
                if message.get("reason") and not call.reason:
                    call.reason = one_line(message.get("reason"), 60)
            case _:
                pass

    def of(self, item: Shown) -> Call | None:
        """The call of a message, as far as what was learnt tells."""
        message = item.message
        if message is not None:
            found = self._by_id.get(f"m{item.entry.connection} {message.id}")
            if found is not None:
                return found
        call_id = _call_id(item)
        rows = self._rows.get(call_id) if call_id else None
        if not rows:
            return None
        return rows[0] if len(rows) == 1 else _row_of(rows, observe(item), item.number)

    def matches(self, item: Shown, wanted: str) -> bool:
        """Whether a message belongs to the call ``wanted``: a Call-ID, a dialog id, or a number."""
        call = self.of(item)
        return call is not None and self.is_called(call, wanted)

    def is_called(self, call: Call, wanted: str) -> bool:
        """Whether ``wanted`` is its Call-ID, a dialog id of it, or its number."""
        return wanted in (call.call_id, str(call.number)) or self._by_id.get(f"d{wanted}") is call

    def _call(self, item: Shown, seen: Observation | None) -> Call | None:
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
        call = self._by_call_id(call_id, seen, item.number) if call_id else None
        if call is None:
            call = (
                (by_id.get(f"t{transaction}") if transaction and transaction != "unsolicited" else None)
                or (by_id.get(f"d{dialog}") if dialog else None)
                or self._by_call_id(dialog.partition(";")[0], seen, item.number)
                or (by_id.get(request) if request else None)
            )
        if call is None:
            if not call_id:
                return None
            call = self._new(call_id, item.number)
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

    def _new(self, call_id: str, first: int) -> Call:
        call = Call(len(self.calls) + 1, call_id, first, self._lacking)
        self.calls.append(call)
        self._rows.setdefault(call_id, []).append(call)
        return call

    def _by_call_id(self, call_id: str, seen: Observation | None, number: int) -> Call | None:
        """The call of a Call-ID; a new one if the message begins it, none if the Call-ID is not known."""
        rows = self._rows.get(call_id)
        if not rows:
            return None
        if seen is not None and seen.sip.method == "INVITE" and seen.sip.is_request and begins(rows, seen):
            return self._new(call_id, number)
        return rows[0] if len(rows) == 1 else _row_of(rows, seen, number)

    def _observed(self, call: Call, seen: Observation, item: Shown) -> None:
        text = seen.sip
        number, method = text.cseq
        method = method or (text.method if text.is_request else "")
        from_tag, to_tag = tags(text)
        if not text.is_request:
            self._responded(call, seen, method, number=number, from_tag=from_tag, to_tag=to_tag)
            return
        if method == "INVITE":
            call.tags.update(one for one in (from_tag, to_tag) if one)
        if method in _BELONG_TO_INVITE:
            one = call.transaction("INVITE", number, from_tag)
            if one is not None:
                one.acknowledged(seen) if method == "ACK" else one.cancel(seen)
                return
            if method == "CANCEL" or call.transactions:
                return
        one = call.transaction(method, number, from_tag)
        if one is None:
            # An INVITE without To tag in a dialog is a re-INVITE of somebody who lost the tag.
            lost = method == "INVITE" and any(call.is_answered(tried) for tried in call.attempts)
            one = Transaction(method, number, from_tag, item.number)
            one.in_dialog = lost
            self._keep(call, one)
        elif one.source == APPLICATION and one.cseq is None:
            one.cseq, one.from_tag = number, from_tag
        one.requested(seen)
        if seen.transaction and seen.transaction != "unsolicited":
            self._remember(seen.transaction, one)
        if item.message is not None and item.message.kind is MessageKind.NETWORK_REQUEST:
            one.told_application = one.told_application or item.number
        if method == "PRACK":
            for invite in call.transactions:
                if invite.method == "INVITE":
                    invite.prack = True
        elif method == "BYE":
            _hung_up(call, seen, from_tag, to_tag)
        _name(call, one, one.request)

    def _responded(
        self, call: Call, seen: Observation, method: str, *, number: int | None, from_tag: str, to_tag: str
    ) -> None:
        one: Transaction | None = None
        if seen.source == APPLICATION:
            one = self._transactions.get(seen.transaction)
        elif method:
            one = call.transaction(method, number, from_tag)
        if one is None and not method:
            one = next((known for known in call.transactions if known.method not in _WITHIN), None)
        if one is None:
            if not method:
                return
            one = Transaction(method, number, from_tag, seen.number)
            self._keep(call, one)
            _name(call, one, seen.sip)
        one.responded_by(seen)
        if one.method == "INVITE" and to_tag:
            call.tags.update((from_tag, to_tag))

    def _keep(self, call: Call, one: Transaction) -> None:
        call.transactions.append(one)
        if len(call.transactions) > _MOST_TRANSACTIONS:
            del call.transactions[1]
            call.left_out += 1

    def _remember(self, transaction: str, one: Transaction) -> None:
        known = self._transactions
        known.setdefault(transaction, one)
        if len(known) > _MOST_KEYS:
            for key in list(known)[: _MOST_KEYS // 4]:
                del known[key]


def begins(rows: list[Call], seen: Observation) -> bool:
    """Whether an INVITE with a known Call-ID begins a call of its own."""
    from_tag, to_tag = tags(seen.sip)
    if to_tag:
        return False
    number = seen.sip.cseq[0]
    if any(call.transaction("INVITE", number, from_tag) for call in rows):
        return False
    last = rows[-1]
    attempts = last.attempts
    if not attempts:
        return False
    if last.ended:
        return True
    if last.has_failed():
        return False
    return bool(from_tag) and all(one.from_tag != from_tag for one in attempts)


def _row_of(rows: list[Call], seen: Observation | None, number: int) -> Call:
    """Which of several calls with one Call-ID a message belongs to: by CSeq and tags, else the one under way."""
    under_way = next((call for call in reversed(rows) if call.first <= number), rows[0])
    if seen is None:
        return under_way
    from_tag, to_tag = tags(seen.sip)
    wanted = {one for one in (from_tag, to_tag) if one}
    cseq, method = seen.sip.cseq
    method = "INVITE" if method in _BELONG_TO_INVITE else method
    chosen, most = under_way, 0
    for call in (under_way, *reversed(rows)):
        # Its CSeq tells more than tags, which a caller may use again.
        known = call.transaction(method, cseq, from_tag) is not None
        fit = 2 * len(wanted & call.tags) + 5 * known
        if fit > most:
            chosen, most = call, fit
    return chosen


def _hung_up(call: Call, seen: Observation, from_tag: str, to_tag: str) -> None:
    """A BYE: first, again, told by a frame, or the server's echo of one that was asked for."""
    for index, known in enumerate(call.byes):
        same = (known.from_tag, known.to_tag) == (from_tag, to_tag)
        echo = known.source == APPLICATION and seen.source == SERVER
        asked = known.source == SERVER and seen.source == APPLICATION and not from_tag
        if not (same or echo or asked):
            continue
        call.byes[index] = msgspec.structs.replace(
            known,
            from_tag=known.from_tag or from_tag,
            to_tag=known.to_tag or to_tag,
            clock=known.clock or seen.clock,
            at=seen.at if known.at is None else known.at,
            source=known.source if same else SERVER,
            by_application=known.by_application or seen.by_application,
            made_by_server=known.made_by_server or seen.made_by_server,
        )
        return
    call.byes.append(
        Bye(
            from_tag,
            to_tag,
            seen.clock,
            seen.at,
            seen.source,
            seen.by_application,
            seen.made_by_server,
            one_line(seen.sip.first("Reason"), 60),
            seen.number,
        )
    )


def _name(call: Call, one: Transaction, text: SipMessage | None) -> None:
    """Who calls whom, by the request that counts most; by a response, where the recording has no request."""
    first = call.method == ""
    if not first and (call.method == "INVITE" or one.method != "INVITE"):
        return
    if text is None:
        return
    call.method = one.method
    call.caller = party(text.first("From"))
    call.callee = party(text.first("To")) or text.uri
    call.from_value, call.to_value = text.first("From"), f"{text.first('To')} {text.uri}"


def party(address: str) -> str:
    """The user of an address, or else its host."""
    found = _USER_AND_HOST.search(address)
    if not found:
        return one_line(address, 30)
    return one_line(found[1] or found[2], 30)


def _call_id(item: Shown) -> str:
    text = item.content
    if not text:
        return ""
    end = text.find("\r\n\r\n")
    found = _CALL_ID.search(text, 0, end if end >= 0 else len(text))
    return found[1].strip() if found else ""
