"""URIs and the addresses of From, To, Contact, Route…: RFC 3261 §19.1 and §20.10, RFC 3966 for ``tel``.

The parser takes what the grammar allows and a little more that phones really send (``#`` in a user part,
octets above 0x7F); it refuses what cannot be told apart: blanks or angle brackets inside a URI, a broken
escape, a port that is none, an address whose ``;`` or ``?`` has no owner. Texts keep their escapes; only
names that compare without case (scheme, parameter names) are lowered.
"""

from __future__ import annotations

import re

from msgspec import Struct

DEFAULT_PORT = 5060
"""Of a SIP URI, and of the sent-by of a Via (RFC 3261 §19.1.2, §18.2.2)."""


class UriError(ValueError):
    """A URI or an address that cannot be understood; says what was expected and what came."""

    def __init__(self, expected: str, came: str) -> None:
        self.expected = expected
        self.came = came if len(came) <= 80 else came[:77] + "…"
        super().__init__(f"expected {self.expected}, got {self.came!r}")


class Uri(Struct, frozen=True):
    """One URI taken apart."""

    scheme: str
    """in lower case"""
    userinfo: str
    """before the ``@``, as written, a password included; the number of a ``tel`` URI"""
    host: str
    """a name or a literal address as written, IPv6 without its brackets; empty unless ``sip`` or ``sips``"""
    port: int | None
    parameters: dict[str, str | None]
    """names in lower case, values as written, None for one without ``=``; the first of equal names counts"""
    headers: str = ""
    """what follows ``?``, as written"""
    opaque: str = ""
    """all that follows the colon, for the schemes other than ``sip``, ``sips`` and ``tel``"""

    @property
    def user(self) -> str:
        """The user without a password, escapes as written."""
        return self.userinfo.partition(":")[0]


