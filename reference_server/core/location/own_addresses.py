"""Whether a URI names this server: an address that it listens on, advertises, or is known by (``dns-name``)."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.ports import Endpoint
from reference_server.memo import Memo
from reference_server.sip.messages.lenient import read_uri
from reference_server.sip.messages.uri import DEFAULT_PORT, Uri, UriError


class OwnAddresses:
    """The server's own hosts and ports, collected when they are first asked for."""

    __slots__ = ("_endpoints", "_hosts", "_judged")

    def __init__(self, endpoints: Callable[[], tuple[Endpoint, ...]]) -> None:
        """``endpoints`` is asked once, when the server listens."""
        self._endpoints = endpoints
        self._hosts: set[tuple[str, int]] = set()
        self._judged = Memo[str, bool](entries=1024, longest=200)

    def include(self, uri: str) -> bool:
        """Whether the URI ``uri`` names this server; one that cannot be understood does not."""
        known = self._judged.known.get(uri)
        if known is None:
            try:
                known = self.include_parsed(read_uri(uri))
            except UriError:
                known = False
            self._judged.keep(uri, known)
        return known

    def include_parsed(self, uri: Uri) -> bool:
        """As :meth:`include`, of a URI taken apart."""
        if uri.scheme not in ("sip", "sips"):
            return False
        if not self._hosts:
            self._collect()
        host = (uri.parameters.get("maddr") or uri.host).strip("[]").lower()
        return (host, uri.port or DEFAULT_PORT) in self._hosts

    def _collect(self) -> None:
        for endpoint in self._endpoints():
            names = {endpoint.host, endpoint.advertised_host.strip("[]"), *endpoint.dns_names}
            if endpoint.host == "127.0.0.1":
                names.add("localhost")
            self._hosts |= {(name.lower(), endpoint.port) for name in names}
