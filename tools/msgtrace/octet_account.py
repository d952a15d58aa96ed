"""``msgtrace decode --stats``: what a file holds, and where each of its octets went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from msgtrace import messages
from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.messages import MessageKind
from msgtrace.octets import one_line
from msgtrace.ordinary import (
    META,
    NETWORK_REQUEST,
    NETWORK_RESPONSE,
    OK_WITH_REQUEST,
    OK_WITH_RESPONSE,
    SENT_REQUEST,
    SENT_RESPONSE,
    Run,
)

_KINDS = {
    OK_WITH_RESPONSE: MessageKind.OK,
    OK_WITH_REQUEST: MessageKind.OK,
    NETWORK_RESPONSE: MessageKind.NETWORK_RESPONSE,
    NETWORK_REQUEST: MessageKind.NETWORK_REQUEST,
    SENT_RESPONSE: MessageKind.SEND_RESPONSE,
}
_KIND_OF = attrgetter("lastindex")


class Statistics:
    """Counts the entries of a file."""

    def __init__(self) -> None:
        self.kinds: Counter[MessageKind] = Counter()
        self.sip: Counter[str] = Counter()
        self.damages = 0
        self.missing = 0
        """messages that lack octets at their end"""

    def take(self, found: Iterable[Entry | Run], damaged: Callable[[Entry], None]) -> None:
        """Count all of it; ``damaged`` gets what tells of damage."""
        for one in found:
            if isinstance(one, Run):
                self._count(one)
                continue
            self.missing += one.missing > 0
            match one.kind:
                case EntryKind.FRAME:
                    self.kinds[messages.kind_of(one.data, one.from_server)] += 1
                case EntryKind.SIP:
                    first = one.data.lstrip("\r\n").partition(" ")[0]
                    self.sip["responses" if first.startswith("SIP/") else one_line(first, 20)] += 1
                case EntryKind.DAMAGE:
                    self.damages += 1
                    damaged(one)
                case EntryKind.NOTE:
                    pass

    def _count(self, run: Run) -> None:
        groups = list(map(_KIND_OF, run.frames))
        for group, kind in _KINDS.items():
            if count := groups.count(group):
                self.kinds[kind] += count
        if SENT_REQUEST in groups:
            for frame in run.frames:
                if frame.lastindex == SENT_REQUEST:  # there are three kinds of these
                    self.kinds[messages.kind_of(frame.string[frame.start(META) : frame.end()], False)] += 1

    def lines(self, account: Account) -> Iterator[str]:
        """The table."""
        yield f"  taken for             {account.form or 'nothing'}"
        for name, count in sorted(self.kinds.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"  {count:12,}  {name.value}"
        for method, count in self.sip.most_common():
            yield f"  {count:12,}  SIP {method}"
        if account.ascii_frames:
            yield f"  {account.ascii_frames:12,}  frames in ASCII, whose length is right in any unit"
        for units, count in sorted(account.units.items(), key=lambda pair: -pair[1]):
            told = " = ".join(unit.value for unit in units) or "nothing: it is wrong"
            yield f"  {count:12,}  frames whose length counts {told}"
        if self.missing:
            yield f"  {self.missing:12,}  messages whose end lacks a few octets"
        yield f"  {account.total:12,}  octets in the file, of which"
        yield f"  {account.frames:12,}    frames"
        yield f"  {account.sip:12,}    SIP messages outside of frames"
        yield f"  {account.wrapping:12,}    what stands around them: arrows, times, escapes, line ends"
        yield f"  {account.other:12,}    other lines of the log"
        places = f" in {self.damages} place{'s' if self.damages != 1 else ''}" if self.damages else ""
        yield f"  {account.damage:12,}    damage{places}"
        yield f"  {account.decoded:12,}  octets decoded: all in the file less the damage"
