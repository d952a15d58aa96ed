"""Frames: ``<decimal octet count>#<payload>``, cut out of a stream that arrives in any pieces (FRAME-1 … FRAME-9).

Feed what arrives, then take frames until there is none::

    decoder.feed(data)
    while (payload := decoder.next_frame()) is not None:
        ...

The decoder is strict: one to eight ASCII digits, then ``#``. A count of zero is skipped. What is neither is a
:class:`FramingError`, after which the stream has no next frame: nobody knows where one would begin.
"""

from __future__ import annotations

from typing import Final

from reference_server.wire.decimal import decimal

MAX_DIGITS: Final = 8
"""Enough for the highest limit that a frame can have (99,999,999 octets)."""

_SHOWN = 16  # octets of an offending stream that an error shows
_SHOWN_BAR = "\\x7c"  # the text becomes a token


class FramingError(Exception):
    """The stream is not frames; the text says what was expected, what came and at which octet of the stream."""

    def __init__(self, expected: str, came: str, offset: int) -> None:
        super().__init__(f"framing error: expected {expected}, got {came} at byte {offset}")
        self._expected = expected
        self._came = came
        self._offset = offset
        self.too_large = False
        """it is a frame, and larger than it may be"""

    def of_a_stranger(self) -> str:
        """The text before authentication: of what came only the first token, for what follows may be the secret."""
        first, cut, _ = self._came.partition(_SHOWN_BAR)
        came = f"{first}{_SHOWN_BAR}…{self._came[0]}" if cut else self._came
        return f"framing error: expected {self._expected}, got {came} at byte {self._offset}"


class FrameDecoder:
    """Cuts one direction of one connection into payloads."""

    __slots__ = ("_buffer", "_later", "_missing", "_offset", "_position", "limit")

    def __init__(self, limit: int) -> None:
        """``limit`` is the largest payload accepted, in octets; it may be changed between frames."""
        self.limit = limit
        self._buffer = b""
        self._position = 0  # where in the buffer the next frame starts
        self._offset = 0  # octets of the stream that have left the buffer
        self._missing = 0  # octets without which the frame at the position is not complete, if that is known
        self._later = bytearray()  # what came of them: many small pieces of a large frame must not be slow

    @property
    def incomplete(self) -> bool:
        """Something of a frame has arrived, but not all of it. True only after ``next_frame`` returned None."""
        return self._position < len(self._buffer)

    @property
    def waiting(self) -> int:
        """Octets that have come and that ``next_frame`` has not given."""
        return len(self._buffer) - self._position + len(self._later)

    def too_many(self, most: int) -> FramingError:
        """What to say of more than ``most`` octets that came while nobody took frames."""
        came = f"{self.waiting} bytes"
        return FramingError(f"at most {most} bytes before an answer", came, self._offset + self._position)

    def missing(self, seconds: float) -> FramingError:
        """What to say of a frame that was not completed within ``seconds``."""
        begun = self._buffer[self._position :]
        digits, hash_sign, payload = begun.partition(b"#")
        within = f"within {seconds:g} s"
        offset = self._offset + self._position
        if not hash_sign:
            return FramingError("a frame to be completed", f"{len(begun)} bytes {within}", offset)
        came = len(payload) + len(self._later)
        return FramingError(f"{int(digits)} bytes of payload", f"{came} {within}", offset)

    def only_frame(self, data: bytes) -> str | None:
        """The payload of ``data`` if that is just one frame and nothing waits, as nearly always; else nothing is done.

        It spares :meth:`feed` and two calls of :meth:`next_frame`.
        """
        position = self._position
        if position != len(self._buffer) or self._missing:
            return None
        digits, _, payload = data.partition(b"#")
        if not self._is_whole(digits, len(payload)):
            return None
        self._offset += position + len(data)
        self._buffer = b""
        self._position = 0
        return payload.decode("latin-1")

    def feed(self, data: bytes) -> None:
        """Append what arrived."""
        if len(data) < self._missing:
            self._missing -= len(data)
            self._later += data
            return
        self._offset += self._position
        if self._position == len(self._buffer):
            self._buffer = data
        elif self._missing:
            self._buffer = b"".join((self._buffer[self._position :], self._later, data))
            self._later = bytearray()
            self._missing = 0
        else:
            self._buffer = self._buffer[self._position :] + data
        self._position = 0

    def next_frame(self) -> str | None:
        """The next payload, one character per octet, or None until more has arrived. Raises FramingError."""
        buffer = self._buffer
        if self._missing or self._position == len(buffer):
            return None
        while True:
            start = self._position
            hash_at = buffer.find(b"#", start, start + MAX_DIGITS + 1)
            if hash_at < 0:
                self._check_digits(buffer[start : start + MAX_DIGITS + 1])
                return None
            digits = buffer[start:hash_at]
            if not digits.isdigit():
                raise self._malformed(start)
            length = int(digits)
            if length > self.limit:
                raise self._too_large(length, start)
            end = hash_at + 1 + length
            if end > len(buffer):
                self._missing = end - len(buffer)
                return None
            self._position = end
            if length:
                return buffer[hash_at + 1 : end].decode("latin-1")

    def _is_whole(self, digits: bytes, length: int) -> bool:
        """The buffer is just one frame, as nearly always: ``length`` octets behind a ``#`` and these digits."""
        return (
            0 < length <= self.limit
            and len(digits) <= MAX_DIGITS
            and digits.isdigit()
            and int(digits) == length
        )

    def _check_digits(self, head: bytes) -> None:
        """Raise unless ``head``, which holds no ``#``, may still become the count of a frame."""
        if head and (len(head) > MAX_DIGITS or not head.isdigit()):
            raise self._malformed(self._position)

    def _too_large(self, length: int, start: int) -> FramingError:
        expected = f"a payload of at most {self.limit} bytes"
        error = FramingError(expected, f"{length} bytes", self._offset + start)
        error.too_large = True
        return error

    def _malformed(self, start: int) -> FramingError:
        shown = self._buffer[start : start + _SHOWN]
        came = ascii(shown.decode("latin-1")).replace("|", _SHOWN_BAR)
        return FramingError(f"1–{MAX_DIGITS} digits and '#'", came, self._offset + start)


def encode_frame(payload: str) -> bytes:
    """A payload (one character per octet) as a frame."""
    return f"{decimal(len(payload))}#{payload}".encode("latin-1")
