"""Admin sessions of one address, one after the other, against a model of the gate: they are told frames, halves of
frames and what is none.

What must hold: what comes out are whole frames; nobody who has not authenticated is answered OK but for that; each
message is answered once, in order; while an attempt to authenticate waits nothing comes out; behind the end nothing
comes.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reference_server.admin.session import AdminSession
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
        self.secret_said = False
        """the right one, on this connection"""
        self.asked = 0
        self.unframed = False
        """what was said last is no whole frame"""
        self.owed: list[str] = []
        """the names of what was said while an attempt waited, that included"""
        self.knew = False
        """the attempt that waits has the right secret"""

    @rule()
    def come_again(self) -> None:
        if self.wire.session.ended:
            self.wire.session = AdminSession(self.wire.context, self.wire.session.number + 1, lambda: None)
            self.wire.session.begin("192.0.2.1:40000")
            self.secret_said = self.unframed = False
            self.owed = []

    @rule(seconds=st.sampled_from([0.5, 1.0, 8.0, 31.0]))
    def wait(self, seconds: float) -> None:
        Session.steps += 1
        self.wire.world.advance(seconds)
        heard = self._heard()
        if self.wire.session.deaf or not self.owed:
            assert not heard or self.unframed
            return
        if not self.unframed:
            names = [answer.split("|")[1] for answer in heard]
            assert names == self.owed[: len(names)]
            assert len(names) == len(self.owed) or self.wire.session.ended
            assert ("|OK" in heard[0]) is self.knew
        self.owed = []

    @rule(secret=st.sampled_from([SECRET, SECRET, "wrong", "", f"{SECRET}x"]))
    def authenticate(self, secret: str) -> None:
        was_deaf = self.wire.session.deaf
        self.secret_said |= secret == SECRET
        heard = self._say(f"authenticate|{secret}|")
        if self.wire.session.deaf and not was_deaf:
            self.knew = secret == SECRET
        assert self.unframed or not heard or ("|OK" in heard[0]) is (secret == SECRET)

    @rule(verb=VERBS)
    def ask(self, verb: str) -> None:
        self._say(verb)

    @rule(junk=JUNK)
    def say_anything(self, junk: bytes) -> None:
        Session.steps += 1
        was_over = self.wire.session.ended
        self.unframed = True
        self.wire.session.receive(junk)
        assert not (self._heard() and was_over)

    def _say(self, text: str) -> list[str]:
        Session.steps += 1
        was_over, was_deaf = self.wire.session.ended, self.wire.session.deaf
        self.asked += 1
        name = f"m{self.asked}"
        self.wire.session.receive(encode_frame(f"{name}|{text}"))
        heard = self._heard()
        assert not (was_over and heard)
        if was_deaf or self.wire.session.deaf:
            assert not heard
            if text:
                self.owed.append(name)
        elif not self.unframed and not was_over and text:
            assert [answer.split("|")[:2] for answer in heard] == [["response", name]], heard
        return heard

    def _heard(self) -> list[str]:
        """What came out; OK is said only where the secret was, and to nobody while an attempt waits."""
        heard = self.wire.heard()
        assert self.secret_said or not any("|OK" in answer for answer in heard), heard
        assert self.secret_said or not self.wire.session.authenticated
        return heard

    @invariant()
    def no_fault_of_ours(self) -> None:
        assert "internal-error" not in self.wire.tap.names()

    def teardown(self) -> None:
        """It is lost."""
        self.wire.session.lost()
        assert not self.wire.session.connected
