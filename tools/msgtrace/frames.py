"""Finds the frames of the admin protocol in a stream of octets, whatever happened to that stream.

A frame is ``<length>#<payload>``. What the length counts depends on who wrote it: octets since server 0.9,
Unicode code points in 0.7.3–0.8.26, UTF-16 units in old clients. For a payload in ASCII all three agree.
For others the decoder tries octets, code points, UTF-16 units in this order, and takes the first after
which another frame, or nothing, follows; :attr:`Frame.units` tells which fit.

Logs are lossy too: a code point that was cut in two becomes U+FFFD, one for each part, and the text is then
longer than its length says (:attr:`LengthUnit.INFLATED`); line ends at the end are trimmed
(:attr:`Frame.missing`); ``debug()`` formats what it is given. Where no reading fits, a :class:`Damage` names
what is wrong and the decoder goes on at the next thing that looks like a frame.

Nothing here raises on any input. Octets are held as ``str``, one character for each octet (latin-1).
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct


class LengthUnit(StrEnum):
    """What the length of a frame counts."""

    BYTES = "bytes"
    CODE_POINTS = "code-points"
    UTF16 = "utf-16"
    INFLATED = "inflated"
    """none of them: replacement characters made the payload longer than its length"""


class DamageKind(StrEnum):
    """Why octets are not a frame."""

    STRAY_WHITESPACE = "stray-whitespace"
    """line ends or blanks between frames: harmless, some clients skip them"""
    NO_LENGTH = "no-length"
    """not digits followed by ``#``"""
    LENGTH_MISMATCH = "length-mismatch"
    """a length, but the next frame begins earlier than it says"""
    TRUNCATED = "truncated"
    """the stream ended within a frame"""
    GIGANTIC = "gigantic"
    """a length beyond :data:`LIMIT`: no writer makes such a frame, and nobody should wait for its end"""


class Frame(Struct, frozen=True, gc=False):
    """One frame."""

    offset: int
    """where its first digit stands in the stream, in octets"""
    length: int
    """the number before ``#``, as written"""
    payload: str
    """octets after ``#``"""
    units: tuple[LengthUnit, ...]
    """every unit under which ``length`` is right; empty if none is and something else tells the frame's end"""
    missing: int = 0
    """octets that the end lacks by its length: line ends that somebody trimmed"""

    @property
    def text(self) -> str:
        """The payload as Unicode; octets that are not UTF-8 show as U+FFFD."""
        return self.payload.encode("latin-1").decode("utf-8", "replace")


class Damage(Struct, frozen=True):
    """Octets that belong to no frame."""

    offset: int
    octets: str
    kind: DamageKind

    @property
    def explanation(self) -> str:
        """One sentence: what was expected, what stands there, where."""
        shown = ascii(self.octets[:24])
        more = "…" if len(self.octets) > 24 else ""
        match self.kind:
            case DamageKind.STRAY_WHITESPACE:
                return f"{shown} between frames at octet {self.offset}"
            case DamageKind.NO_LENGTH:
                return f"expected digits and '#' at octet {self.offset}, got {shown}{more}"
            case DamageKind.LENGTH_MISMATCH:
                return f"the frame at octet {self.offset} is shorter than its length says: {shown}{more}"
            case DamageKind.TRUNCATED:
                return f"the stream ends within the frame at octet {self.offset}: {shown}{more}"
            case DamageKind.GIGANTIC:
                return f"the length at octet {self.offset} is beyond that of any frame: {shown}{more}"


LIMIT = 16 * 1024 * 1024
"""Octets of a payload that the decoder waits for at most; the genuine server stops at five digits."""

