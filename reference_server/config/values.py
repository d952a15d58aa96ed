"""The kinds of value that a setting can have: what is accepted, what it becomes, how an error words it.

A :class:`Kind` belongs to a value wherever it comes from; the same text means the same in the file, on the
command line and in the environment. White space around a value does not count, except in a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError, ip_address
from typing import Generic, TypeVar

from reference_server.config.model import Dialect, LogLevel

T_co = TypeVar("T_co", covariant=True)


class WrongValue(Exception):
    """The text is not a value of its kind; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """One kind of value."""

    name: str
    """short, for tables: ``port``, ``seconds`` …"""
    expected: str
    """how an error words the expectation: ``a port from 0 to 65535``"""
    convert: Callable[[str], T_co | None]
    """the value, or None if the text is none; may raise WrongValue itself to be more precise"""
    trimmed: bool = True
    """white space around the text does not count"""
    words: tuple[str, ...] = ()
    """the texts that there are, if they are few"""

    def parse(self, text: str) -> T_co:
        """The value that ``text`` stands for. Raises WrongValue."""
        value = self.convert(text.strip(" \t\r\n") if self.trimmed else text)
        if value is None:
            raise WrongValue(f"expected {self.expected}")
        return value


_DIGITS = re.compile(r"[0-9]{1,18}")
_SURROGATE = re.compile("[\ud800-\udfff]")  # what Python makes of arguments that are not UTF-8
_PORT_DIGITS = re.compile(r"[0-9]{1,5}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # with '_', which names of containers have
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?")


def whole_number(name: str, smallest: int, largest: int, what: str = "a whole number") -> Kind[int]:
    """Decimal digits only: no sign, no unit."""

    def convert(text: str) -> int | None:
        if _DIGITS.fullmatch(text) is None:
            return None
        number = int(text)
        return number if smallest <= number <= largest else None

    return Kind(name, f"{what} from {smallest} to {largest}", convert)


def choice(name: str, words: dict[str, T_co], *, any_case: bool = False) -> Kind[T_co]:
    """One of a few words."""

    def convert(text: str) -> T_co | None:
        return words.get(text.lower() if any_case else text)

    *rest, last = words
    listed = f"{', '.join(rest)} or {last}" if rest else last
    expected = f"{listed}{' (in any letter case)' if any_case else ''}"
    return Kind(name, expected, convert, words=tuple(words))


def is_dns_name(text: str) -> bool:
    """Labels of letters, digits, hyphens and underscores; one that ends in a number would be a bad address."""
    return _DNS_NAME.fullmatch(text) is not None and not text.rstrip(".").rpartition(".")[2].isdigit()


def _text(text: str) -> str | None:
    return text or None


def _secret(text: str) -> str | None:
    """An application must be able to say it: a token of UTF-8 in one line."""
    return text if text and not set(text) & set("|\r\n") and not _SURROGATE.search(text) else None


def _literal_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _literal_addresses(text: str) -> tuple[str, ...] | None:
    found = [_literal_address(item.strip()) for item in text.split(",")]
    return None if None in found else tuple(item for item in found if item)


def _ipv4(text: str) -> str | None:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        return None


def _network(text: str) -> str | None:
    if "/" not in text:
        return None
    try:
        return str(IPv4Network(text, strict=False))
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _dns_names(text: str) -> tuple[str, ...] | None:
    names = tuple(name for name in re.split(r"[,; ]+", text) if name)
    for name in names:
        if not is_dns_name(name):
            raise WrongValue(f"expected DNS names separated by ',' ';' or blanks; {name!r} is none")
    return names


def _names(text: str) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) or None


def _seconds(text: str) -> float | None:
    if _DECIMAL.fullmatch(text) is None:
        return None
    seconds = float(text)
    return seconds if 0 < seconds <= 86_400 else None


def _seconds_or_zero(text: str) -> float | None:
    return 0.0 if _DECIMAL.fullmatch(text) and float(text) == 0 else _seconds(text)


def _domain(text: str) -> str | None:
    return text.rstrip(".").lower() if is_dns_name(text) else None


