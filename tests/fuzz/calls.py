"""Transactions and dialogs: callers, far ends and applications do whatever they can, and some of it twice or broken.

What must hold: each message that leaves can be read, and a request that leaves is sound; a request from
the network gets one final response at most; when all is over and 64·T1 have passed no table holds anything and nothing
stands in the account of what is kept for peers.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reference_server.core.cdr.proxied_calls import LONGEST_SILENCE_SECONDS
from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import Request, Response, parse_message
from reference_server.sip.messages.sanity import fault_of
from reference_server.sip.transport import UDP
from tests.core.world import BY_TCP, BY_UDP, SDP, UDP_ENDPOINT, Phone, RecordingApplication, World, tokens_of

METHODS = ("INVITE", "OPTIONS", "MESSAGE", "REGISTER", "SUBSCRIBE", "INFO", "BYE", "FOO")
INSIDE = ("ACK", "BYE", "INVITE", "INFO", "UPDATE", "PRACK", "CANCEL", "REFER")
STATUSES = st.sampled_from([100, 180, 183, 200, 202, 302, 401, 422, 486, 487, 491, 503, 600])
FAR = "sip:carol@127.0.0.1:5090"
BY_FAR = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
STRAY = st.text(alphabet='\r\n\t :;,=<>"@|aSIP/2.0tag\xff', max_size=40)
LINES = st.sampled_from(
    [
        "Require: 100rel",
        "Supported: 100rel, timer",
        "Session-Expires: 90;refresher=uas",
        "Expires: 60",
        "Expires: 0",
        "Route: <sip:127.0.0.1:5060;lr>",
        "Record-Route: <sip:127.0.0.1:9;lr>",
        "Max-Forwards: 0",
        "Contact: *",
        "RAck: 1 1 INVITE",
    ]
)


class Calls(RuleBasedStateMachine):
    """One server, two callers, one far end, up to three applications."""

    steps = 0
    """of all machines"""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.applications: list[RecordingApplication] = []
        self.phones = [Phone(self.world, "p0", BY_UDP), Phone(self.world, "p1", BY_TCP)]
        self.offered: list[tuple[RecordingApplication, str, str]] = []
        """application, transaction id and dialog id of what it was told"""
        self.requests: list[tuple[Flow, str]] = []
        """that the server has sent"""
        self.finals: dict[str, str] = {}
        """final responses by the request that they answer"""
        self.said: list[tuple[str, Flow]] = []
        self.broken: set[str] = set()
        """the CSeqs of which a request was said that is a copy but for a slip, and so has an answer of its own"""

    @initialize(hang_up=st.booleans(), records=st.booleans())
    def begin(self, hang_up: bool, records: bool) -> None:
        self.world = World(Settings(hangup_on_application_loss=hang_up, call_records=records))
        self.world.network.routes = {FAR: BY_FAR, "sip:127.0.0.1:9;lr": BY_FAR}
        for phone in self.phones:
            phone.world = self.world
        self.come()

    def _read(self) -> None:
        """Judge what has left, and hear what the applications were told."""
        Calls.steps += 1
        for _, flow, text in self.world.network.sent:
            message = parse_message(text)
            if isinstance(message, Request):
                assert fault_of(message) is None, text
                self.requests.append((flow, text))
            else:
                assert isinstance(message, Response)
                self._count(message, flow)
        self.world.network.sent.clear()
        for application in self.applications:
            for payload in application.take():
                tokens = tokens_of(payload)
                if tokens[1] == "sip" and len(tokens) > 9:
                    self.offered.append((application, tokens[8], tokens[9]))
        del self.offered[:-20], self.requests[:-20], self.said[:-20]

    def _count(self, response: Response, flow: Flow) -> None:
        if response.status < 200 or flow.connection or response.get("cseq") in self.broken:
            return
        key = f"{flow.connection}|{response.get('via')}|{response.get('cseq')}|{response.get('call-id')}"
        line = response.start_line
        if response.status >= 300 or response.cseq_method != "INVITE":
            assert self.finals.setdefault(key, line) == line, f"{key}: {self.finals[key]}, then {line}"

    @rule()
    def come(self) -> None:
        if len([one for one in self.applications if one.connected]) < 3:
            self.applications.append(self.world.application(*(method.lower() for method in METHODS)))

    @rule(which=st.integers(0, 9))
    def leave(self, which: int) -> None:
        there = [one for one in self.applications if one.connected]
        if there:
            there[which % len(there)].leave()
            self._read()

    @rule(which=st.integers(0, 1), method=st.sampled_from(METHODS), lines=st.lists(LINES, max_size=2))
    def ask(self, which: int, method: str, lines: list[str]) -> None:
        phone = self.phones[which]
        phone.to = "<sip:bob@127.0.0.1:5060>"
        self._say(phone.text(method, "Contact: <sip:alice@127.0.0.1:5080>", *lines, body=SDP), phone.flow)

    @rule(
        which=st.integers(0, 1),
        method=st.sampled_from(INSIDE),
        same=st.booleans(),
        lines=st.lists(LINES, max_size=1),
    )
    def ask_inside(self, which: int, method: str, same: bool, lines: list[str]) -> None:
        phone = self.phones[which]
        if phone.branch:
            self._say(phone.text(method, *lines, same=same or method == "CANCEL"), phone.flow)

    @rule(which=st.integers(0, 19), broken=STRAY, at=st.integers(0, 400))
    def say_again(self, which: int, broken: str, at: int) -> None:
        if self.said:
            text, flow = self.said[which % len(self.said)]
            if broken:
                self.broken.add(parse_message(text).get("cseq"))
            self.world.receive(f"{text[:at]}{broken}{text[at:]}", flow)
            self._read()

    def _say(self, text: str, flow: Flow) -> None:
        self.said.append((text, flow))
        for sent in self.world.receive(text, flow):
            message = parse_message(sent)
            if isinstance(message, Response) and message.to_tag:
                for phone in self.phones:
                    if phone.call_id == message.get("call-id"):
                        phone.to = message.get("to")
        self._read()

    @rule(which=st.integers(0, 19), status=STATUSES, lines=st.lists(LINES, max_size=1))
    def far_end_answers(self, which: int, status: int, lines: list[str]) -> None:
        if self.requests:
            flow, text = self.requests[which % len(self.requests)]
            phone = Phone(self.world, "far", flow)
            if ";tag=" not in text.partition("\r\nTo: ")[2].partition("\r\n")[0]:
                head, _, rest = text.partition("\r\nTo: ")
                to, _, tail = rest.partition("\r\n")
                text = f"{head}\r\nTo: {to};tag=far\r\n{tail}"
            phone.respond(text, status, f"Contact: <{FAR}>", *lines)
            self._read()

    @rule(which=st.integers(0, 19), status=STATUSES, lines=st.lists(LINES, max_size=1))
    def answer(self, which: int, status: int, lines: list[str]) -> None:
        if self.offered:
            application, transaction, _ = self.offered[-1 - which % len(self.offered)]
            if application.connected:
                extra = "".join(f"{line}\r\n" for line in lines)
                application.answer(transaction, f"SIP/2.0 {status} Whatever\r\n{extra}\r\n")
                for phone in self.phones:
                    for _, _, sent in self.world.network.sent:
                        if phone.call_id in sent and sent.startswith("SIP/2.0 ") and ";tag=" in sent:
                            phone.to = parse_message(sent).get("to")
                self._read()

    @rule(which=st.integers(0, 19), method=st.sampled_from(INSIDE))
    def request_inside(self, which: int, method: str) -> None:
        if self.offered:
            application, _, dialog = self.offered[-1 - which % len(self.offered)]
            if application.connected and dialog:
                application.request(dialog, f"{method} sip:x SIP/2.0\r\n\r\n")
                self._read()

    @rule(method=st.sampled_from(METHODS), which=st.integers(0, 9))
    def request_outside(self, method: str, which: int) -> None:
        there = [one for one in self.applications if one.connected]
        if there:
            there[which % len(there)].say(f"sip||\r\n{method} {FAR} SIP/2.0\r\n\r\n")
            self._read()

    @rule(which=st.integers(0, 19), stays=st.booleans(), at_once=st.booleans())
    def proxy(self, which: int, stays: bool, at_once: bool) -> None:
        if self.offered:
            application, transaction, _ = self.offered[-1 - which % len(self.offered)]
            if application.connected:
                options = f"{'remainInDialog' if stays else ''}|||{'simultaneous' if at_once else 'serial'}||"
                application.say(f"proxy|{transaction}|{options}|{FAR}|{FAR}\r\nINVITE sip:x SIP/2.0\r\n\r\n")
                self._read()

    @rule(seconds=st.sampled_from([0.1, 0.6, 5, 33, 70]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)
        self._read()
        if seconds >= 5:
            self.finals.clear()  # what comes again is another transaction

    @rule()
    def lose_connection(self) -> None:
        self.world.core.connection_lost(BY_TCP)
        self._read()

    @invariant()
    def no_fault_of_ours(self) -> None:
        assert not [name for name, _ in self.world.tap.events if name == "internal-error"]

    def teardown(self) -> None:
        """Whoever owns a call is gone, whoever rings gives up, registrations end: then nothing is left."""
        for application in self.applications:
            if application.connected:
                application.leave()
        self._end_dialogs()
        self.world.core.connection_lost(BY_TCP)
        for _ in range(3):
            self.world.advance(2000)
            self._end_dialogs()
        self.world.advance(LONGEST_SILENCE_SECONDS)  # a proxied call of which nothing more is heard
        self.world.advance(100)
        occupancy = self.world.core.occupancy()
        assert occupancy == dict.fromkeys(occupancy, 0)
        account = self.world.core.context.account
        assert (account.total, len(account)) == (0, 0)

    def _end_dialogs(self) -> None:
        """A call that nobody owns stays until its far end hangs up (CONN-4): it does."""
        for usage in self.world.core.dialogs:
            dialog = usage.dialog
            self.world.receive(
                f"BYE sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKend{id(usage)}\r\n"
                f"From: <sip:x@h>;tag={dialog.remote_tag}\r\nTo: <sip:y@h>;tag={dialog.local_tag}\r\n"
                f"Call-ID: {dialog.call_id}\r\nCSeq: {2**30} BYE\r\nContent-Length: 0\r\n\r\n",
            )
        self.world.network.sent.clear()
