"""What every reader makes of a recording: entries, and an account of each octet of the file."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from msgspec import Struct

from msgtrace.frames import LengthUnit


class NotARecording(ValueError):
    """The input is in none of the known forms; the message says what stands at its beginning."""


class EntryKind(StrEnum):
    """What an entry is."""

    FRAME = "frame"
    SIP = "sip"
    NOTE = "note"
    DAMAGE = "damage"
    """octets that cannot be read"""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that a recording holds."""

    kind: EntryKind
    line: int = 0
    """line of the file on which it begins, from 1; of a packet capture, the packet; 0 in a bare stream"""
    place: str = "line"
    """what ``line`` counts, in a word"""
    offset: int = 0
    """where a frame or a damage begins in what its side of the connection sent, in octets"""
    time: str = ""
    """as the recording has it; empty if it has none"""
    connection: str = ""
    """which admin connection: a name or number, empty if the recording knows one only"""
    from_server: bool | None = None
    """direction, if it is known"""
    peer: str = ""
    """of a SIP message: the address on the other side of the server, ``udp/127.0.0.1:5060``"""
    source: str = ""
    """of a SIP message: the sender's address, ``udp/127.0.0.1:5060``, if the recording has it"""
    target: str = ""
    """and where it went"""
    data: str = ""
    """payload of a frame (without its length), SIP message, remark, or the explanation of a damage; octets"""
    length: int = -1
    """of a frame: the number before ``#``; -1 where the recording has none"""
    units: tuple[LengthUnit, ...] = ()
    """of a frame: what the length counts; empty if it is wrong"""
    missing: int = 0
    """octets that its end lacks: somebody trimmed line ends, or the log dropped them"""
    remark: str = ""
    """what else is to be said of it, in words"""
    lossy: bool = False
    """the log formats what it writes, so that lengths in it are hints only"""

    @property
    def where(self) -> str:
        """``line 12``, ``packet 7`` or ``octet 345``."""
        return f"{self.place} {self.line}" if self.line else f"octet {self.offset}"


class Account:
    """Where the octets of a file went. All numbers are octets of the file as it was before any clean-up,
    except ``frames`` and ``sip``, which count what was decoded.
    """

    __slots__ = (
        "ascii_frames",
        "damage",
        "form",
        "frames",
        "other",
        "put_right",
        "sip",
        "total",
        "units",
        "unread",
    )

    def __init__(self) -> None:
        self.total = 0
        """read, decompressed"""
        self.other = 0
        """lines of the log that are no message and hold no part of one"""
        self.damage = 0
        """what should have been a message and could not be read"""
        self.frames = 0
        """lengths, ``#`` and payloads"""
        self.sip = 0
        """SIP messages outside of frames"""
        self.form = ""
        """what the recording was taken for, in words"""
        self.ascii_frames = 0
        """frames whose length is right under every unit"""
        self.unread: Counter[str] = Counter()
        """packets of a capture that could not be followed, by what they are"""
        self.put_right: Counter[str] = Counter()
        """messages that were changed before they were read, by why"""
        self.units: dict[tuple[LengthUnit, ...], int] = {}
        """how many other frames had a length under exactly these units"""

    @property
    def decoded(self) -> int:
        """All but the damage."""
        return self.total - self.damage

    @property
    def wrapping(self) -> int:
        """What stands around messages: arrows, times, prefixes, JSON, escapes."""
        return self.total - self.damage - self.other - self.frames - self.sip
