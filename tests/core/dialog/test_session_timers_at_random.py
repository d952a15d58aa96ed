"""Calls with session timers in which anything happens in any order: nothing is left over, nobody sees a refresh."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reference_server.sip.messages.message import Request, parse_message
from tests.core.world import SDP, Phone, RecordingApplication, World, sip_of, tokens_of, transaction_id_of

INTERVALS = st.sampled_from(["90;refresher=uac", "90;refresher=uas", "90", "600;refresher=uas", "30", "junk"])


class AnyCall(RuleBasedStateMachine):
    """One call; each rule is something that an end may do."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.application: RecordingApplication = self.world.application("invite")
        self.phone = Phone(self.world)
        self.asked: list[str] = []
        """requests of the server that the far end has not answered"""
        self.offered: list[str] = []
        """transaction ids that the application has not answered"""

    @initialize(
        wanted=INTERVALS.filter(lambda value: value != "junk"), given=INTERVALS, described=st.booleans()
    )
    def begin(self, wanted: str, given: str, described: bool) -> None:
        self.phone.invite("Supported: timer", f"Session-Expires: {wanted}")
        expires = f"Session-Expires: {given}\r\n" if given != "junk" else ""
        body = SDP if described else ""
        transaction = transaction_id_of(self.application.take_one())
        self.phone.learn(
            sip_of(self.application.answer(transaction, f"SIP/2.0 200 OK\r\n{expires}\r\n{body}"))
        )
        self.phone.send("ACK")
        self.read()

    @invariant()
    def read(self) -> None:
        """Take what has come; no refresh is ever shown to the application."""
        for text in self.world.network.take():
            if (
                isinstance(parse_message(text), Request)
                and not text.startswith("ACK")
                and text not in self.asked
            ):
                self.asked.append(text)
        for payload in self.application.take():
            text = sip_of(payload)
            assert "Min-SE: 90" not in text, "the application sees no refresh"
            tokens = tokens_of(payload)
            if tokens[1] == "sip" and text.partition(" ")[0] in ("INVITE", "UPDATE"):
                self.offered.append(tokens[8])

    @rule(seconds=st.sampled_from([1, 3, 10, 40, 51, 90, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(
        status=st.sampled_from([180, 200, 200, 200, 408, 422, 481, 488, 491, 500]),
        line=st.sampled_from(
            [
                "X: y",
                "Session-Expires: 90;refresher=uac",
                "Session-Expires: 90;refresher=uas",
                "Min-SE: 200",
                "Retry-After: 5",
            ]
        ),
    )
    def the_far_end_answers(self, status: int, line: str) -> None:
        if self.asked:
            text = self.asked[0]
            if status >= 200:
                self.asked.pop(0)
            self.phone.respond(text, status, "Contact: <sip:alice@127.0.0.1:5080>", line)

    @rule(method=st.sampled_from(["INVITE", "UPDATE"]), expires=INTERVALS, body=st.sampled_from(["", SDP]))
    def the_far_end_asks(self, method: str, expires: str, body: str) -> None:
        self.phone.send(
            method, "Contact: <sip:alice@127.0.0.1:5080>", f"Session-Expires: {expires}", body=body
        )

    @rule()
    def the_far_end_acknowledges(self) -> None:
        self.phone.send("ACK")

    @rule(status=st.sampled_from([200, 200, 488]), body=st.sampled_from(["", SDP]))
    def the_application_answers(self, status: int, body: str) -> None:
        if self.offered and self.application.connected:
            text = f"SIP/2.0 {status} Whatever\r\n\r\n{body}"
            self.application.answer(self.offered.pop(0), text)

    @rule(method=st.sampled_from(["INVITE", "UPDATE", "ACK", "INFO"]), body=st.sampled_from(["", SDP]))
    def the_application_asks(self, method: str, body: str) -> None:
        if self.application.connected:
            self.application.request(self.phone.dialog_id, f"{method} sip:placeholder SIP/2.0\r\n\r\n{body}")

    @rule(dice=st.integers(0, 9))
    def the_application_goes_and_another_comes(self, dice: int) -> None:
        if dice == 0 and self.application.connected:
            self.read()
            self.application.leave()
            self.offered.clear()
            self.application = self.world.application()

    @rule(dice=st.integers(0, 9))
    def the_application_hangs_up(self, dice: int) -> None:
        if dice == 0:
            self.application.request(self.phone.dialog_id, "BYE\r\n\r\n")

    @rule(dice=st.integers(0, 9))
    def the_far_end_hangs_up(self, dice: int) -> None:
        if dice == 0:
            self.phone.send("BYE")

    def teardown(self) -> None:
        """The application hangs up if it still can; then all has to end by itself."""
        if self.application.connected:
            self.application.request(self.phone.dialog_id, "BYE\r\n\r\n")
        self.world.advance(400)
        self.world.check_empty()


TestAnyCall = AnyCall.TestCase
TestAnyCall.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
