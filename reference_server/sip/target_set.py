"""Where a proxied request is to go, in order (RFC 3261 §16.5): destinations, and Contacts of redirections."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.lenient import MOST_ELEMENTS, read_address
from reference_server.sip.messages.message import Response
from reference_server.sip.messages.uri import Address, UriError, parse_uri

MOST_REDIRECTED = 32
"""Targets that redirections may add to one request: those who redirect to each other must come to an end."""


class Target(Struct, frozen=True, gc=False):
    """One place to send a copy to."""

    next_hop: str
    """the SIP URI by whose address it goes"""
    uri: str
    """its Request-URI"""


class TargetSet:
    """Targets that have not been tried."""

    __slots__ = ("_known", "_left_for_redirections", "_waiting")

    def __init__(self, targets: Iterable[Target]) -> None:
        self._waiting = deque(targets)
        self._known: set[str] = set()
        self._left_for_redirections = MOST_REDIRECTED

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Target:
        """The next one, which is tried from now on."""
        target = self._waiting.popleft()
        self._known.add(target.uri)
        return target

    def clear(self) -> None:
        """None of the rest will be tried."""
        self._waiting.clear()

    def redirect(self, response: Response, *, again: bool = False) -> bool:
        """Put the Contacts of a 3xx first, in their order; False if there is none that is new (§16.5).

        ``again``: those that were tried before count, too.
        """
        known = set() if again else self._known | {target.uri for target in self._waiting}
        found = [uri for uri in contacts_of(response) if uri not in known]
        found = list(dict.fromkeys(found))[: self._left_for_redirections]
        self._left_for_redirections -= len(found)
        self._waiting.extendleft(Target(uri, uri) for uri in reversed(found))
        return bool(found)


def contacts_of(response: Response) -> list[str]:
    """The SIP URIs of the Contacts of ``response`` as they stand there, without headers.

    Their q-values (§20.10) do not count, as in the genuine server: who redirects writes the best first.
    """
    addresses: list[Address] = []
    for line in response.all("contact"):
        for value in elements(line)[:MOST_ELEMENTS]:
            try:
                addresses.append(read_address(value))
            except UriError:
                continue
    return [address.uri_text.partition("?")[0] for address in addresses if address.uri.scheme == "sip"]


def target_for(destination: str, request_uri: str | None) -> Target:
    """The target that an application's ``destination`` means; a ``request_uri`` is kept (PROXY-5). Raises UriError."""
    uri = parse_uri(destination)
    if uri.scheme not in ("sip", "sips"):
        raise UriError("a URI such as sip:user@host", destination)
    plain = destination.partition("?")[0]
    return Target(plain, plain if request_uri is None else request_uri)
