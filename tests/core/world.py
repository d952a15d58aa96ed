"""A world for the behaviour: its ports, implemented so that a test turns the clock and reads what happened.

The registry of applications is the server's own; the clock, the SIP network and the applications are these. A
:class:`Phone` is the far end: it makes the requests of one call and reads the responses to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from reference_server.admin.routes import RouteTable
from reference_server.core.context import Settings
from reference_server.core.core import Core
from reference_server.core.ports import Endpoint, Flow, NoWay, Taps, Way
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.message import Request, Response, parse_message
from reference_server.sip.messages.uri import tag_of
from reference_server.sip.transport import TCP, UDP
from reference_server.wire.frames_to_application import ServerMessage
from reference_server.wire.requests import Proxy, Sip, parse_request
from tests.hand_clock import HandClock

UDP_ENDPOINT = Endpoint(UDP, "127.0.0.1", 5060, "127.0.0.1", "sip:127.0.0.1:5060")
TCP_ENDPOINT = Endpoint(TCP, "127.0.0.1", 5060, "127.0.0.1", "sip:127.0.0.1:5060;transport=tcp")
BY_UDP = Flow(UDP, "127.0.0.1", 5080, UDP_ENDPOINT)
BY_TCP = Flow(TCP, "127.0.0.1", 5080, TCP_ENDPOINT, connection=1)

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20400 RTP/AVP 0\r\n"


class RecordingNetwork:
    """Implements ``SipNetwork``: keeps what was sent; names lead where ``routes`` says."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.sent: list[tuple[float, Flow, str]] = []
        self.opened: list[str] = []
        self.listening: tuple[Endpoint, ...] = (UDP_ENDPOINT, TCP_ENDPOINT)
        self.routes: dict[str, Way] = {}
        """what a next hop leads to: a flow, or why there is none"""
        self.alternatives: dict[str, list[Flow]] = {}
        """the flows of a next hop that are left when the first is of no use"""
        self.silent: list[int] = []
        """connections, once for each request over them that nobody answered"""
        self.broken: set[int] = set()
        """connections that are gone"""
        self.pending: list[Callable[[], None]] | None = None
        """where ``open`` puts its answers, if it is to take time"""

    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.listening

    def flow_to(self, next_hop: str) -> Way | None:
        """Everything takes time, as names do: what ``open`` says is at once enough for most tests."""

    def open(self, next_hop: str, done: Callable[[Way], None], tried: Sequence[Flow] = ()) -> None:
        self.opened.append(next_hop)
        answer = self.routes.get(next_hop, NoWay.NAME_UNKNOWN)
        if tried:
            answer = next(
                (flow for flow in self.alternatives.get(next_hop, ()) if flow not in tried),
                NoWay.UNREACHABLE,
            )
        if self.pending is None:
            done(answer)
        else:
            self.pending.append(lambda: done(answer))

    def alive(self, flow: Flow) -> bool:
        return flow.connection not in self.broken

    def unanswered(self, connection: int) -> None:
        self.silent.append(connection)

    def send(self, data: str, flow: Flow) -> bool:
        self.sent.append((self._clock.now, flow, data))
        return self.alive(flow)

    def take(self) -> list[str]:
        """What was sent since the last call."""
        taken = [text for _, _, text in self.sent]
        self.sent.clear()
        return taken

    def times(self, start: str) -> list[float]:
        """When messages that begin with ``start`` were sent."""
        return [moment for moment, _, text in self.sent if text.startswith(start)]


