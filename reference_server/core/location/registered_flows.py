"""Connections by which phones have registered, to reach them again (NET-7).

Nobody can connect to a phone behind a NAT or to a browser, but the connection that brought its REGISTER or SUBSCRIBE
leads back to it. So when the application has accepted one that came over a connection, requests to the user and host of
its Contact go by that connection, wherever the name leads: those of applications, proxied ones, and those of a dialog
whose own connection is gone. Until the registration expires, or the connection is lost, or the phone registers by
another.

The application has looked at who registers, but hardly at the Contact, which anybody may copy. So while the connection
lives the way back is moved and taken away only for the address-of-record that made it.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.ports import Flow
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.lenient import read_address
from reference_server.sip.messages.message import LONGEST_NUMBER, Request, SipMessage, parse_message
from reference_server.sip.messages.uri import Address, Uri, UriError
from reference_server.sip.timers import Timers

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 86_400
MOST_CONTACTS = 16
"""Contacts of one REGISTER that are heeded."""
MOST_OF_CONNECTION = 10_000
"""Ways back over one connection, which may be that of a proxy with many phones behind it; the oldest makes room."""
LONGEST_ADDRESS = 255
"""Characters of a ``user@host`` that is kept."""


class _Binding:
    """One way back."""

    __slots__ = ("deadline", "flow", "owner")

    def __init__(self, flow: Flow, deadline: Deadline, owner: str) -> None:
        self.flow = flow
        self.deadline = deadline
        self.owner = owner
        """the address-of-record that registered it"""


class RegisteredFlows:
    """All of them, by ``user@host``."""

    def __init__(self, timers: Timers, now: Callable[[], float]) -> None:
        """``now`` returns monotonic seconds."""
        self._timers = timers
        self._now = now
        self._by_address: dict[str, _Binding] = {}
        self._by_connection: dict[int, dict[str, None]] = {}
        """the addresses of each, the oldest first"""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_address)

    def accepted(self, request: Request, response: str, flow: Flow) -> None:
        """The application has answered a REGISTER or SUBSCRIBE that came by ``flow`` with a 2xx.

        How long it holds the response says, in its Contact of that address or its Expires, else the request.
        """
        answer = parse_message(response)
        owner = _owner_of(request)
        granted = {_key(one.uri): one for one in _contacts(answer)}
        for contact in _contacts(request)[:MOST_CONTACTS]:
            key = _key(contact.uri)
            if len(key) > LONGEST_ADDRESS or self._is_anothers(key, flow, owner):
                continue
            confirmed = granted.get(key)
            seconds = _first_number(
                confirmed.parameters.get("expires") if confirmed else None,
                answer.get("expires"),
                contact.parameters.get("expires"),
                request.get("expires"),
            )
            if seconds > 0:
                self._keep(key, flow, min(seconds, LONGEST_SECONDS), owner)
            else:
                self._drop(key)

    def flow_to(self, uri: Uri) -> Flow | None:
        """The connection to the phone that ``uri`` names, if it has registered by one."""
        binding = self._by_address.get(_key(uri))
        return None if binding is None else binding.flow

    def connection_lost(self, flow: Flow) -> None:
        """The ways back over the connection of ``flow`` are gone."""
        for key in list(self._by_connection.get(flow.connection, ())):
            self._drop(key)

    def _is_anothers(self, key: str, flow: Flow, owner: str) -> bool:
        known = self._by_address.get(key)
        return known is not None and known.flow.connection != flow.connection and known.owner != owner

    def _keep(self, key: str, flow: Flow, seconds: int, owner: str) -> None:
        known = self._by_address.get(key)
        if known is None or known.flow.connection != flow.connection:
            self._drop(key)
            deadline = Deadline(self._timers, self._now, lambda: self._drop(key))
            fellows = self._by_connection.setdefault(flow.connection, {})
            if len(fellows) >= MOST_OF_CONNECTION:
                self._drop(next(iter(fellows)))
            known = self._by_address[key] = _Binding(flow, deadline, owner)
            fellows[key] = None
        known.deadline.move(seconds)

    def _drop(self, key: str) -> None:
        binding = self._by_address.pop(key, None)
        if binding is None:
            return
        binding.deadline.stop()
        fellows = self._by_connection[binding.flow.connection]
        del fellows[key]
        if not fellows:
            del self._by_connection[binding.flow.connection]


def _owner_of(request: Request) -> str:
    """Whom a REGISTER or SUBSCRIBE speaks for: the address-of-record, the subscriber (RFC 3261 §10.2, RFC 6665)."""
    try:
        return _key(read_address(request.get("to" if request.method == "REGISTER" else "from")).uri)
    except UriError:
        return ""


def _key(uri: Uri) -> str:
    return f"{uri.user}@{uri.host.lower()}"


def _contacts(message: SipMessage) -> list[Address]:
    """The addresses of the Contact lines; what is none is passed over, ``*`` too."""
    found: list[Address] = []
    for line in message.all("contact"):
        for value in elements(line):
            try:
                address = read_address(value)
            except UriError:
                continue
            if address.uri.host:
                found.append(address)
    return found


def _first_number(*texts: str | None) -> int:
    """The first of ``texts`` that is a number of seconds, or the default."""
    for text in texts:
        digits = (text or "").partition(";")[0].strip()
        if digits.isascii() and digits.isdecimal():
            return int(digits[:LONGEST_NUMBER])
    return DEFAULT_SECONDS
