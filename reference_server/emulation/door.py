"""The admin port's framing as the genuine server has it, and its open door (DEV-1, DEV-3, DEV-5, DEV-6, DEV-7), and its
patience with who does not read (DEV-124).

Stands between a transport and its connection, which gets whole frames only.
"""

from __future__ import annotations

import asyncio
from typing import Final

from reference_server.admin.connection import AdminConnection
from reference_server.emulation.frames import SILENT
from reference_server.wire.framing import encode_frame

_MOST_DIGITS: Final = 5
_LARGEST: Final = 12_228
"""octets of a payload"""


class GenuineDoor(asyncio.Protocol):
    """One admin connection."""

    def __init__(self, connection: AdminConnection, secret: str) -> None:
        """``secret`` opens the door to whoever comes."""
        self._connection = connection
        self._secret = secret
        self._buffer = b""
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Who connects has authenticated, whoever it is (DEV-1)."""
        self._connection.connection_made(transport)
        secret = self._secret.encode().decode("latin-1")
        self._connection.data_received(encode_frame(f"{SILENT}|authenticate|{secret}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """The application does not take everything at once, and nobody has to know (DEV-124)."""

    def resume_writing(self) -> None:
        """All has been taken."""

    def data_received(self, data: bytes) -> None:
        """asyncio: octets have come; what is no frame yet waits for ever (DEV-6)."""
        if self._deaf:
            return
        self._buffer += data
        while self._buffer:
            digits, hash_sign, rest = self._buffer.partition(b"#")
            if (digits and not digits.isdigit()) or len(digits) > _MOST_DIGITS or (hash_sign and not digits):
                self._buffer = b""
                self._connection.close()  # without a word (DEV-3)
                return
            if not hash_sign:
                return
            length = int(digits)
            if length > _LARGEST:
                self._deaf = True  # DEV-7
                return
            if not length:
                self._buffer = rest
                return  # what is behind it waits for more (DEV-5)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._connection.data_received(b"%d#%b" % (length, rest[:length]))


# Tested by tests/emulation/test_agreement.py.
