"""The hosts file (hosts(5)): names that this machine knows without asking anybody."""

from __future__ import annotations

import os
from pathlib import Path

from reference_server.net.sockets.listening import literal_address

HOSTS_FILE = Path("/etc/hosts")
_LARGEST = 4 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1")


class HostsFile:
    """Reads the file when it is first asked, and again when it has changed."""

    def __init__(self, path: Path = HOSTS_FILE) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._addresses: dict[str, tuple[str, ...]] = {}

    def addresses(self, name: str) -> tuple[str, ...]:
        """The literal addresses of ``name``, in any letter case, in the order of the file; none if it is not there.

        ``localhost`` and what ends in it are this machine with or without the file (:rfc:`6761#section-6.3`).
        """
        self._refresh()
        wanted = name.lower().rstrip(".")
        found = self._addresses.get(wanted, ())
        if not found and (wanted == "localhost" or wanted.endswith(".localhost")):
            return _LOOPBACK
        return found

    def _refresh(self) -> None:
        try:
            state = os.stat(self._path)
            version = (state.st_mtime_ns, state.st_size)
            if version == self._version:
                return
            text = self._path.read_bytes()[:_LARGEST].decode("ascii", "replace")
        except OSError:
            version, text = None, ""
        self._version = version
        self._addresses = _parsed(text)


def _parsed(text: str) -> dict[str, tuple[str, ...]]:
    addresses: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        host, *names = line.partition("#")[0].split() or [""]
        literal = literal_address(host)
        if literal is None:
            continue
        for name in names:
            known = addresses.setdefault(name.lower().rstrip("."), ())
            if literal not in known:
                addresses[name.lower().rstrip(".")] = (*known, literal)
    return addresses