class RecordingApplication:
    """Implements ``TaggedApplication``: keeps the payloads that were delivered to it."""

    def __init__(self, world: World, number: int, tags: frozenset[str]) -> None:
        self._world = world
        self._number = number
        self._sent = 0
        self.connected = True
        self.reads = True
        self.tags = tags
        self.payloads: list[str] = []
        self.ended_by_server = False

    @property
    def number(self) -> int:
        return self._number

    def deliver(self, message: ServerMessage) -> None:
        assert self.connected, "nothing is delivered to an application that is gone"
        self.payloads.append(message.format("uuid"))

    def say(self, payload: str) -> str:
        """Send one ``sip`` or ``proxy`` message; returns the payload of the answer that came at once, or ''."""
        self._sent += 1
        message = parse_request(f"m{self._sent}|{payload}")
        before = len(self.payloads)
        if isinstance(message, Sip):
            self.ended_by_server |= not self._world.core.sip(self, message)
        else:
            assert isinstance(message, Proxy)
            self._world.core.proxy(self, message)
        answers = [
            text for text in self.payloads[before:] if text.startswith(f"uuid|response|m{self._sent}|")
        ]
        assert len(answers) <= 1, "one answer to one message"
        for answer in answers:
            self.payloads.remove(answer)
        return answers[0] if answers else ""

    def answer(self, transaction_id: str, text: str) -> str:
        """Send the response ``text``; returns the answer."""
        return self.say(f"sip|{transaction_id}|\r\n{text}")

    def request(self, dialog_id: str, text: str) -> str:
        """Send the request ``text`` in a dialog; returns the answer."""
        return self.say(f"sip||{dialog_id}\r\n{text}")

    def take(self) -> list[str]:
        """What was delivered since the last call, answers that ``say`` returned excepted."""
        taken = list(self.payloads)
        self.payloads.clear()
        return taken

    def take_one(self) -> str:
        """The one message that was delivered since the last call."""
        (payload,) = self.take()
        return payload

    def leave(self) -> None:
        """Lose the connection, as the admin listener does."""
        self.connected = False
        self._world.registry.remove(self)
        self._world.core.application_lost(self)


class RecordingTap:
    """Implements ``Tap``."""

    def __init__(self) -> None:
        self.sips: list[tuple[bool, str]] = []
        self.events: list[tuple[str, dict[str, str | int]]] = []

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        raise AssertionError("frames are the admin listener's")

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        self.sips.append((sent, text))

    def event(self, name: str, **details: str | int) -> None:
        self.events.append((name, details))


