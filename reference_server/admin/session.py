"""One application's session, without socket or loop: octets in, frames out, and between them the gate.

::

    session.begin(peer)
    session.receive(octets)             # as often as octets come, in any pieces
    octets = session.take_output()      # when ``wake`` was called; then, if session.ended, close behind them
    session.lost()                      # the connection is gone

A session begins with a stranger, who may authenticate and nothing else; a wrong word ends it, with an answer that says
so (AUTH-5, CONN-1). What is queued behind that word is dropped. It ends as well when a frame is not completed in time.
While an attempt to authenticate waits (failed_attempts.py) the session takes nothing in: what comes is kept for later,
and if it is too much the session ends.

A mistake of ours in the handling of one message ends nothing but that message: it is answered ``NOK``, counted, and
told to those who watch with the frame that caused it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, assert_never

from reference_server.admin.context import AdminContext, FrameInterceptor
from reference_server.sip.timers import TimerHandle
from reference_server.wire.frames_to_application import (
    Accepted,
    Authenticated,
    CallDetailRecord,
    DialogMessage,
    FinalResponseReceived,
    NewRequest,
    NotSent,
    Refused,
    RequestSent,
    ResponseSent,
    ServerMessage,
)
from reference_server.wire.framing import FrameDecoder, FramingError, encode_frame
from reference_server.wire.redaction import without_secret
from reference_server.wire.requests import (
    Authenticate,
    ClientMessage,
    Ping,
    Proxy,
    RemoveRoute,
    RequestError,
    Route,
    Sip,
    parse_request,
)

AUTHENTICATION_REQUIRED = "authentication required"
INCORRECT_SECRET = "incorrect secret"
TOO_MANY_ATTEMPTS = "too many attempts"
TOO_MANY_ROUTES = "too many routes"
TOO_MANY_TAGS = "too many tags"
INTERNAL_ERROR = "internal error"

MOST_HELD: Final = 64 * 1024
"""Octets that may come while an attempt waits: what was under way when the connection stopped reading."""

_SHOWN: Final = 2000  # octets of a frame that an internal error shows
_IN_CODE_POINTS_BEFORE_0_9 = (
    NewRequest,
    DialogMessage,
    ResponseSent,
    RequestSent,
    FinalResponseReceived,
    NotSent,
    CallDetailRecord,
)


class SessionUser(Protocol):
    """Who waits for the application of a connection that the server made."""

    def authenticated(self) -> None:
        """The application has shown the secret, for the first time; the answer to it is queued."""

    def left(self) -> None:
        """The session is over; it may never have been authenticated."""


class AdminSession:
    """One application; implements ``Application`` of core/ports.py."""

    def __init__(
        self,
        context: AdminContext,
        number: int,
        wake: Callable[[], None],
        user: SessionUser | None = None,
    ) -> None:
        """``wake`` is called when there is output or the session has ended, once until ``take_output``."""
        self._user = user
        self._context = context
        self._frame_taps = context.taps.frames
        self._dialect_0_8 = context.dialect_0_8
        self._wake = wake
        self._woken = False
        self._decoder = FrameDecoder(context.configuration.frame_limit_before_authentication)
        self._out: list[bytes] = []
        self._incomplete: TimerHandle | None = None
        self._next_id = context.identifiers.message_ids().next
        self._waiting_attempt: TimerHandle | None = None
        self._held: list[str] = []
        """frames that somebody has kept back until an attempt waited"""
        self._hears = False
        """it is connected, and no attempt to authenticate waits"""
        self.number = number
        """counts connections from 1"""
        self.peer = ""
        """its address, for those who watch"""
        self.connected = False
        """between ``begin`` and the end; False for ever once the session has ended or the connection is lost"""
        self.authenticated = False
        self.ended = False
        """what is queued is the last: close behind it"""
        self.reads = True
        """False, as the connection says, while the peer takes nothing of what waits for it"""
        self.tags: frozenset[str] = frozenset()

    def begin(self, peer: str) -> None:
        """The connection stands; ``peer`` is the other end's address."""
        self.peer = peer
        self.connected = self._hears = True
        self._tell("admin-connected")

    @property
    def deaf(self) -> bool:
        """An attempt to authenticate waits: what is received now is kept, so the connection had better not read."""
        return self.connected and not self._hears

    def receive(self, data: bytes) -> None:
        """Handle every frame that ``data`` completes; nothing yet while an attempt to authenticate waits."""
        if not self._hears:
            self._hold(data)
            return
        decoder = self._decoder
        payload = decoder.only_frame(data)
        if payload is not None:
            self._take(payload)
            return
        decoder.feed(data)
        try:
            while (payload := decoder.next_frame()) is not None:
                self._take(payload)
                if self.ended or self.deaf:
                    self._hold(b"")
                    return
        except FramingError as error:
            limit = self._limit("frame-limit") if error.too_large else ""
            self._refuse("", str(error) if self.authenticated else error.of_a_stranger(), limit)
            return
        if not decoder.incomplete:
            if self._incomplete is not None:  # a piece of an empty frame may have started it
                self._stop_incomplete_timer()
        elif self._incomplete is None:
            self._incomplete = self._context.timers.start(self._patience_with_frame, self._give_up_on_frame)

    def _hold(self, data: bytes) -> None:
        """Keep ``data`` until the attempt was looked at, if it is not too much."""
        if not self.connected:
            return
        self._decoder.feed(data)
        if self._decoder.waiting > MOST_HELD:
            self._refuse("", str(self._decoder.too_many(MOST_HELD)), "held-octets")

    def _take(self, payload: str) -> None:
        """One frame is whole."""
        if self._incomplete is not None:
            self._stop_incomplete_timer()
        if self._frame_taps:
            self._show(False, payload)
        if self._context.interceptor is None:
            self._handle(payload)
        else:
            self._intercept(self._context.interceptor, payload)

    @property
    def _patience_with_frame(self) -> float:
        """Seconds that a frame has to be completed."""
        limits = self._context.configuration
        if self.authenticated:
            return limits.incomplete_frame_timeout
        return limits.incomplete_frame_timeout_before_authentication

    def deliver(self, message: ServerMessage) -> None:
        """Queue ``message``; all that is queued in one turn of the loop leaves at its end."""
        if not self.connected:
            return
        payload = message.format(self._next_id())
        if self._dialect_0_8 and isinstance(message, _IN_CODE_POINTS_BEFORE_0_9):
            try:
                length = len(payload.encode("latin-1").decode("utf-8"))
            except UnicodeDecodeError:
                self._context.taps.event(
                    "frame-not-sent", connection=self.number, reason="not UTF-8 (dialect 0.8)"
                )
                return
            frame = f"{length}#{payload}".encode("latin-1")
        else:
            frame = encode_frame(payload)
        if self._frame_taps:
            self._show(True, payload)
        if self._context.interceptor is None:
            self._out.append(frame)
            if not self._woken:
                self._woken = True
                self._wake()
        else:
            self._context.interceptor.sent(self.number, frame, self._put)

    def take_output(self) -> bytes:
        """What is to be written, in one piece; it is forgotten here."""
        self._woken = False
        out = self._out
        if not out:
            return b""
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def lost(self) -> None:
        """The connection is gone, or will be closed without a word."""
        self._stop_incomplete_timer()
        self._leave()

    def _intercept(self, interceptor: FrameInterceptor, payload: str) -> None:
        try:
            interceptor.received(self.number, payload, self._handle)
        except Exception as error:
            self._survive(error, payload, [])

    def _handle(self, payload: str) -> None:
        """Do what one frame says."""
        if not self._hears:
            if self.connected:  # an interceptor has kept it until now
                self._held.append(payload)
            return
        queued = len(self._out)
        try:
            message = parse_request(payload)
            if self.authenticated or isinstance(message, Authenticate):
                self._obey(message)
            else:
                self._refuse(message.message_id, AUTHENTICATION_REQUIRED)
        except RequestError as error:
            known = self.authenticated or error.is_authenticate
            self._refuse(error.message_id, error.text if known else AUTHENTICATION_REQUIRED)
        except Exception as error:
            self._survive(error, payload, self._out[queued:])

    def _obey(self, message: ClientMessage) -> None:
        context = self._context
        match message:
            case Sip():
                if not context.core.sip(self, message):
                    self._end()
            case Proxy():
                context.core.proxy(self, message)
            case Ping(message_id):
                self.deliver(Accepted(message_id, "pong"))
            case Route(message_id, verb):
                if context.routes.add_route(self, verb, context.limits.routes_per_application):
                    self.deliver(Accepted(message_id))
                else:
                    self._tell("application-over-limit", limit="routes-per-application", verb=verb)
                    self.deliver(NotSent(message_id, TOO_MANY_ROUTES))
            case RemoveRoute(message_id, verb):
                context.routes.remove_route(self, verb)
                self.deliver(Accepted(message_id))
            case Authenticate():
                self._attempt(message)
            case _:
                assert_never(message)

    def _attempt(self, message: Authenticate) -> None:
        """Look at it, now or, where others from that address have failed, later."""
        context = self._context
        delay = 0.0
        if not self.authenticated:
            delay = context.failed_attempts.delay(
                self._host,
                free=context.limits.failed_authentications,
                longest=context.configuration.authentication_delay,
            )
        if not delay:
            self._authenticate(message)
            return
        if not context.failed_attempts.begins_to_wait(self._host, context.limits.waiting_authentications):
            self._refuse(message.message_id, TOO_MANY_ATTEMPTS, "waiting-authentications")
            return
        self._tell("admin-attempt-delayed", seconds=f"{delay:g}", limit="failed-authentications")
        self._hears = False
        self._waiting_attempt = context.timers.start(delay, partial(self._hear_again, message))
        self._wake_once()

    def _hear_again(self, message: Authenticate) -> None:
        """The delay is over."""
        self._stop_waiting()
        self._hears = True
        self._authenticate(message)
        self._wake_once()
        held, self._held = self._held, []
        for payload in held:
            self._handle(payload)
        self.receive(b"")

    def _stop_waiting(self) -> None:
        """No attempt waits any more."""
        if self._waiting_attempt is not None:
            self._waiting_attempt.cancel()
            self._waiting_attempt = None
            self._context.failed_attempts.has_waited(self._host)

    @property
    def _host(self) -> str:
        return self.peer.rpartition(":")[0]

    def _authenticate(self, message: Authenticate) -> None:
        context = self._context
        if not hmac.compare_digest(message.secret.encode("latin-1"), context.secret.encode("latin-1")):
            context.failed_attempts.failed(self._host)
            self._refuse(message.message_id, INCORRECT_SECRET)
            return
        context.failed_attempts.succeeded(self._host)
        tags = self.tags | {tag for tag in message.tags.split(",") if tag}
        if len(tags) > context.limits.tags_per_application:
            self._refuse(message.message_id, TOO_MANY_TAGS, "tags-per-application")
            return
        advertised, local = context.hostports()
        first = not self.authenticated
        self.authenticated = True
        self._decoder.limit = context.configuration.frame_limit
        self.tags = tags
        self.deliver(
            Authenticated(message.message_id, advertised, context.version, local, context.dialect_0_8)
        )
        if first and self._user is not None:
            self._user.authenticated()

    def _survive(self, error: Exception, payload: str, queued: list[bytes]) -> None:
        """The handling of ``payload`` has failed, having ``queued`` these frames. Answer, unless that has been done."""
        context = self._context
        context.internal_errors += 1
        shown = self._without_secret(payload)
        if len(shown) > _SHOWN:
            shown = f"{shown[:_SHOWN]}… ({len(payload)} octets)"
        told = without_secret(
            f"{error!r} {_way_to(error)}", context.secret
        )  # an error may show what it fails on
        self._tell("internal-error", error=told, frame=shown)
        message_id = payload.partition("\r\n")[0].partition("|")[0]
        answer_begins = f"|response|{message_id}|".encode("latin-1")
        if message_id and not any(answer_begins in frame[:200] for frame in queued):
            self.deliver(NotSent(message_id, INTERNAL_ERROR))

    def _put(self, octets: bytes) -> None:
        self._out.append(octets)
        self._wake_once()

    def _wake_once(self) -> None:
        if not self._woken:
            self._woken = True
            self._wake()

    def _refuse(self, message_id: str, text: str, limit: str = "") -> None:
        """Answer ``NO`` and end; ``limit`` names the limit that was met, if it was one."""
        details = {"limit": limit} if limit else {}
        self._tell("admin-refused", reason=self._without_secret(text), **details)
        self.deliver(Refused(message_id, text.encode().decode("latin-1")))
        self._end()

    def _end(self) -> None:
        """From here on this application has lost the connection; what is queued still goes out."""
        self.ended = True
        self._stop_incomplete_timer()
        self._wake_once()
        self._leave()

    def _leave(self) -> None:
        if not self.connected:
            return
        self.connected = self._hears = False
        self._stop_waiting()
        self._tell("admin-disconnected")
        if self.authenticated:  # a stranger has nothing that would have to be looked for
            self._context.routes.remove(self)
            self._context.core.application_lost(self)
        if self._user is not None:
            self._user.left()

    def _give_up_on_frame(self) -> None:
        self._incomplete = None
        limit = self._limit("incomplete-frame-timeout")
        self._tell("admin-incomplete-frame", limit=limit)
        self._refuse("", str(self._decoder.missing(self._patience_with_frame)), limit)

    def _limit(self, name: str) -> str:
        """The setting that holds for it now."""
        return name if self.authenticated else f"{name}-before-authentication"

    def _stop_incomplete_timer(self) -> None:
        if self._incomplete is not None:
            self._incomplete.cancel()
            self._incomplete = None

    def _show(self, sent: bool, payload: str) -> None:
        """Tell those who watch the frames: as they came, and as they are before anything is done to them."""
        shown = payload if sent and self.authenticated else self._without_secret(payload)
        for tap in self._frame_taps:
            tap.frame(self.number, sent, shown)

    def _tell(self, name: str, **details: str | int) -> None:
        """An event of this connection."""
        self._context.taps.event(name, connection=self.number, peer=self.peer, **details)

    def _without_secret(self, payload: str) -> str:
        return without_secret(payload, "" if self.authenticated else self._context.secret)


def _way_to(error: Exception) -> str:
    """Where it was raised, from the caller inwards: ``core.py:61 respond.py:88``."""
    places: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        places.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"({' '.join(places)})"
