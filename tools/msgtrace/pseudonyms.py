"""Pseudonyms that are as long as what they stand for, and always the same for it.

So a log can be published: who called whom stays visible, not who they are. Since nothing changes its length, in octets,
code points or UTF-16 units, every length in a log stays right, whatever its form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator

_URI_USER = re.compile(
    rb"(?:(?:sips?|im|pres):([^@;>?\s\"<|\\]{1,128})@|tel:([^@;>?\s\"<|\\]{1,128}))", re.IGNORECASE
)
_URI_HOST = re.compile(
    rb"(?:sips?):(?:[^@;>?\s\"<|\\]{1,128}@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", re.IGNORECASE
)
_NAME = re.compile(rb"(?:\A|[\n:,])[ \t]*\\?\"([^\"\\\r\n<]{1,80})\\?\"[ \t]*<(?:sips?|tel):", re.IGNORECASE)
_BARE_NAME = re.compile(
    rb"(?:from|to|contact|[ft]|p-asserted-identity|remote-party-id|reply-to|refer-to|referred-by)[ \t]*:[ \t]*"
    rb"([A-Za-z\x80-\xff][^\"\\\r\n<;:@]{0,80}?)[ \t]*<(?:sips?|tel):",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    rb"(username|response|nonce|cnonce|realm|opaque|uri)=\\?\"([^\"\\\r\n]{1,500})\\?\"", re.IGNORECASE
)
_SECRET = re.compile(rb"(\|authenticate\|)([^|\r\n\\\"]{1,500})")
_IPV4 = re.compile(rb"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
_IPV6 = re.compile(
    rb"(?<![0-9A-Fa-f:.])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){2,7}"
    rb"(?![0-9A-Fa-f:])"
)
_NOT_A_PARTY = frozenset(
    b"sip sips tel invite ack bye cancel register options message info update prack subscribe notify refer publish "
    b"server client network application response route proxy user phone udp tcp tls wss anonymous null true false "
    b"audio video default unknown localhost host port from contact drachtio".split()
)
"""words of the protocol that somebody may be called"""
_SHORTEST = 2


class Pseudonyms:
    """Learns who is named in a log, then replaces them. The key makes pseudonyms repeatable over several logs."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._names: set[bytes] = set()
        self._hosts: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None

    def learn(self, text: bytes) -> None:
        """Whom a piece of a log names; take all of it before the first is replaced."""
        for pattern in (_URI_USER, _NAME, _BARE_NAME):
            for found in pattern.finditer(text):
                name = next(group for group in found.groups() if group).strip()
                if len(name) >= _SHORTEST and name.lower() not in _NOT_A_PARTY and not name.startswith(b"%"):
                    self._names.add(name)
                    if name[:1] == b"+":
                        self._names.add(name[1:])
        for found in _CREDENTIAL.finditer(text):
            if found[1].lower() == b"username":
                self._names.add(found[2])
        for found in _URI_HOST.finditer(text):
            if not _IPV4.fullmatch(found[1]):
                self._hosts.add(found[1])
        self._pattern = None

    def replaced(self, text: bytes) -> bytes:
        """The same with pseudonyms; as long as it was."""
        if self._pattern is None:
            self._pattern = _any_of({*self._names, *self._hosts})
        text = _SECRET.sub(lambda found: found[1] + b"x" * len(found[2]), text)
        text = _CREDENTIAL.sub(self._credential, text)
        text = self._pattern.sub(lambda found: self._name(found[0]), text)
        text = _IPV4.sub(lambda found: self._ipv4(found[0]), text)
        return _IPV6.sub(lambda found: self._letters(found[0], b"0123456789abcdef"), text)

    def _credential(self, found: re.Match[bytes]) -> bytes:
        if found[1].lower() in (b"username", b"uri"):
            return found[0]  # a party, which is replaced as everywhere
        begin, end = found.start(2) - found.start(), found.end(2) - found.start()
        return found[0][:begin] + b"x" * (end - begin) + found[0][end:]

    def _name(self, name: bytes) -> bytes:
        if name in self._hosts and name not in self._names:
            labels = name.split(b".")
            # The last label tells nothing, and makes it look like a name.
            return b".".join([*(self._letters(label) for label in labels[:-1]), labels[-1]])
        return self._letters(name)

    def _letters(self, text: bytes, digits: bytes = b"0123456789") -> bytes:
        """Letter for letter, digit for digit; what is neither stays."""
        stream = self._stream(text.lstrip(b"+"))
        made = ["+"] if text[:1] == b"+" else []
        text = text.removeprefix(b"+")
        for one in text.decode("utf-8", "surrogateescape"):
            value = next(stream)
            size = len(one.encode("utf-8", "surrogateescape"))
            if size > 1:
                made.append({2: "ø", 3: "•", 4: "🙂"}[size])
            elif one.isdigit() or (len(digits) > 10 and one in "abcdefABCDEF"):
                made.append(chr(digits[value % len(digits)]))
            elif one.isalpha():
                letter = "abcdefghijklmnopqrstuvwxyz"[value % 26]
                made.append(letter.upper() if one.isupper() else letter)
            else:
                made.append(one)
        return "".join(made).encode("utf-8", "surrogateescape")

    def _ipv4(self, address: bytes) -> bytes:
        parts = address.split(b".")
        if any(int(part) > 255 for part in parts) or parts[0] in (b"127", b"0", b"255"):
            return address
        stream = self._stream(address)
        low, high = {1: 1, 2: 10, 3: 100}, {1: 9, 2: 99, 3: 255}
        return b".".join(
            b"%d" % (low[size] + next(stream) % (high[size] - low[size] + 1)) for size in map(len, parts)
        )

    def _stream(self, text: bytes) -> Iterator[int]:
        block, count = b"", 0
        while True:
            if not block:
                block = hmac.new(self._key, b"%d %s" % (count, text.lower()), hashlib.sha256).digest()
                count += 1
            yield block[0]
            block = block[1:]


def _any_of(words: Iterable[bytes]) -> re.Pattern[bytes]:
    """Any of these words, the longest first, where it is no part of a longer one."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    if not ordered:
        return re.compile(rb"(?!)")
    return re.compile(
        rb"(?<![A-Za-z0-9_\x80-\xff])(?:"
        + rb"|".join(map(re.escape, ordered))
        + rb")(?![A-Za-z0-9_\x80-\xff])"
    )