class World:
    """One behaviour with all that it acts on."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock = HandClock()
        self.network = RecordingNetwork(self.clock)
        self.registry = RouteTable()
        self.tap = RecordingTap()
        self.core = Core(
            settings or Settings(),
            clock=self.clock,
            timers=self.clock.timers,
            identifiers=Identifiers(Random(12345).randbytes),  # the same in each run
            network=self.network,
            applications=self.registry,
            taps=Taps(self.tap),
        )
        self.applications: list[RecordingApplication] = []

    def application(self, *verbs: str, tags: str = "") -> RecordingApplication:
        """An application that has routed ``verbs``."""
        connected = RecordingApplication(
            self, len(self.applications) + 1, frozenset(filter(None, tags.split(",")))
        )
        self.applications.append(connected)
        for verb in verbs:
            self.registry.add_route(connected, verb)
        return connected

    def receive(self, text: str, flow: Flow = BY_UDP) -> list[str]:
        """One SIP message comes; returns what was sent because of it."""
        before = len(self.network.sent)
        self.core.receive(text, flow)
        return [sent for _, _, sent in self.network.sent[before:]]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def check_empty(self) -> None:
        """64·T1 after the last message nothing is left."""
        self.advance(self.core.context.timing.t1x64)
        assert self.core.occupancy() == dict.fromkeys(self.core.occupancy(), 0)
        assert len(self.clock.timers) == 0


class Phone:
    """The far end of one call over ``flow``."""

    def __init__(self, world: World, name: str = "call1", flow: Flow = BY_UDP) -> None:
        self.world = world
        self.flow = flow
        self._name = name
        self.call_id = f"{name}@127.0.0.1"
        self.from_ = f"<sip:alice@127.0.0.1:5080>;tag=from-{name}"
        self.to = "<sip:bob@127.0.0.1:5060>"
        self.cseq = 0
        self.branch = ""
        self._branches = 0

    @property
    def dialog_id(self) -> str:
        """As the application has it."""
        return f"{self.call_id};from-tag={tag_of(self.from_)}"

    def text(self, method: str, *lines: str, body: str = "", same: bool = False, cseq: int = 0) -> str:
        """A request; ``same``: with the branch and CSeq of the one before, as ACK (of a failure) and CANCEL have it."""
        if not same:
            self._branches += 1
            self.branch = f"z9hG4bK{self._name}.{self._branches}"
            if method != "ACK":
                self.cseq += 1
        transport = self.flow.transport.via_token
        uri = "sip:127.0.0.1:5060" if tag_of(self.to) else "sip:bob@127.0.0.1:5060"
        fields = [
            f"Via: SIP/2.0/{transport} 127.0.0.1:5080;branch={self.branch}",
            "Max-Forwards: 70",
            f"From: {self.from_}",
            f"To: {self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq or self.cseq} {method}",
            *lines,
        ]
        if body:
            fields.append("Content-Type: application/sdp")
        fields.append(f"Content-Length: {len(body)}")
        return f"{method} {uri} SIP/2.0\r\n" + "".join(f"{field}\r\n" for field in fields) + f"\r\n{body}"

    def send(self, method: str, *lines: str, body: str = "", same: bool = False, cseq: int = 0) -> list[str]:
        """Send a request; returns what the server sent because of it."""
        return self.world.receive(self.text(method, *lines, body=body, same=same, cseq=cseq), self.flow)

    def invite(self, *lines: str, body: str = SDP) -> list[str]:
        """Send an INVITE with a Contact."""
        return self.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>", *lines, body=body)

    def learn(self, sent: str) -> Response:
        """Read a response of the server: its To, tag included, is that of the call from now on."""
        response = parse_message(sent)
        assert isinstance(response, Response)
        self.to = response.get("to")
        return response

    def respond(self, sent: str, status: int = 200, *lines: str) -> list[str]:
        """Answer a request of the server."""
        request = parse_message(sent)
        assert isinstance(request, Request)
        fields = [f"{name}: {request.get(name.lower())}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        text = f"SIP/2.0 {status} Whatever\r\n" + "".join(f"{field}\r\n" for field in [*fields, *lines])
        return self.world.receive(f"{text}Content-Length: 0\r\n\r\n", self.flow)


class Call:
    """A call that an application answered, ready for what comes next."""

    def __init__(
        self,
        world: World,
        application: RecordingApplication,
        name: str = "call1",
        flow: Flow = BY_UDP,
        phone: Phone | None = None,
    ) -> None:
        self.world = world
        self.application = application
        self.phone = phone or Phone(world, name, flow)
        self.phone.invite()
        self.transaction_id = transaction_id_of(application.take_one())

    @property
    def dialog_id(self) -> str:
        return self.phone.dialog_id

    def ring(self) -> Call:
        """The application sends 180."""
        self.answer("SIP/2.0 180 Ringing\r\n\r\n")
        return self

    def answer(self, text: str = "SIP/2.0 200 OK\r\n\r\n") -> str:
        """The application answers; returns the echo."""
        echo = self.application.answer(self.transaction_id, text)
        self.phone.learn(sip_of(echo))
        return echo

    def establish(self) -> Call:
        """200 and ACK."""
        self.answer()
        self.phone.send("ACK")
        self.application.take()
        self.world.network.take()
        return self

    def hang_up(self) -> None:
        """The far end says BYE and the application 200."""
        self.phone.send("BYE")
        self.application.answer(transaction_id_of(self.application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")


def tokens_of(payload: str) -> list[str]:
    """The tokens of a payload's first line."""
    return payload.partition("\r\n")[0].split("|")


def sip_of(payload: str) -> str:
    """The SIP message in a payload."""
    return payload.partition("\r\n")[2]


def transaction_id_of(payload: str) -> str:
    """Token 8 of a ``sip`` payload."""
    tokens = tokens_of(payload)
    assert tokens[1] == "sip", payload
    return tokens[8]


def status_of(sent: str) -> int:
    """The status of a response on the wire."""
    response = parse_message(sent)
    assert isinstance(response, Response), sent
    return response.status


def statuses_of(sent: list[str]) -> list[int]:
    """The statuses of responses on the wire."""
    return [status_of(text) for text in sent]
