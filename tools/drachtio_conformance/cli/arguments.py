"""Types of command-line arguments: each reads a text, or raises ArgumentTypeError saying what was expected."""

from __future__ import annotations

import argparse
import math
from typing import TypeAlias

from msgspec import Struct

from drachtio_conformance.peers.transports import TRANSPORTS

HostPort: TypeAlias = tuple[str, int]
_TLS = "tls://"


class AdminAddress(Struct, frozen=True):
    """Where a server awaits applications."""

    host: str
    port: int
    secure: bool
    """by TLS"""

    def __str__(self) -> str:
        """``HOST:PORT``, ``tls://HOST:PORT``"""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_TLS if self.secure else ''}{shown}:{self.port}"


def admin_address(text: str) -> AdminAddress:
    """``127.0.0.1:9022``, ``tls://127.0.0.1:9023``."""
    secure = text.lower().startswith(_TLS)
    return AdminAddress(*host_port(text[len(_TLS) :] if secure else text), secure)


def host_port(text: str) -> HostPort:
    """``127.0.0.1:9022``, ``[::1]:9022``."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT like 127.0.0.1:9022, got '{text}'")
    if ":" in host and not host.startswith("["):
        raise argparse.ArgumentTypeError(f"an IPv6 address stands in brackets: [::1]:9022, got '{text}'")
    return host.strip("[]"), int(port)


def jobs(text: str) -> int:
    """``4``: from 1 to 64."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 64, got '{text}'")
    return int(text)


def sip_endpoint(text: str) -> str:
    """``udp/127.0.0.1:5060``."""
    transport, slash, address = text.partition("/")
    if not slash or transport not in TRANSPORTS:
        raise argparse.ArgumentTypeError(
            f"expected TRANSPORT/HOST:PORT with one of {', '.join(TRANSPORTS)}, got '{text}'"
        )
    host_port(address)
    return text


def seconds(text: str) -> float:
    """Seconds, less than a day's."""
    value = _number(text)
    if not 0 <= value < 86_400:
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, got '{text}'")
    return value


def factor(text: str) -> float:
    """A factor from 0.1 to 1000."""
    value = _number(text)
    if not 0.1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"expected a factor from 0.1 to 1000, got '{text}'")
    return value


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got '{text}'")
    return value


def count(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got '{text}'")
    return int(text)


def _number(text: str) -> float:
    """A number, or one that is in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan
