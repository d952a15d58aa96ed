"""The URIs of the configuration: of a SIP contact, where the server listens, and of a next hop, where it sends.

``sip:[user@]host[:port][;transport=udp,tcp][;other=params]``, with or without angle brackets; ``sips:`` with tls, ws
or wss. Of tcp, tls, ws and wss only one can have the port. The host is a
literal address (IPv6 in brackets), a name, or ``*`` for every address of this machine. Letter case counts in
the user only.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from reference_server.config.model import ContactConfiguration
from reference_server.config.values import Kind, WrongValue, is_dns_name

DEFAULT_TRANSPORTS = {"sip": ("udp", "tcp"), "sips": ("tls",)}
"""By scheme, without a ``transport`` parameter."""

_TRANSPORTS = {"sip": ("udp", "tcp", "tls", "ws", "wss"), "sips": ("tls", "ws", "wss")}

_URI = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):
        (?:(?P<user>[^@\s<>;?]*(?:;[^@\s<>]*)?)@)?
        (?P<host>\[[^\]\s]*\]|[^\s<>;:@?\[\]]*)
        (?P<port>:[^\s<>;@?]*)?
        (?P<parameters>(?:;[^\s<>;?]*)*)""",
    re.VERBOSE,
)
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%:]+")


def parse_contact(text: str) -> ContactConfiguration:
    """Parse a contact URI. Raises WrongValue, which says what part is wrong."""
    uri = text[1:-1].strip() if text.startswith("<") and text.endswith(">") else text
    if (match := _URI.fullmatch(uri)) is None:
        raise WrongValue("expected a contact such as sip:127.0.0.1:5060;transport=udp,tcp")
    scheme = match["scheme"].lower()
    if scheme not in ("sip", "sips"):
        raise WrongValue(f"expected a contact that begins with sip:, not {match['scheme']}:")
    if match["user"] is not None and _USER.fullmatch(match["user"]) is None:
        raise WrongValue("expected a user before the '@', of the characters that RFC 3261 allows")
    transports = _transports(scheme, match["parameters"])
    return ContactConfiguration(
        scheme=scheme,
        user=match["user"] or "",
        host=_host(match["host"]),
        port=_port(match["port"]),
        transports=transports,
    )


def _host(text: str) -> str:
    if text == "*":
        return text
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except AddressValueError:
            raise WrongValue(f"expected an IPv6 address in brackets, {text!r} is none") from None
    if text.replace(".", "").isdigit():
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise WrongValue(f"expected an IPv4 address, {text!r} is none") from None
    if not text:
        raise WrongValue("expected a host: an address (IPv6 in brackets), a name or '*'")
    if not is_dns_name(text):
        raise WrongValue(
            f"expected an address (IPv6 in brackets), a name or '*' as the host, {text!r} is none"
        )
    return text.lower()


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise WrongValue(f"expected a port from 0 to 65535 (IPv6 addresses in brackets), {digits!r} is none")
    return int(digits)


def _transports(scheme: str, parameters: str) -> tuple[str, ...]:
    """The list of the ``transport`` parameter, each once; the default when there is none."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() != "transport":
            continue
        transports = tuple(dict.fromkeys(word.strip().lower() for word in value.split(",")))
        for transport in transports:
            if transport not in _TRANSPORTS[scheme]:
                allowed = ", ".join(_TRANSPORTS[scheme])
                raise WrongValue(f"expected transports of {allowed} behind {scheme}:, {transport!r} is none")
        if len(transports) - ("udp" in transports) > 1:
            raise WrongValue(
                "expected one of tcp, tls, ws and wss, which cannot share a port: write two contacts"
            )
        return transports
    return DEFAULT_TRANSPORTS[scheme]


def parse_next_hop(text: str) -> str:
    """Check the URI of a next hop: one host, at most one transport. Raises WrongValue."""
    if _URI.fullmatch(text.strip("<> ")) is None:
        raise WrongValue("expected a SIP URI such as sip:10.1.2.3:5060")
    contact = parse_contact(text)
    if contact.host == "*":
        raise WrongValue("expected an address (IPv6 in brackets) or a name as the host, '*' is none")
    if contact.port == 0:
        raise WrongValue("expected a port from 1 to 65535")
    if "transport" in text.lower() and len(contact.transports) > 1:
        raise WrongValue("expected one transport to send by")
    return text[1:-1].strip() if text.startswith("<") else text


CONTACT: Kind[ContactConfiguration] = Kind("contact", "a contact URI", parse_contact)
NEXT_HOP: Kind[str] = Kind("SIP URI", "a SIP URI such as sip:10.1.2.3:5060", parse_next_hop)
