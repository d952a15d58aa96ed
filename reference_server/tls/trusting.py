"""TLS towards applications that the server connects to: nobody is verified, as in the genuine server (OUTB-3).

What keeps a stranger out is the secret, which the application has to show before it gets anything.
"""

from __future__ import annotations

import ssl

from reference_server.tls.session import TlsSession


class TrustingClients:
    """Makes sessions of connections that the server makes; needs no certificate of its own."""

    def __init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def connected(self, peer_name: str | None) -> TlsSession:
        """A session; ``peer_name`` if the peer is known by a name, and no mere address."""
        return TlsSession(self._context, server_side=False, peer_name=peer_name)


# Tested by tests/admin/test_outbound.py.