_HEAD = re.compile(rb"([0-9]{1,10})#")
_MAYBE_HEAD = re.compile(rb"[0-9]{1,10}\Z")
_ENDS_IN_DIGITS = re.compile(rb"(?:[\r\n]|\A)[0-9]{1,10}\Z")
_WHITESPACE = re.compile(rb"[\r\n \t]+")
_EXACTLY_AHEAD = re.compile(rb"[0-9]{1,10}(#|\Z)")
_FRAME_AHEAD = re.compile(rb"[\r\n \t]*[0-9]{1,10}(#|\Z)")
# Where to go on after damage: a length and a message id, verb and separator as every writer makes them.
_RESUME = re.compile(rb"(?<![0-9])[0-9]{1,10}#[^|#\r\n]{0,200}\|[a-z_]+")
_BEGINNING_OF_RESUME = re.compile(rb"(?<![0-9])[0-9]{1,10}(?:#[^|#\r\n]{0,200}\|?)?\Z")
_REPLACEMENT = "�".encode()
_TRIMMED = 4  # octets: the two line ends of a message without a body
ALL_UNITS = (LengthUnit.BYTES, LengthUnit.CODE_POINTS, LengthUnit.UTF16)
"""of a payload in ASCII"""
_NOT_YET = None


class FrameDecoder:
    """Feed it a stream in pieces of any size; it returns what each piece completed.

    ``lossy`` says that lengths are hints only (``debug()`` output): a frame whose length is wrong under
    every unit ends where the next one begins, instead of being damage.
    """

    def __init__(self, *, lossy: bool = False) -> None:
        self._lossy = lossy
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = 0  # octets from the beginning of the first piece without which a look is in vain
        self._offset = 0  # of the first piece in the stream
        self._unit = LengthUnit.BYTES  # what the last frame that told the units apart counted

    def feed(self, data: bytes) -> list[Frame | Damage]:
        """Take more octets and return the frames and damages that are now certain."""
        self._pieces.append(data)
        self._held += len(data)
        return self._decode(final=False) if self._held >= self._needed else []

    def exactly_one(self, data: bytes) -> int:
        """Take ``data`` if nothing waits and it is one frame in ASCII, no more and no less: where its payload begins.

        0 if it is not; then nothing was taken. It is what :meth:`feed` does, for the common case and quicker.
        """
        if self._held:
            return 0
        head = _HEAD.match(data)
        if head is None:
            return 0
        start = head.end()
        if start + int(head[1]) != len(data) or not data.isascii():
            return 0
        self._offset += len(data)
        return start

    def skip(self, size: int) -> bool:
        """Somebody else has read a frame of ``size`` octets; False, and nothing is skipped, if octets wait here."""
        if self._held:
            return False
        self._offset += size
        return True

    def take_back(self) -> bytes:
        """What waits, as if it had not been fed."""
        left = b"".join(self._pieces)
        self._pieces, self._held, self._needed = [], 0, 0
        return left

    def close(self) -> list[Frame | Damage]:
        """The stream has ended: return what is left, an incomplete frame as a damage. More may be fed."""
        return self._decode(final=True)

    def pending(self) -> int:
        """How many octets wait for the rest of their frame."""
        return self._held

    @property
    def offset(self) -> int:
        """Where what waits, or else what comes next, stands in the stream."""
        return self._offset

    @property
    def within_frame(self) -> bool:
        """Whether what waits is a part of a frame, and does not end in what may be the next one's length."""
        if not self._held or _HEAD.match(self._pieces[0]) is None:
            return False
        return _ENDS_IN_DIGITS.search(self._pieces[-1][-11:]) is None

    def _decode(self, *, final: bool) -> list[Frame | Damage]:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        found: list[Frame | Damage] = []
        position, size, offset = 0, len(data), self._offset
        self._needed = 0
        head = _HEAD.match(data)
        while position < size:
            if head is not None:  # the common case: ASCII, and the next frame or nothing follows
                start, length = head.end(), int(head[1])
                end = start + length
                following = _HEAD.match(data, end) if end < size else None
                if end == size or following is not None:
                    payload = data[start:end]
                    if payload.isascii():
                        found.append(Frame(offset + position, length, payload.decode("ascii"), ALL_UNITS))
                        position, head = end, following
                        continue
            item = self._irregular(data, position, head, final=final)
            if item is None:
                break
            found.append(item[0])
            position = item[1]
            head = _HEAD.match(data, position)
        rest = data[position:] if position < size else b""
        self._pieces = [rest] if rest else []
        self._held = len(rest)
        self._offset += position
        return found

    def _irregular(
        self, data: bytes, position: int, head: re.Match[bytes] | None, *, final: bool
    ) -> tuple[Frame | Damage, int] | None:
        """The next thing and where it ends; None if that cannot be told yet."""
        if head is None:
            if whitespace := _WHITESPACE.match(data, position):
                return self._damage(data, position, whitespace.end(), DamageKind.STRAY_WHITESPACE)
            if _MAYBE_HEAD.match(data, position):
                return self._damage(data, position, len(data), DamageKind.TRUNCATED) if final else _NOT_YET
            end = _resume_at(data, position + 1, final=final)
            return self._damage(data, position, end, DamageKind.NO_LENGTH)
        start, length = head.end(), int(head[1])
        if length > LIMIT:
            return self._damage(data, position, _resume_at(data, start, final=final), DamageKind.GIGANTIC)
        ends = unit_ends(data, start, length)
        if not ends and not final:
            self._needed = start + length - position
            return _NOT_YET
        if not final and self._unit in (LengthUnit.CODE_POINTS, LengthUnit.UTF16) and self._unit not in ends:
            return _NOT_YET
        end, units = self._plausible(data, start, ends)
        if units:
            return self._frame(data, position, start, length=length, end=end, units=units)
        return self._by_other_signs(data, position, start, length, ends, final=final)

    def _plausible(
        self, data: bytes, start: int, ends: dict[LengthUnit, int]
    ) -> tuple[int, tuple[LengthUnit, ...]]:
        """The end behind which a frame or nothing stands, at once rather than behind white space."""
        said = LengthUnit.BYTES
        for ahead in (_EXACTLY_AHEAD, _FRAME_AHEAD):
            fitting = {
                unit: end
                for unit, end in ends.items()
                if end == len(data)
                or (ahead.match(data, end) is not None and (unit is said or not _in_a_number(data, end)))
            }
            if fitting:
                end = fitting.get(self._unit, next(iter(fitting.values())))
                units = tuple(unit for unit, other in fitting.items() if other == end)
                if said not in units and data.find(_REPLACEMENT, start, end) >= 0:
                    return end, (LengthUnit.INFLATED,)  # two characters for an octet each, by chance as many
                if len(set(ends.values())) > 1:
                    self._unit = units[0]
                return end, units
        return 0, ()

    def _by_other_signs(
        self,
        data: bytes,
        position: int,
        start: int,
        length: int,
        ends: dict[LengthUnit, int],
        *,
        final: bool,
    ) -> tuple[Frame | Damage, int] | None:
        """No unit fits: replacement characters, trimmed line ends, a lossy log, or damage."""
        size, said_end = len(data), start + length
        resume = _RESUME.search(data, start)
        next_frame = resume.start() if resume else size
        inflated = data.find(_REPLACEMENT, start, next_frame) >= 0
        if resume is None and not final and (len(ends) < 3 or inflated or self._lossy):
            if size - start < 4 * length + 1024:
                return _NOT_YET
        elif resume is not None or final:
            if inflated and next_frame > said_end:
                end = _without_stray_line_end(data, start, next_frame)
                return self._frame(
                    data, position, start, length=length, end=end, units=(LengthUnit.INFLATED,)
                )
            if 0 < said_end - next_frame <= _TRIMMED and next_frame > start:
                missing = said_end - next_frame
                return self._frame(data, position, start, length=length, end=next_frame, missing=missing)
            if self._lossy:
                end = _without_stray_line_end(data, start, next_frame)
                return self._frame(data, position, start, length=length, end=end)
            if resume is not None and next_frame < said_end:
                return self._damage(data, position, next_frame, DamageKind.LENGTH_MISMATCH)
        if LengthUnit.BYTES in ends:
            # Complete by octets, yet what follows is no frame: believe the length, the rest is damage.
            return self._frame(
                data, position, start, length=length, end=ends[LengthUnit.BYTES], units=(LengthUnit.BYTES,)
            )
        return self._damage(data, position, size, DamageKind.TRUNCATED) if final else _NOT_YET

    def _frame(
        self,
        data: bytes,
        position: int,
        start: int,
        *,
        length: int,
        end: int,
        units: tuple[LengthUnit, ...] = (),
        missing: int = 0,
    ) -> tuple[Frame, int]:
        payload = data[start:end].decode("latin-1")
        return Frame(self._offset + position, length, payload, units, missing), end

    def _damage(self, data: bytes, position: int, end: int, kind: DamageKind) -> tuple[Damage, int] | None:
        if end <= position:
            return _NOT_YET
        return Damage(self._offset + position, data[position:end].decode("latin-1"), kind), end