def _header_name(text: str) -> str | None:
    return text.lower() if re.fullmatch(r"[A-Za-z0-9\-.!%*_+`'~]+", text) else None


def _servers(text: str) -> tuple[tuple[str, int], ...] | None:
    """``HOST[:PORT]`` of Redis sentinels, separated by commas."""
    found: list[tuple[str, int]] = []
    for item in text.split(","):
        matched = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::(\d{1,5}))?", item.strip())
        if matched is None or int(matched[2] or 1) not in range(1, 65536):
            return None
        found.append((matched[1].strip("[]"), int(matched[2] or 26379)))
    return tuple(found)


def _presence(text: str) -> bool | None:
    return True if text.lower() in ("", "true", "yes", "1") else None


def _host(text: str) -> str | None:
    return _literal_address(text.removeprefix("[").removesuffix("]")) or (text if is_dns_name(text) else None)


def _host_and_port(text: str) -> tuple[str, int | None] | None:
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, ""
    literal = _host(host)
    if literal is None or (port and _PORT_DIGITS.fullmatch(port) is None) or text.endswith(":"):
        return None
    number = int(port) if port else None
    return (literal, number) if number is None or 0 < number <= 65535 else None


def _port_or_address(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    address = _host(host) if host else "" if ":" not in text else None
    if address is None or _PORT_DIGITS.fullmatch(port) is None or int(port) > 65535:
        return None
    return address, int(port)


def _nameserver(text: str) -> tuple[str, int] | None:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?", text)
    if bracketed is not None:
        host, port = bracketed.groups()
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, None
    address = _literal_address(host)
    number = int(port) if port is not None and _DIGITS.fullmatch(port) else 53
    if address is None or port == "" or not 0 < number <= 65535:
        return None
    return address, number


TEXT: Kind[str] = Kind("text", "a text that is not empty", _text)
SECRET: Kind[str] = Kind(
    "secret", "a text that is not empty and has no '|' and no line end, in UTF-8", _secret, trimmed=False
)
PATH: Kind[str] = Kind("path", "the path of a file", _text)
DIRECTORY: Kind[str] = Kind("directory", "the path of a directory", _text)
LITERAL_ADDRESSES: Kind[tuple[str, ...]] = Kind(
    "IP addresses",
    "a literal IPv4 or IPv6 address, without a port, or several separated by commas",
    _literal_addresses,
)
IPV4: Kind[str] = Kind("IPv4 address", "an IPv4 address in dotted decimals", _ipv4)
NAMESERVER: Kind[tuple[str, int]] = Kind(
    "IP[:port]", "a literal address, with a port or without: 10.0.0.53, 127.0.0.1:5353, [::1]:53", _nameserver
)
NETWORK: Kind[str] = Kind("CIDR", "an IPv4 network in CIDR form such as 10.0.0.0/8", _network)
DNS_NAMES: Kind[tuple[str, ...]] = Kind("names", "DNS names separated by ',' ';' or blanks", _dns_names)
NAME_LIST: Kind[tuple[str, ...]] = Kind("names", "names separated by commas", _names)
SECONDS: Kind[float] = Kind("seconds", "seconds above 0, at most 86400, such as 10 or 0.5", _seconds)
SECONDS_OR_ZERO: Kind[float] = Kind("seconds", "seconds from 0 to 86400, such as 10 or 0.5", _seconds_or_zero)
DOMAIN: Kind[str] = Kind("domain", "a DNS name", _domain)
HEADER_NAME: Kind[str] = Kind("header", "the name of a header", _header_name)
SERVERS: Kind[tuple[tuple[str, int], ...]] = Kind(
    "HOST[:PORT],…", "HOST[:PORT], several separated by commas", _servers
)
PRESENCE: Kind[bool] = Kind(
    "presence", "an empty element: its presence switches on, leaving it out switches off", _presence
)
PORT_OR_ADDRESS: Kind[tuple[str, int]] = Kind("[host:]port", "a port, or host:port", _port_or_address)
"""the host is empty if none is named"""
HOST: Kind[str] = Kind("host", "an address or a name, without a port", _host)
HOST_AND_PORT: Kind[tuple[str, int | None]] = Kind(
    "host[:port]",
    "an address or a name, with a port or without: homer.example.com, 127.0.0.1:9060, [::1]:9060",
    _host_and_port,
)

PORT = whole_number("port", 0, 65535, "a port")
PORT_NOT_ZERO = whole_number("port", 1, 65535, "a port")
UNSIGNED = whole_number("number", 0, 4_294_967_295)
MILLISECONDS = whole_number("ms", 1, 3_600_000, "milliseconds")
KEEPALIVE = whole_number("seconds", 0, 32_767, "seconds")
MEGABYTES = whole_number("MB", 1, 1_000_000, "a number of 1,000,000 bytes")
MEGABYTES_OR_ZERO = whole_number("MB", 0, 1_000_000, "a number of 1,000,000 bytes")
FILES = whole_number("number", 1, 100_000, "a number of files")
OCTETS = whole_number("bytes", 64, 99_999_999, "a number of bytes")
BUFFER = whole_number("bytes", 4096, 1_073_741_824, "a number of bytes")
OCTETS_OF_MANY = whole_number("bytes", 1024, 1_099_511_627_776, "a number of bytes")
COUNT = whole_number("number", 1, 100_000_000)
COUNT_OR_ZERO = whole_number("number", 0, 100_000_000)
TIMEOUTS_IN_A_ROW = Kind(
    "number",
    "0 or a number of requests from 2 to 1000",
    lambda text: int(text) if _DIGITS.fullmatch(text) and int(text) in (0, *range(2, 1001)) else None,
)
STACK_LEVEL = whole_number("0-9", 0, 9, "a level")
HEP_VERSION = whole_number("1-3", 1, 3)
AGENT_ID = whole_number("number", 1, 4_294_967_295)

LOG_LEVEL: Kind[LogLevel] = choice("level", {level.name.lower(): level for level in LogLevel})
STRICTNESS: Kind[bool] = Kind("flag", "the word strict or none", {"1": False, "strict": True}.get)
DIALECT: Kind[Dialect] = choice("dialect", {dialect.value: dialect for dialect in Dialect})
LOOP: Kind[str] = choice("loop", {word: word for word in ("auto", "asyncio", "uvloop")})
FLAG: Kind[bool] = choice("flag", {"1": True, "0": False})
BOOLEAN: Kind[bool] = choice("boolean", {"true": True, "false": False, "1": True, "0": False})
YES_NO: Kind[bool] = choice("yes/no", {"true": True, "yes": True, "false": False, "no": False}, any_case=True)
YES_NO_OR_ONE: Kind[bool] = choice(
    "boolean", {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
)
SPAM_ACTION: Kind[str] = choice("action", {word: word for word in ("reject", "discard")}, any_case=True)
FACILITY: Kind[int] = choice("facility", {f"local{number}": 16 + number for number in range(8)})
"""as RFC 3164 numbers them"""
LOG_FORMAT: Kind[str] = choice("form", {word: word for word in ("text", "json")})
SWITCH: Kind[bool] = choice(
    "switch",
    {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False},
    any_case=True,
)
REFRESHER: Kind[str] = choice("refresher", {word: word for word in ("none", "uac", "uas")}, any_case=True)
TLS_VERSION: Kind[str] = choice("version", {word: word for word in ("1.0", "1.1", "1.2", "1.3")})
SIP_METHOD: Kind[str] = choice(
    "SIP method",
    {
        word.lower(): word
        for word in (
            "*", "INVITE", "REGISTER", "MESSAGE", "OPTIONS", "INFO", "NOTIFY", "SUBSCRIBE", "PUBLISH",
        )
    },
    any_case=True,
)  # fmt: skip
"""Of requests that are offered to applications outside dialogs, or all of them."""
HTTP_METHOD: Kind[str] = choice("GET/POST", {"get": "GET", "post": "POST"}, any_case=True)
