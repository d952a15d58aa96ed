"""Connections by which phones have registered, to reach them again (NET-7).

Nobody can connect to a phone behind a NAT or to a browser, but the connection that brought its REGISTER or SUBSCRIBE
leads back to it. So when the application has accepted one that came over a connection, requests to its Contact go by
that connection, until the registration expires, or the connection is lost, or the phone registers by another: those of
applications, proxied ones, and those of a dialog whose own connection is gone.

The application has looked at who registers, but hardly at the Contact, which anybody may copy. So a connection may
claim only what nobody else can be meant by: the address and port that it comes from, a name below ``.invalid`` (RFC
7118 §5.5; such a name is made up by the phone and found in no DNS), the address-of-record itself, for which the
registrar has let it speak, or, over TLS, a secure URI of its own address with any port: phones rarely have a
certificate to be connected to with (RFC 5626 §1), and that they listen there at all is not to be expected. A
SUBSCRIBE has no registrar, and so no address-of-record. What is claimed already by a living connection only a
REGISTER for the same address-of-record can move.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from reference_server.core.defects import NONE, Defects
from reference_server.core.ports import Flow
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.lenient import read_address
from reference_server.sip.messages.message import LONGEST_NUMBER, Request, SipMessage, parse_message
from reference_server.sip.messages.uri import DEFAULT_PORT, Address, Uri, UriError
from reference_server.sip.timers import Timers
from reference_server.sip.transport import TLS

DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 86_400
MOST_CONTACTS = 16
"""Contacts of one REGISTER that are heeded."""
MOST_OF_CONNECTION = 10_000
"""Ways back over one connection, which may be that of a proxy with many phones behind it; the oldest makes room."""
LONGEST_ADDRESS = 255
"""Characters of a ``user@host:port`` that is kept."""
_MADE_UP = ".invalid"


class _Binding:
    """One way back."""

    __slots__ = ("deadline", "flow", "host", "owner")

    def __init__(self, flow: Flow, deadline: Deadline, owner: str) -> None:
        self.flow = flow
        self.deadline = deadline
        self.owner = owner
        """the address-of-record that registered it; empty if it came of a SUBSCRIBE"""
        self.host = ""

    def named(self, host: str) -> None:
        """The Contact writes the host so."""
        self.host = host


class RegisteredFlows:
    """All of them, by what their Contact names (see :func:`_key`)."""

    def __init__(self, timers: Timers, now: Callable[[], float], defects: Defects = NONE) -> None:
        """``now`` returns monotonic seconds."""
        self._defects = defects
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
        if self._defects.registers_by_200_only and not response.startswith("SIP/2.0 200 "):
            return
        owner = _address_of_record(request)
        granted = {_key(one.uri): one for one in _contacts(answer)}
        for contact in _contacts(request)[:MOST_CONTACTS]:
            key = _key(contact.uri)
            if len(key) > LONGEST_ADDRESS or self._is_anothers(key, flow, owner):
                continue
            if not (key == owner or _is_made_up(contact.uri) or _is_source(contact.uri, flow)):
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
                self._by_address[key].named(contact.uri.host)
            else:
                self._drop(key)

    def flow_to(self, uri: Uri) -> Flow | None:
        """The connection to the phone that ``uri`` names, if it has registered by one."""
        binding = self._by_address.get(_key(uri))
        if binding is None or (self._defects.compares_contacts_exactly and binding.host != uri.host):
            return None
        return binding.flow

    def connection_lost(self, flow: Flow) -> None:
        """The ways back over the connection of ``flow`` are gone."""
        for key in list(self._by_connection.get(flow.connection, ())):
            self._drop(key)

    def _is_anothers(self, key: str, flow: Flow, owner: str) -> bool:
        known = self._by_address.get(key)
        if self._defects.trusts_every_contact or known is None or known.flow.connection == flow.connection:
            return False
        return not owner or known.owner != owner

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


def _address_of_record(request: Request) -> str:
    """Whom a REGISTER speaks for (RFC 3261 §10.2); empty for a SUBSCRIBE, whose From nobody has looked at."""
    if request.method != "REGISTER":
        return ""
    try:
        return _key(read_address(request.get("to")).uri)
    except UriError:
        return ""


def _key(uri: Uri) -> str:
    """What ``uri`` names; a port is no part of a name that is made up, and one for TLS is not one for TCP."""
    host = uri.host.lower()
    if _is_made_up(uri):
        return f"{uri.user}@{host}"
    secure = ";tls" if _is_secure(uri) else ""
    return f"{uri.user}@{host}:{uri.port or DEFAULT_PORT}{secure}"


def _is_secure(uri: Uri) -> bool:
    return uri.scheme == "sips" or (uri.parameters.get("transport") or "").lower() == "tls"


def _is_made_up(uri: Uri) -> bool:
    """A name that no DNS knows (RFC 2606 §2), with which a phone says that it has no address (RFC 7118 §5.5)."""
    return uri.host.lower().endswith(_MADE_UP)


def _is_source(uri: Uri, flow: Flow) -> bool:
    """Whether ``uri`` names the very address and port that ``flow`` comes from; by TLS any port will do for TLS."""
    if (uri.port or DEFAULT_PORT) != flow.remote_port and not (flow.transport is TLS and _is_secure(uri)):
        return False
    if uri.host == flow.remote_host:
        return True
    try:
        return ip_address(uri.host) == ip_address(flow.remote_host)
    except ValueError:
        return False


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
