"""One TLS session without I/O: octets of the wire in, plain ones out, and the other way round.

The connection that has the socket feeds :meth:`TlsSession.receive`, writes :meth:`TlsSession.take_output` whenever
something may have been put there, and closes on a :class:`TlsError`, behind the alert that the output holds then.
"""

from __future__ import annotations

import ssl

_HANDSHAKE = 0x16  # the first octet of every TLS connection (RFC 8446 §5.1)
_SHOWN = 16  # octets of what is no TLS
_READ = 64 * 1024


class TlsError(Exception):
    """The session cannot begin or go on; the text says why."""


class TlsSession:
    """Either end of one connection."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, peer_name: str | None = None) -> None:
        """``peer_name`` is the name that a client asks the server for (SNI, :rfc:`6066#section-3`)."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=peer_name
        )
        self._fresh = server_side
        self.established = False
        """both ends have agreed; plain octets can go either way"""
        self.ended = False
        """the peer has said that nothing more comes"""

    def begin(self) -> None:
        """A client's first octets are in the output then."""
        self._shake_hands()

    def receive(self, data: bytes) -> bytes:
        """Octets of the wire; returns the plain ones that they make. Raises TlsError."""
        if self._fresh and data:
            self._fresh = False
            if data[0] != _HANDSHAKE:
                raise TlsError(f"expected a TLS handshake, got {data[:_SHOWN].decode('latin-1')!a}")
        self._incoming.write(data)
        if not self.established:
            self._shake_hands()
            if not self.established:
                return b""
        pieces: list[bytes] = []
        try:
            while piece := self._object.read(_READ):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            raise TlsError(f"TLS failed: {_told(error)}") from None
        return b"".join(pieces)

    def send(self, data: bytes) -> None:
        """Plain octets; those of the wire are in the output then. Raises TlsError."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            raise TlsError(f"TLS failed: {_told(error)}") from None

    def end(self) -> None:
        """Say that nothing more comes (:rfc:`8446#section-6.1`)."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, ValueError):  # the peer has yet to say it, or was never there
            return

    def take_output(self) -> bytes:
        """What is to be written to the wire; it is forgotten here."""
        return self._outgoing.read()

    @property
    def version(self) -> str:
        """``TLSv1.3``; empty before the handshake."""
        return self._object.version() or ""

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The DNS names in the peer's certificate, where it was verified (:rfc:`5280#section-4.2.1.6`)."""
        named = (self._object.getpeercert() or {}).get("subjectAltName", ())
        assert isinstance(named, tuple)
        return tuple(str(value) for kind, value in named if kind == "DNS")

    def _shake_hands(self) -> None:
        try:
            self._object.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise TlsError(f"the TLS handshake failed: {_told(error)}") from None


def _told(error: ssl.SSLError) -> str:
    """The words of OpenSSL without its file names."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return (error.reason or str(error)).replace("_", " ").lower()
