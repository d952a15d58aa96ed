"""A proof in our Record-Route that what comes back by it belongs to a call that an application had us pass on.

Without it whoever writes our address into a Route has us send his request anywhere, from an address that others trust
(PROXY-30). It is a parameter of the URI, which every element between repeats (RFC 3261 §12.1.1, §16.12.1): a keyed
digest of the Call-ID and of the caller's tag, so that it proves nothing for another call. What comes from the called
end has that tag in its To.
"""

from __future__ import annotations

import re
from hashlib import blake2s
from hmac import compare_digest

_PARAMETER = re.compile(r";rt=([0-9a-f]{16})(?![0-9a-f])")
_DIGEST_OCTETS = 8


class RouteTokens:
    """Makes tokens and knows them again."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """``key`` is what servers have in common that pass on each other's calls."""
        self._key = blake2s(key).digest()

    def parameter(self, call_id: str, caller_tag: str) -> str:
        """The parameter for a Record-Route URI in a call."""
        return f";rt={self._digest(call_id, caller_tag)}"

    def proves(self, uri: str, call_id: str, *tags: str) -> bool:
        """Whether ``uri``, by which a request came back, was made for its call; one of its ``tags`` is the caller's."""
        found = _PARAMETER.search(uri)
        if found is None:
            return False
        return any(compare_digest(self._digest(call_id, tag), found[1]) for tag in tags)

    def _digest(self, call_id: str, tag: str) -> str:
        text = f"{call_id}\n{tag}".encode("latin-1")
        return blake2s(text, key=self._key, digest_size=_DIGEST_OCTETS).hexdigest()


def without_token(route: str) -> str:
    """``route`` as it would be in every call: what is found out of it can be remembered."""
    return _PARAMETER.sub("", route) if ";rt=" in route else route
