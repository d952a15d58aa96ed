"""The same without ``async``: the server lives in a thread, every call waits for its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from drachtio_conformance.engine.session import LoopThread
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.telephone.acts import Act
from drachtio_conformance.telephone.telephone import Played
from drachtio_testing.server import Options, Phone, ReferenceServer, Transport
from msgtrace.sip import SipMessage


class SyncReferenceServer:
    """A server on free ports of 127.0.0.1; use it as a context manager."""

    def __init__(self, options: Options | None = None) -> None:
        self._thread = LoopThread()
        self._server = ReferenceServer(options)

    def start(self) -> Self:
        """Start it. Raises StartFailed."""
        self._thread.call(self._server.start())
        return self

    def stop(self) -> None:
        """Close the telephones and the server."""
        try:
            self._thread.call(self._server.stop())
        finally:
            self._thread.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """Where applications connect."""
        return self._server.host

    @property
    def port(self) -> int:
        """The admin port."""
        return self._server.port

    @property
    def secret(self) -> str:
        """The shared secret, another for each server."""
        return self._server.secret

    def sip(self, transport: Transport = "udp") -> str:
        """host:port where the server takes SIP."""
        return self._server.sip(transport)

    def advance(self, seconds: float) -> None:
        """Let the server's time pass."""
        self._thread.call(self._server.advance(seconds))

    def drop_application(self, number: int, *, reset: bool = False) -> None:
        """End the connection of an application, 1, 2 …: orderly, or with RST."""

        async def work() -> None:
            self._server.drop_application(number, reset=reset)

        self._thread.call(work())

    @property
    def faults(self) -> str:
        """The harm that is done to what applications get, with the seed of what is left to chance."""
        return self._server.faults

    def set_faults(self, faults: str) -> str:
        """Do this harm from now on, and no other; none if it is empty. Returns what is done. Raises ValueError."""

        async def work() -> str:
            return self._server.set_faults(faults)

        return self._thread.call(work())

    def occupancy(self) -> dict[str, int]:
        """What the server holds, by table."""

        async def asked() -> dict[str, int]:
            return self._server.occupancy()

        return self._thread.call(asked())

    def applications(self, count: int = 1, *, routed: Sequence[str] = ()) -> None:
        """Wait until so many applications have authenticated and routed. Raises TimeoutError."""
        self._thread.call(self._server.applications(count, routed=routed))

    def happens(self, what: str, *, times: int = 1, within: float | None = None) -> WireEvent:
        """Wait until an event of the trace has ``what`` in its summary, as often as that. Raises TimeoutError."""
        return self._thread.call(self._server.happens(what, times=times, within=within))

    def phone(self, name: str = "phone", transport: Transport = "udp") -> SyncPhone:
        """A telephone on a port of its own."""
        return SyncPhone(self._thread.call(self._server.phone(name, transport)), self._thread)

    @property
    def trace(self) -> list[WireEvent]:
        """What has crossed the wires."""
        return self._server.trace

    @property
    def findings(self) -> list[str]:
        """What ``lint`` has found."""
        return self._server.findings

    def ladder(self, width: int = 110) -> str:
        """The trace as a drawing."""
        return self._server.ladder(width)


class Playing:
    """A script that is being played, while the test does something else."""

    def __init__(self, played: Future[Played]) -> None:
        self._played = played

    def end(self) -> Played:
        """Wait for its end. Raises what ``play`` or ``take`` do."""
        return self._played.result()


class SyncPhone:
    """A telephone: it plays scripts, or does message by message what a test says, and nothing by itself."""

    def __init__(self, phone: Phone, thread: LoopThread) -> None:
        self._phone = phone
        self._thread = thread

    @property
    def address(self) -> str:
        """host:port"""
        return self._phone.address

    @property
    def uri(self) -> str:
        """By which an application calls it."""
        return self._phone.uri

    def play(self, *script: Act, user: str = "bob", headers: Mapping[str, str] | None = None) -> Played:
        """Call a user at the server, or a whole URI, and play the script. Raises ScriptError."""
        return self._thread.call(self._phone.play(*script, user=user, headers=headers))

    def playing(self, *script: Act, user: str = "bob", headers: Mapping[str, str] | None = None) -> Playing:
        """The same, while the test goes on."""
        return Playing(self._thread.begin(self._phone.play(*script, user=user, headers=headers)))

    def take(self, *script: Act, within: float | None = None) -> Played:
        """Wait for a call and play the script. Raises ScriptError, and AssertionError if none comes."""
        return self._thread.call(self._phone.take(*script, within=within))

    def taking(self, *script: Act, within: float | None = None) -> Playing:
        """The same, while the test goes on."""
        return Playing(self._thread.begin(self._phone.take(*script, within=within)))

    def go_on(self, *script: Act) -> Played:
        """Play a script in the call that is up. Raises ScriptError."""
        return self._thread.call(self._phone.go_on(*script))

    def send(
        self,
        method: str,
        user: str = "bob",
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        in_dialog: bool = False,
    ) -> None:
        """Send a request: to a user at the server, or a whole URI, or inside the latest dialog."""

        async def work() -> None:
            self._phone.send(method, user, headers=headers, body=body, in_dialog=in_dialog)

        self._thread.call(work())

    def receive(
        self, what: int | str, *, skip: Sequence[int | str] = (100,), within: float | None = None
    ) -> SipMessage:
        """The next message, which has to be this response or request. Raises AssertionError."""
        return self._thread.call(self._phone.receive(what, skip=skip, within=within))

    def respond(self, status: int, *, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Answer the latest request."""

        async def work() -> None:
            self._phone.respond(status, headers=headers, body=body)

        self._thread.call(work())

    def ack(self) -> None:
        """Acknowledge the final response to the latest INVITE."""

        async def work() -> None:
            self._phone.ack()

        self._thread.call(work())

    def cancel(self) -> None:
        """Cancel the latest INVITE."""

        async def work() -> None:
            self._phone.cancel()

        self._thread.call(work())

    def call(self, user: str = "bob", *, headers: Mapping[str, str] | None = None) -> SipMessage:
        """Send an INVITE, let it ring, acknowledge the final response and return it."""
        return self._thread.call(self._phone.call(user, headers=headers))

    def hang_up(self) -> SipMessage:
        """Send a BYE in the latest dialog; the final response to it."""
        return self._thread.call(self._phone.hang_up())

    def answer(self, status: int = 200, *, rings: bool = True) -> SipMessage:
        """Wait for an INVITE, ring, answer it, and wait for the ACK; returns the INVITE."""
        return self._thread.call(self._phone.answer(status, rings=rings))

    def hung_up(self) -> SipMessage:
        """Wait for a BYE and answer it 200; returns the BYE."""
        return self._thread.call(self._phone.hung_up())