def _resume_at(data: bytes, start: int, *, final: bool) -> int:
    """Where decoding can go on: the next head, or the beginning of one at the end, or the end."""
    resume = _RESUME.search(data, start)
    if resume is None and not final:
        resume = _BEGINNING_OF_RESUME.search(data, max(start, len(data) - 220))
    return len(data) if resume is None else resume.start()


def unit_ends(data: bytes, start: int, length: int) -> dict[LengthUnit, int]:
    """Where a payload that starts at ``start`` ends under each unit; units for which ``data`` is too short
    lack. Octets that are not UTF-8 count as one unit each.
    """
    end = start + length
    if end > len(data):
        return {}
    if data[start:end].isascii() and (end == len(data) or data[end] & 0xC0 != 0x80):
        return dict.fromkeys(ALL_UNITS, end)
    ends = {LengthUnit.BYTES: end}
    text = data[start : start + 4 * length].decode("utf-8", "surrogateescape")
    if len(text) >= length:
        ends[LengthUnit.CODE_POINTS] = start + len(text[:length].encode("utf-8", "surrogateescape"))
    wide = text.encode("utf-16-le", "surrogatepass")
    if len(wide) >= 2 * length:
        try:
            counted = wide[: 2 * length].decode("utf-16-le", "surrogatepass")
            ends[LengthUnit.UTF16] = start + len(counted.encode("utf-8", "surrogateescape"))
        except UnicodeError:
            pass  # the length would cut a character in two
    return ends


