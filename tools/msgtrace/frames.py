"""Finds the frames of the admin protocol in a stream of octets, whatever happened to that stream.

A frame is ``<length>#<payload>``. What the length counts depends on who wrote it: octets since server 0.9,
Unicode code points in 0.7.3–0.8.26, UTF-16 units in old clients. For a payload in ASCII all three agree.
For others the decoder tries octets, code points, UTF-16 units in this order, and takes the first after
which another frame, or nothing, follows; :attr:`Frame.units` tells which fit.

Logs are lossy too: a code point that was cut in two becomes U+FFFD, one for each part, and the text is then
longer than its length says (:attr:`LengthUnit.INFLATED`). Where no reading fits, a :class:`Damage` names
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


class Frame(Struct, frozen=True):
    """One frame."""

    offset: int
    """where its first digit stands in the stream, in octets"""
    length: int
    """the number before ``#``, as written"""
    payload: str
    """octets after ``#``"""
    units: tuple[LengthUnit, ...]
    """every unit under which ``length`` is right; empty never"""

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


_HEAD = re.compile(rb"([0-9]{1,10})#")
_MAYBE_HEAD = re.compile(rb"[0-9]{1,10}\Z")
_WHITESPACE = re.compile(rb"[\r\n \t]+")
_FRAME_AHEAD = re.compile(rb"[\r\n \t]*[0-9]{1,10}(#|\Z)")
# Where to go on after damage: a length and a message id, verb and separator as every writer makes them.
_RESUME = re.compile(rb"(?<![0-9])[0-9]{1,10}#[^|#\r\n]{0,200}\|[a-z_]+")
_REPLACEMENT = "�".encode()


class FrameDecoder:
    """Feed it a stream in pieces of any size; it returns what each piece completed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's first octet in the stream

    def feed(self, data: bytes) -> list[Frame | Damage]:
        """Take more octets and return the frames and damages that are now certain."""
        self._buffer += data
        return self._decode(final=False)

    def close(self) -> list[Frame | Damage]:
        """The stream has ended: return what is left, an incomplete frame as a damage."""
        found = self._decode(final=True)
        if self._buffer:
            kind = DamageKind.TRUNCATED if _FRAME_AHEAD.match(self._buffer) else DamageKind.NO_LENGTH
            found.append(self._damage(len(self._buffer), kind))
        return found

    def pending(self) -> int:
        """How many octets wait for the rest of their frame."""
        return len(self._buffer)

    def _decode(self, *, final: bool) -> list[Frame | Damage]:
        found: list[Frame | Damage] = []
        while self._buffer:
            item = self._next(final=final)
            if item is None:
                break
            found.append(item)
        return found

    def _next(self, *, final: bool) -> Frame | Damage | None:
        head = _HEAD.match(self._buffer)
        if head is None:
            if whitespace := _WHITESPACE.match(self._buffer):
                return self._damage(whitespace.end(), DamageKind.STRAY_WHITESPACE)
            if _MAYBE_HEAD.match(self._buffer):
                return None
            return self._damage(self._resume_at(1), DamageKind.NO_LENGTH)
        start, length = head.end(), int(head[1])
        ends = unit_ends(self._buffer, start, length)
        plausible = {unit: end for unit, end in ends.items() if self._boundary(end)}
        if plausible:
            end = next(iter(plausible.values()))
            return self._frame(start, length, end, tuple(u for u, e in plausible.items() if e == end))
        resume = _RESUME.search(self._buffer, start)
        if resume is None and not final and len(ends) < 3:
            return None
        if resume is not None and _REPLACEMENT in self._buffer[start : resume.start()]:
            end = _without_stray_line_end(self._buffer, start, resume.start())
            return self._frame(start, length, end, (LengthUnit.INFLATED,))
        if LengthUnit.BYTES in ends:
            # Complete by octets, yet what follows is no frame: believe the length, the rest is damage.
            return self._frame(start, length, ends[LengthUnit.BYTES], (LengthUnit.BYTES,))
        if resume is not None:
            return self._damage(resume.start(), DamageKind.LENGTH_MISMATCH)
        return self._damage(len(self._buffer), DamageKind.TRUNCATED) if final else None

    def _boundary(self, end: int) -> bool:
        return end == len(self._buffer) or _FRAME_AHEAD.match(self._buffer, end) is not None

    def _resume_at(self, start: int) -> int:
        resume = _RESUME.search(self._buffer, start)
        return len(self._buffer) if resume is None else resume.start()

    def _frame(self, start: int, length: int, end: int, units: tuple[LengthUnit, ...]) -> Frame:
        frame = Frame(self._offset, length, self._buffer[start:end].decode("latin-1"), units)
        self._consume(end)
        return frame

    def _damage(self, size: int, kind: DamageKind) -> Damage:
        damage = Damage(self._offset, self._buffer[:size].decode("latin-1"), kind)
        self._consume(size)
        return damage

    def _consume(self, size: int) -> None:
        del self._buffer[:size]
        self._offset += size


def unit_ends(data: bytes | bytearray, start: int, length: int) -> dict[LengthUnit, int]:
    """Where a payload that starts at ``start`` ends under each unit; units for which ``data`` is too short
    lack.

    Octets that are not UTF-8 count as one unit each unless they look like continuations (``10xxxxxx``).
    """
    ends: dict[LengthUnit, int] = {}
    if start + length > len(data):
        return ends
    ends[LengthUnit.BYTES] = start + length
    if bytes(data[start : start + length]).isascii():
        following = data[start + length : start + length + 1]
        if not following or following[0] & 0xC0 != 0x80:
            return ends | {LengthUnit.CODE_POINTS: start + length, LengthUnit.UTF16: start + length}
    for unit in (LengthUnit.CODE_POINTS, LengthUnit.UTF16):
        end = _unit_end(data, start, length, wide_counts_twice=unit is LengthUnit.UTF16)
        if end is not None:
            ends[unit] = end
    return ends


def _unit_end(data: bytes | bytearray, start: int, length: int, *, wide_counts_twice: bool) -> int | None:
    counted = 0
    position = start
    size = len(data)
    while position < size:
        octet = data[position]
        if octet & 0xC0 != 0x80:
            if counted >= length:
                break
            counted += 2 if wide_counts_twice and octet >= 0xF0 else 1
        position += 1
    return position if counted == length else None


def _without_stray_line_end(data: bytes | bytearray, start: int, end: int) -> int:
    """Loggers put one CRLF behind a record; a SIP message without a body ends in two."""
    if data[start:end].endswith(b"\r\n\r\n\r\n"):
        return end - 2
    return end


def decode(data: bytes) -> list[Frame | Damage]:
    """All frames and damages of a complete stream."""
    decoder = FrameDecoder()
    return decoder.feed(data) + decoder.close()
