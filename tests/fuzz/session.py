"""One admin session that is told frames, halves of frames and what is none, against a model of its gate.

What must hold: what comes out are whole frames; nobody who has not authenticated is answered OK but for that; each
message is answered once, in order; behind the end nothing comes.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reference_server.wire.framing import encode_frame
from tests.admin.admin_port import SECRET
from tests.admin.test_session import Wire

VERBS = st.sampled_from(
    [
        "ping",
        "route|invite",
        "remove_route|invite",
        "sip||",
        "proxy|x",
        "",
        "foo|bar",
        "sip|x|\r\nSIP/2.0 200 OK\r\n\r\n",
    ]
)
JUNK = st.binary(max_size=30)


class Session(RuleBasedStateMachine):
    """A stranger who may become an application."""

    steps = 0
    """of all machines"""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.authenticated = False
        self.asked = 0
        self.unframed = False
        """what was said last is no whole frame"""

    @rule(secret=st.sampled_from([SECRET, SECRET, "wrong", "", f"{SECRET}x"]))
    def authenticate(self, secret: str) -> None:
        heard = self._say(f"authenticate|{secret}|")
        if heard and "|OK" in heard[0]:
            assert secret == SECRET
            self.authenticated = True

    @rule(verb=VERBS)
    def ask(self, verb: str) -> None:
        for answer in self._say(verb):
            assert self.authenticated or "|OK" not in answer, answer

    @rule(junk=JUNK)
    def say_anything(self, junk: bytes) -> None:
        Session.steps += 1
        was_over = self.wire.session.ended
        self.unframed = True
        self.wire.session.receive(junk)
        heard = self.wire.heard()
        assert not (was_over and heard)
        assert not any("|OK" in answer for answer in heard) or self.authenticated

    def _say(self, text: str) -> list[str]:
        Session.steps += 1
        was_over = self.wire.session.ended
        self.asked += 1
        name = f"m{self.asked}"
        self.wire.session.receive(encode_frame(f"{name}|{text}"))
        heard = self.wire.heard()
        assert not (was_over and heard)
        if not self.unframed and not was_over and text:
            assert [answer.split("|")[:2] for answer in heard] == [["response", name]], heard
        return heard

    @invariant()
    def no_fault_of_ours(self) -> None:
        assert "internal-error" not in self.wire.tap.names()

    def teardown(self) -> None:
        """It is lost."""
        self.wire.session.lost()
        assert not self.wire.session.connected
