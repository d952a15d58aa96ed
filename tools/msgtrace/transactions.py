"""One request of a call and what became of it, as its sender saw it.

A proxy sends copies of a request on, each in a transaction of its own with the same CSeq; their answers are not what
the caller saw. So a :class:`Transaction` here is what RFC 3261 §8.1.1.5 counts, one CSeq of one party, and a response
counts as its own if it went back the way the request came: by the branch of the topmost Via (§17.1.3), where the
recording has none by its direction.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgtrace.observed import APPLICATION, NETWORK, SERVER, Observation, tags
from msgtrace.octets import one_line
from msgtrace.sip import SipMessage


class Final:
    """A final response, with those that repeat it."""

    __slots__ = (
        *("at", "by_application", "by_server", "clock", "last_at", "number", "reason", "seen"),
        *("sender", "source", "status", "text", "to_tag", "told"),
    )

    def __init__(self, seen: Observation, status: int, to_tag: str) -> None:
        self.status = status
        self.text = one_line(seen.sip.start_line.partition(" ")[2].strip(), 60)
        """``486 Busy Here``"""
        self.to_tag = to_tag
        self.number = seen.number
        self.clock = seen.clock
        self.at = self.last_at = seen.at
        self.source = seen.source
        self.sender = seen.sender
        self.reason = one_line(seen.sip.first("Reason") or seen.sip.first("Warning"), 80)
        self.by_server = seen.made_by_server
        self.by_application = False
        self.seen = 0
        """how often it crossed the wire, as the recording shows"""
        self.told = 0
        """how often a frame tells of it"""
        self.count(seen)

    def count(self, seen: Observation) -> None:
        """Seen once more."""
        self.last_at = seen.at
        self.by_server = self.by_server or seen.made_by_server
        self.by_application = self.by_application or seen.by_application
        self.sender = self.sender or seen.sender
        self.seen += seen.on_wire
        self.told += not seen.on_wire and not seen.repeated

    @property
    def copies(self) -> int:
        """How often it was sent; frames repeat what SIP shows."""
        return self.seen or self.told


class Transaction:
    """A request, its provisional and its final responses, its ACK and its CANCEL."""

    __slots__ = (
        *("ack", "ack_at", "at", "branches", "by_application", "cancelled", "cancelled_by", "clock", "cseq"),
        *("elsewhere", "finals", "from_tag", "in_dialog", "last_at", "method", "number", "ordered", "prack"),
        *("provisional", "proxied", "receiver", "reliable", "request", "responded", "seen", "sender"),
        *("source", "told", "told_application", "unsent"),
    )

    def __init__(self, method: str, cseq: int | None, from_tag: str, number: int) -> None:
        self.method = method
        self.cseq = cseq
        self.from_tag = from_tag
        self.number = number
        """of its first message"""
        self.request: SipMessage | None = None
        """None if the recording has responses alone"""
        self.clock = ""
        self.at: float | None = None
        self.source = self.sender = self.receiver = ""
        """who sent it first, and the addresses if there are some: what is sent by others is on its way on"""
        self.last_at: float | None = None
        """when its first sender sent it last"""
        self.branches: set[str] = set()
        """of the request as its first sender sent it"""
        self.in_dialog = False
        self.by_application = False
        self.unsent = False
        """whether the server says that it could not send it"""
        self.seen = self.told = 0
        self.provisional = 0
        """status of the last provisional response"""
        self.reliable = 0
        """status of the last one that asks for a PRACK"""
        self.prack = False
        self.finals: list[Final] = []
        """that went back to who sent the request"""
        self.elsewhere: list[Final] = []
        """of the branches on its way on"""
        self.ordered: dict[int, Observation] = {}
        """final responses that an application asked for, by message"""
        self.told_application = 0
        """number of the message that brought it to an application"""
        self.responded = False
        self.proxied = False
        self.ack = False
        self.ack_at: float | None = None
        self.cancelled = False
        self.cancelled_by = ""

    @property
    def copies(self) -> int:
        """How often its first sender sent it."""
        return self.seen or self.told

    def requested(self, seen: Observation) -> None:
        """The request, first, again, or on its way on."""
        branch = seen.sip.branch
        if self.request is None:
            self.request, self.clock, self.at = seen.sip, seen.clock, seen.at
            self.in_dialog = self.in_dialog or bool(tags(seen.sip)[1])
            self.source, self.sender, self.receiver = seen.source, seen.sender, seen.receiver
        elif self.source == APPLICATION and seen.source == SERVER:
            self.source = SERVER  # the server's echo of what the application asked for
            self.request = seen.sip
        elif not self._is_sender(seen):
            return
        self.by_application = self.by_application or seen.by_application
        # A message and the frame that tells of it are the same; a caller that tries again has another branch.
        if branch:
            self.branches.add(branch)
        self.unsent = self.unsent or seen.unsent
        self.last_at = seen.at
        self.seen += seen.on_wire
        self.told += not seen.on_wire and not seen.repeated and seen.source != APPLICATION

    def responded_by(self, seen: Observation) -> None:
        """A response, wherever it was seen."""
        text = seen.sip
        status = text.status or 0
        if seen.source == APPLICATION:
            self.responded = True
            if status >= 200:
                self.ordered[seen.number] = seen
            elif status:
                self._provisional(text, status)
            return
        own = self._is_own(seen)
        if status < 200:
            if own and status:
                self._provisional(text, status)
            return
        to_tag = tags(text)[1]
        finals = self.finals if own else self.elsewhere
        for final in finals:
            if final.status == status and final.to_tag == to_tag:
                final.count(seen)
                return
        finals.append(Final(seen, status, to_tag))

    def refused(self, number: int) -> None:
        """The server did not do what message ``number`` asked for."""
        self.ordered.pop(number, None)

    def acknowledged(self, seen: Observation) -> None:
        """An ACK with its CSeq."""
        if not self.source or seen.source == APPLICATION or self._is_sender(seen):
            if not self.ack:
                self.ack_at = seen.at
            self.ack = True
        elif self.elsewhere and self.finals:
            pass  # what a proxy acknowledges hop by hop
        else:
            self.ack = True

    def cancel(self, seen: Observation) -> None:
        """A CANCEL with its CSeq."""
        given_up = 'text="PRACK timeout"' in seen.sip.first("Reason")
        own = not self.source or seen.source == APPLICATION or self._is_sender(seen)
        own = own or (self.source == APPLICATION and seen.source == SERVER)
        if not own:
            return  # of a branch, by a proxy
        self.cancelled = True
        if given_up:
            self.cancelled_by = "the server for want of a PRACK"
        elif not self.cancelled_by or seen.by_application:
            self.cancelled_by = "the caller (the application)" if seen.by_application else "the caller"

    def _is_sender(self, seen: Observation) -> bool:
        """Whether it comes from who sent the request; which address is the server's may turn out later."""
        return seen.source == self.source or bool(seen.sender and seen.sender == self.sender)

    def _provisional(self, text: SipMessage, status: int) -> None:
        self.provisional = status
        if text.has("RSeq"):
            self.reliable = status

    def _is_own(self, seen: Observation) -> bool:
        """Whether it went back to who sent the request."""
        if not self.source:
            return True  # the request is not in the recording
        if self.source in (SERVER, APPLICATION):
            return seen.source != SERVER
        branch = seen.sip.branch
        if branch and self.branches:
            return branch in self.branches
        if self.source == NETWORK:
            return seen.source == SERVER
        return seen.source != self.source


def best(finals: Iterable[Final]) -> Final | None:
    """Which of the answers of all branches a caller gets (RFC 3261 §16.7): a 2xx, a 6xx, the lowest class; the first
    of these."""
    chosen = sorted(finals, key=lambda final: (_rank(final.status), final.number))
    return chosen[0] if chosen else None


def _rank(status: int) -> int:
    return {2: 0, 6: 1}.get(status // 100, status // 100)
