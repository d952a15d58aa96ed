"""Identifiers that must not repeat or be guessed: UUIDs, tags, branches and Call-IDs, from a pool of random octets."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

_ALPHABET = b"0123456789aBcDeFgHjKmNpQrStUvXyZ"
_TO_ALPHABET = (_ALPHABET * 8)[:256]
_THREE_DIGITS: Final = [f"{number:03d}" for number in range(1000)]
_POOL = 8192
_TAG_LENGTH = 13

MAGIC_COOKIE: Final = "z9hG4bK"
"""What the branch of an RFC 3261 element begins with (§8.1.1.7)."""

LONGEST_NAME: Final = 512
"""Characters of a Call-ID, tag or branch that is taken from the network (SIP-52)."""

_DIGEST_OCTETS: Final = 16


SHORTENED: Final = "#"
"""What a digest in place of something longer begins with."""


def shortened(identity: str) -> str:
    """A digest that stands for the long ``identity`` where that is kept."""
    return SHORTENED + blake2b(identity.encode("latin-1"), digest_size=_DIGEST_OCTETS).hexdigest()


class Identifiers:
    """Makes every identifier of one server."""

    def __init__(self, random_octets: Callable[[int], bytes]) -> None:
        """``random_octets(n)`` returns n octets; cryptographic ones in production."""
        self._random_octets = random_octets
        self._pool = b""
        self._used = 0
        self._beginning = ""  # of transaction ids, whose other digits come from a row
        self._row = ""
        self._row_used = 0

    def _take(self, count: int) -> bytes:
        used = self._used
        if used + count > len(self._pool):
            self._pool = self._random_octets(_POOL)
            used = 0
        self._used = used + count
        return self._pool[used : used + count]

    def uuid(self) -> str:
        """A version 4 UUID (RFC 9562 §5.4)."""
        text = self._take(16).hex()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def transaction_id(self) -> str:
        """What an application knows a transaction by: it looks like a UUID, and its last 60 bits are random.

        The bits before are random, too, but those of a row of ids are the same: to put them together costs the most.
        """
        middle = self._row_used + 3
        end = middle + 12
        if end > len(self._row):
            self._row = self._random_octets(_POOL).hex()
            self._beginning = self.uuid()[:20]
            middle, end = 3, 15
        self._row_used = end
        return f"{self._beginning}{self._row[middle - 3 : middle]}-{self._row[middle:end]}"

    def message_ids(self) -> MessageIds:
        """A source of ids for the messages of one connection."""
        return MessageIds(self.uuid()[:-12], int.from_bytes(self._take(4)))

    def tag(self) -> str:
        """Thirteen characters, 65 random bits (RFC 3261 §19.3)."""
        return self._take(_TAG_LENGTH).translate(_TO_ALPHABET).decode("latin-1")

    def rseq(self) -> int:
        """Where an INVITE's reliable provisional responses begin to count (RFC 3262 §3).

        Ten digits, with room below 2**31 for all that follow it.
        """
        return 1_000_000_000 + int.from_bytes(self._take(4)) % 1_000_000_000

    def branch(self) -> str:
        """A branch parameter for a request of ours (RFC 3261 §8.1.1.7)."""
        return MAGIC_COOKIE + self.tag()

    def number(self, greatest: int) -> int:
        """A number from 0 to ``greatest``, which is below 256; near enough to evenly spread for a waiting time."""
        return self._take(1)[0] % (greatest + 1)


class MessageIds:
    """UUIDs of one random beginning, counted at the end."""

    __slots__ = ("_beginning", "_count", "_former", "_thousands")

    def __init__(self, beginning: str, seed: int) -> None:
        """``beginning`` is a UUID without its last twelve digits."""
        self._beginning = beginning
        self._thousands = (
            100_000_000 + seed % 800_000_000
        )  # in decimal digits, which are hexadecimal ones, too
        self._former = ""  # all digits but the last three
        self._count = 999

    def next(self) -> str:
        """The next id."""
        self._count += 1
        if self._count == 1000:
            self._thousands += 1
            self._former = f"{self._beginning}{self._thousands}"
            self._count = 0
        return f"{self._former}{_THREE_DIGITS[self._count]}"
