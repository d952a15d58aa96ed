"""What every test of proxying needs: a caller, an application that proxies, and targets that answer."""

from __future__ import annotations

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import Request, Response, parse_message
from reference_server.sip.messages.uri import tag_of
from reference_server.sip.transport import UDP
from tests.core.world import BY_UDP, SDP, UDP_ENDPOINT, Phone, RecordingApplication, World, transaction_id_of

SERIAL = "remainInDialog||followRedirects|serial||"


class Callee:
    """A target at 127.0.0.1:``port``: it reads what was sent to it and answers."""

    def __init__(self, world: World, port: int, user: str = "", flow: Flow | None = None) -> None:
        self.world = world
        self.uri = f"sip:{user or f'u{port}'}@127.0.0.1:{port}"
        self.flow = flow or Flow(UDP, "127.0.0.1", port, UDP_ENDPOINT)
        world.network.routes[self.uri] = self.flow
        world.network.routes[f"sip:127.0.0.1:{port}"] = self.flow
        self._taken = 0

    @property
    def received(self) -> list[Request | Response]:
        """All that was sent to it."""
        return [parse_message(text) for _, flow, text in self.world.network.sent if flow == self.flow]

    def take(self) -> Request:
        """The next request that was sent to it."""
        message = self.received[self._taken]
        self._taken += 1
        assert isinstance(message, Request), message.text
        return message

    def nothing_more(self) -> bool:
        """Whether everything that was sent to it was taken."""
        return self._taken == len(self.received)

    def answer(
        self, request: Request, status: int, *lines: str, tag: str = "", body: str = "", cut: int = 0
    ) -> None:
        """Send a response to ``request``."""
        to = request.get("to")
        if status > 100 and "tag=" not in to:
            to += f";tag={tag or self.uri[4:7]}"
        fields = [
            *(f"Via: {value}" for value in request.all("via")),
            *(f"Record-Route: {value}" for value in request.all("record-route")),
            f"From: {request.get('from')}",
            f"To: {to}",
            f"Call-ID: {request.get('call-id')}",
            f"CSeq: {request.get('cseq')}",
            *lines,
            f"Content-Length: {len(body) - cut}",
        ]
        head = "".join(f"{field}\r\n" for field in fields)
        self.world.receive(f"SIP/2.0 {status} Whatever\r\n{head}\r\n{body}", self.flow)


class Stage:
    """One caller, one application, and two targets."""

    def __init__(self, world: World, flow: Flow = BY_UDP, name: str = "call1") -> None:
        self.world = world
        self.application: RecordingApplication = world.application(
            "invite", "register", "options", "message", "info"
        )
        self.phone = Phone(world, name, flow)
        self.carol = Callee(world, 5090, "carol")
        self.dan = Callee(world, 5091, "dan")
        self.transaction_id = ""

    def route_token(self, call_id: str = "", tag: str = "") -> str:
        """The parameter by which our Record-Route proves that it was made for the phone's call, or for that one."""
        tokens = self.world.core.proxying.tokens
        return tokens.parameter(call_id or self.phone.call_id, tag or tag_of(self.phone.from_))

    def request(self, method: str = "INVITE", *lines: str, body: str = "") -> None:
        """The caller's request comes, and the application has it."""
        if method == "INVITE":
            self.phone.invite(*lines, body=body or SDP)
        else:
            self.phone.send(method, *lines, body=body)
        self.transaction_id = transaction_id_of(self.application.take_one())

    def proxy(self, *destinations: str, options: str = SERIAL, headers: str = "") -> str:
        """The application proxies it; the answer that came at once, or an empty text."""
        start = "INVITE sip:x SIP/2.0\r\n"
        tokens = "|".join([options, *destinations])
        return self.application.say(f"proxy|{self.transaction_id}|{tokens}\r\n{start}{headers}\r\n")

    def start(self, *destinations: str, options: str = SERIAL, headers: str = "") -> str:
        """An INVITE comes and is proxied."""
        self.request()
        return self.proxy(*destinations, options=options, headers=headers)

    @property
    def heard(self) -> list[Response]:
        """The responses that the caller has got so far, 100 Trying left out."""
        found = [
            parse_message(text)
            for _, flow, text in self.world.network.sent
            if flow == self.phone.flow and text.startswith("SIP/2.0")
        ]
        return [message for message in found if isinstance(message, Response) and message.status > 100]

    @property
    def statuses(self) -> list[int]:
        """Their statuses."""
        return [response.status for response in self.heard]


def stage_of(settings: Settings | None = None) -> Stage:
    """A stage in a world of its own."""
    return Stage(World(settings))
