"""A server that somebody else runs, reached by HOST:PORT and the shared secret."""

from __future__ import annotations

import asyncio
import time

from drachtio_conformance.peers.admin_peer import AdminPeer, ConnectFailed, NotRead
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.variables import new_id, octets, readable
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, StartFailed
from msgtrace import messages
from msgtrace.frames import Damage


class ForeignServer:
    """The server as its authenticate answer describes it."""

    def __init__(self, endpoints: Endpoints, target: ForeignTarget) -> None:
        self._endpoints = endpoints
        self._target = target

    @property
    def endpoints(self) -> Endpoints:
        """Where it listens."""
        return self._endpoints

    async def advance(self, seconds: float) -> None:
        """Wait: its clock cannot be moved."""
        await asyncio.sleep(seconds)

    def now(self) -> float:
        """Seconds of real time."""
        return time.monotonic()

    def occupancy(self) -> dict[str, int] | None:
        """Nobody can look inside."""
        return None

    async def gone(self) -> str:
        """Why it lets nobody in any more; empty if it does."""
        try:
            await self._target.start(None)
        except StartFailed as error:
            return str(error)
        return ""

    async def stop(self) -> None:
        """It is not ours to stop."""


class ForeignTarget:
    """Asks a running server who it is."""

    embedded = False
    shared = True

    def __init__(
        self,
        host: str,
        port: int,
        secret: str,
        *,
        secure: bool = False,
        sip: tuple[str, ...] = (),
        handler: tuple[str, int] | None = None,
        seconds: float = 2.0,
    ) -> None:
        """``secure``: it awaits applications by TLS there. ``sip`` overrides the endpoints of the authenticate answer;
        ``handler`` is where its request handler is.

        ``seconds`` bounds each wait.
        """
        self._admin = (host, port)
        self._secret = secret
        self._secure = secure
        self._sip = sip
        self._handler = handler
        self._seconds = seconds

    @property
    def description(self) -> str:
        """``HOST:PORT``, ``tls://HOST:PORT``"""
        host, port = self._admin
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"tls://{shown}" if self._secure else shown

    async def start(self, settings: ServerSettings | None) -> ForeignServer:
        """Authenticate once to learn hostports and version. Raises :class:`StartFailed`."""
        peer = AdminPeer("probe", Recorder())
        try:
            await peer.connect(*self._admin, seconds=self._seconds, secure=self._secure)
            request = new_id()
            await peer.send_message(f"{request}|authenticate|{octets(self._secret)}|")
            answer = await peer.incoming.take(self._seconds)
        except ConnectFailed as error:  # it says to whom
            raise StartFailed(str(error)) from None
        except NotRead as error:
            raise StartFailed(f"{self.description}: {error}") from None
        except NothingCame as error:
            raise StartFailed(f"{self.description}: authenticate was not answered: {error}") from None
        finally:
            peer.close()
            await peer.gone(self._seconds)
        if isinstance(answer, Closed):
            raise StartFailed(f"{self.description}: authenticate was not answered: the server closed")
        if isinstance(answer, Damage):
            raise StartFailed(f"{self.description}: authenticate was not answered: {answer.explanation}")
        tokens, _ = messages.split(answer.payload)
        if tokens[1:4] != ["response", request, "OK"]:
            refusal = readable("|".join(tokens[3:])) or "nothing that is an answer"
            raise StartFailed(
                f"{self.description}: authenticate was expected to be OK, the answer is {refusal}"
            )
        hostports = self._sip or tuple(part for part in "".join(tokens[4:5]).split(",") if part)
        endpoints = Endpoints(
            self._admin,
            self._secret,
            hostports,
            "".join(tokens[5:6]),
            handler=self._handler,
            tls_admin=self._admin if self._secure else None,
        )
        return ForeignServer(endpoints, self)