def _in_a_number(data: bytes, place: int) -> bool:
    """Whether ``place`` is between two digits: hardly the end of a frame, rather that of a wrong guess."""
    return data[place - 1 : place].isdigit() and data[place : place + 1].isdigit()


def _without_stray_line_end(data: bytes, start: int, end: int) -> int:
    """Loggers put one CRLF behind a record; a SIP message without a body ends in two."""
    if data[start:end].endswith(b"\r\n\r\n\r\n"):
        return end - 2
    return end


_ANY_HEAD = re.compile(rb"[0-9]{1,10}#")
_GOES_ON = re.compile(rb"[\r\n]+(?:[A-Za-z][A-Za-z0-9-]*[ \t]*:|[a-z]=|[0-9]{1,10}#|\Z)")


def end_of_frames(data: bytes) -> int:
    """Where the whole frames at the beginning of ``data`` end, if lines of somebody else stand behind them; else all.

    What stands there must begin a line and look neither like SIP nor like SDP.
    """
    place = 0
    while (head := _ANY_HEAD.match(data, place)) is not None:
        ends = unit_ends(data, head.end(), int(data[place : head.end() - 1]))
        exact = [end for end in ends.values() if end == len(data) or _ANY_HEAD.match(data, end)]
        fitting = exact or [end for end in ends.values() if data[end : end + 1] in b"\r\n"]
        if not fitting:
            return len(data)
        place = exact[0] if exact else max(fitting)
    if not place or place == len(data):
        return len(data)
    # Text in ASCII that no printf has touched is as long as it says; of other text a length may be too short.
    if (not data[:place].isascii() or b"%" in data[:place]) and _GOES_ON.match(data, place):
        return len(data)
    if _ANY_HEAD.match(data, place + len(data[place:]) - len(data[place:].lstrip(b"\r\n"))):
        return len(data)
    return place if data[place : place + 1] in b"\r\n" and data[place:].strip() else len(data)


def end_of_plain(data: bytes, place: int) -> int:
    """Where a frame in ASCII at ``place`` ends, if another one follows; else -1."""
    head = _HEAD.match(data, place)
    end = head.end() + int(head[1]) if head else -1
    plain = 0 <= end < len(data) and _HEAD.match(data, end) is not None and data[place:end].isascii()
    return end if plain else -1


def decode(data: bytes) -> list[Frame | Damage]:
    """All frames and damages of a complete stream."""
    decoder = FrameDecoder()
    return decoder.feed(data) + decoder.close()