class Address(Struct, frozen=True):
    """A name-addr or addr-spec with the parameters of the header field that follow it."""

    display: str
    """the display name without quotes and backslashes"""
    uri_text: str
    """the URI as written, without angle brackets"""
    uri: Uri
    parameters: dict[str, str | None]
    """of the header field, not of the URI; names in lower case, values without quotes"""


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*\Z")
_UNESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NO_URI_CHARACTER = re.compile(r'[\x00-\x20\x7f<>"]')
_HOST = re.compile(r"[A-Za-z0-9_\-.]+\Z")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z", re.ASCII)
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_IS_TOKEN = re.compile(_TOKEN)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TO_CLOSING_QUOTE = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)', re.DOTALL)
"""A quoted string, or all that follows a quote that is never closed; it matches at every quote, so it is never slow."""
_DISPLAY = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\s\x80-\xff]*\Z")
_PARAMETER = re.compile(
    rf'\s*;\s*({_TOKEN})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"<>?]+))?\s*(?=;|\Z)', re.DOTALL
)
_TAG = re.compile(r";\s*tag\s*=\s*([^\s;,\"<>]+)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse_uri(text: str) -> Uri:
    """Take ``text`` apart (:rfc:`3261#section-19.1.1`); raises :class:`UriError`.

    ``sip`` and ``sips`` URIs are parsed fully, ``tel`` into number and parameters; any other absolute URI
    keeps its scheme and its ``opaque`` rest.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.match(scheme):
        raise UriError("a URI such as sip:user@host", text)
    if bad := _NO_URI_CHARACTER.search(rest):
        raise UriError(f"no {bad[0]!r} inside a URI", text)
    scheme = scheme.lower()
    if scheme == "sip" or scheme == "sips":
        return _parse_sip(scheme, rest, text)
    if not rest:
        raise UriError(f"something after '{scheme}:'", text)
    if scheme == "tel":
        number, semicolon, parameters = rest.partition(";")
        return Uri(scheme, number, "", None, _uri_parameters(parameters, text) if semicolon else {})
    return Uri(scheme, "", "", None, {}, opaque=rest)


def _parse_sip(scheme: str, rest: str, text: str) -> Uri:
    # A user part may contain ; and ? unescaped, so the @ is looked for first; neither parameters nor headers
    # have a right to one, but a header often has (Replaces), so it is the first @ that counts.
    userinfo, at, after = rest.partition("@")
    if not at:
        userinfo, after = "", rest
    elif not userinfo:
        raise UriError("a user before '@'", text)
    if "%" in rest and _UNESCAPED.search(rest):
        raise UriError("two hexadecimal digits after each '%'", text)
    after, _, headers = after.partition("?")
    hostport, semicolon, parameters = after.partition(";")
    host, port = _host_and_port(hostport, text)
    return Uri(scheme, userinfo, host, port, _uri_parameters(parameters, text) if semicolon else {}, headers)


def _host_and_port(hostport: str, text: str) -> tuple[str, int | None]:
    if hostport.startswith("["):
        host, bracket, port = hostport[1:].partition("]")
        if not bracket or not _IPV6.match(host):
            raise UriError("an IPv6 address in brackets", text)
        if port and not port.startswith(":"):
            raise UriError("':' and a port, or nothing, after ']'", text)
        colon, port = port[:1], port[1:]
    else:
        host, colon, port = hostport.partition(":")
        if not _HOST.match(host):
            raise UriError("a host name or address", text)
    if not colon:
        return host, None
    if not _PORT.match(port) or int(port) > 65535:
        raise UriError("a port from 0 to 65535", text)
    return host, int(port)


def _uri_parameters(text: str, whole: str) -> dict[str, str | None]:
    parameters: dict[str, str | None] = {}
    for item in text.split(";"):
        name, equals, value = item.partition("=")
        if not name:
            raise UriError("a parameter name after ';'", whole)
        parameters.setdefault(name.lower(), value if equals else None)
    return parameters


def parse_address(text: str) -> Address:
    """Parse the value of a From, To, Contact, Route… header field; raises :class:`UriError`.

    Without angle brackets everything from the first ``;`` on belongs to the header field, and the URI has no
    ``?`` (:rfc:`3261#section-20.10`). A list must be split before; ``*`` of Contact is not an address.
    """
    text = text.strip()
    display = ""
    start = 0
    if text.startswith('"'):
        quoted = _QUOTED.match(text)
        if quoted is None:
            raise UriError("a closing quote of the display name", text)
        display = _ESCAPE.sub(r"\1", quoted[1])
        start = quoted.end()
        if not text[start:].lstrip().startswith("<"):
            raise UriError("'<' after the quoted display name", text)
    left = text.find("<", start)
    semicolon = text.find(";", start)
    if left < 0 or (not start and 0 <= semicolon < left):
        uri_text = text if semicolon < 0 else text[:semicolon]
        uri_text = uri_text.rstrip()
        if "?" in uri_text or "," in uri_text:
            raise UriError("angle brackets around a URI that contains '?' or ','", text)
        rest = "" if semicolon < 0 else text[semicolon:]
    else:
        if not start:
            display = text[:left].strip()
            if not _DISPLAY.match(display):
                raise UriError("a display name of plain words, or in quotes", text)
        right = text.find(">", left)
        if right < 0:
            raise UriError("'>' after the URI", text)
        uri_text, rest = text[left + 1 : right], text[right + 1 :]
    return Address(display, uri_text, parse_uri(uri_text), _header_parameters(rest, text))


def _header_parameters(text: str, whole: str) -> dict[str, str | None]:
    parameters: dict[str, str | None] = {}
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise UriError(f"';' and a parameter at {text[position:]!r}", whole)
        name, value = match.groups()
        if value is not None and value[0] == '"':
            value = _ESCAPE.sub(r"\1", value[1:-1])
        parameters.setdefault(name.lower(), value)
        position = match.end()
    return parameters


def tag_of(header_value: str) -> str:
    """The ``tag`` of a From or To value, empty if it has none; looks at nothing else of the value."""
    address, found, tag = header_value.partition(">;tag=")
    if found:
        if tag.isalnum() and ">" not in address:
            return tag
    elif header_value.find(">") == len(header_value) - 1:
        return ""
    # Nearly all end with the URI, or with one plain tag behind it; what follows here is right for any.
    if '"' in header_value:
        quoted = _QUOTED.match(header_value.lstrip())
        rest = header_value.lstrip()[quoted.end() :] if quoted else header_value
        rest = _TO_CLOSING_QUOTE.sub("", rest[rest.find(">") + 1 :])
        match = _TAG.search(rest)
    else:
        match = _TAG.search(header_value, header_value.find(">") + 1)
    return match[1] if match else ""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token (:rfc:`3261#section-25.1`)."""
    return (text.isalnum() and text.isascii()) or _IS_TOKEN.fullmatch(text) is not None
