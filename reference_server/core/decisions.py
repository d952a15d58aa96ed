"""What a request handler may decide about a new request, as values: the core carries them out.

They are what the document's ``request-handlers`` section names (HTTP-4): reject, redirect, proxy, and route to an
application, which is either connected and has a tag, or listens somewhere.
"""

from __future__ import annotations

from msgspec import Struct


class Reject(Struct, frozen=True, kw_only=True):
    """A final response of the server's own."""

    status: int
    """200 to 699; a 2xx only where it makes no dialog, which would have nobody"""
    reason: str
    """may be empty"""
    contacts: tuple[str, ...] = ()
    """values of Contact header lines, complete"""


class Forward(Struct, frozen=True, kw_only=True):
    """The request is to be proxied."""

    destinations: tuple[str, ...]
    record_route: bool = False
    follow_redirects: bool = True
    simultaneous: bool = False
    provisional_timeout: float = 0.0
    """seconds; 0 for no limit"""
    final_timeout: float = 0.0
    """seconds; 0 for no limit"""


class Place(Struct, frozen=True, kw_only=True):
    """Where an application listens."""

    host: str
    """a name or a literal address, without brackets"""
    port: int = 0
    """0: as the SRV records of the name say"""
    secure: bool = False
    """by TLS"""

    def __str__(self) -> str:
        """``tcp/app.example.com:4000``, or ``tcp/app.example.com``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.secure else 'tcp'}/{host}{f':{self.port}' if self.port else ''}"


class ToListening(Struct, frozen=True, kw_only=True):
    """An application that listens gets it, by a connection of its own (OUTB-1)."""

    places: tuple[Place, ...]
    """in this order, until one takes the connection"""


class ToTagged(Struct, frozen=True, kw_only=True):
    """A connected application with a tag gets it, if it has routed the method (HTTP-9)."""

    tag: str


Decision = Reject | Forward | ToListening | ToTagged


# Tested by tests/core/test_consultation.py.
