"""Each rule is broken once, and kept once by an application that does right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from application_rules.calls import MOST_DIALOGS, Calls
from application_rules.judge import Judge
from application_rules.rules import RULES, Weight

TXN = "f6fadfa7-e5c1-4b62-9362-da5cc13da58a"
OWN = "3f0a1b6c-52d7-4e08-8f1c-9a6bd2e4c711"
DIALOG = "mq7zt1;from-tag=k2x8"
AWAY = "6f1d0c52;from-tag=N4p"


def sip(start: str, *lines: str, body: str = "") -> str:
    return "\r\n".join(["", start, *lines, "", body])


INVITE = sip(
    "INVITE sip:bob@127.0.0.1 SIP/2.0", "From: <sip:a@h>;tag=k2x8", "Call-ID: mq7zt1", "CSeq: 1 INVITE"
)
MY_INVITE = sip(
    "INVITE sip:carol@h SIP/2.0",
    "From: <sip:h>;tag=N4p",
    "Call-ID: 6f1d0c52",
    "CSeq: 7 INVITE",
    "Supported: 100rel",
)


class Talk:
    """One connection of an application, told frame by frame; all that was said of it."""

    def __init__(self, *, authenticated: bool = True) -> None:
        self.judge = Judge()
        self.said: list[str] = []
        if authenticated:
            self.app("a", "authenticate|cymru|")
            self.server("response|a|OK|udp/127.0.0.1:5060|v0.9.5")

    def app(self, message_id: str, rest: str) -> Talk:
        self.said += [problem.rule.name for problem in self.judge.sent(1, f"{message_id}|{rest}")]
        return self

    def server(self, rest: str) -> Talk:
        self.said += [problem.rule.name for problem in self.judge.received(1, f"x|{rest}")]
        return self

    def request(self, message: str = INVITE, *, txn: str = TXN, dialog: str = "") -> Talk:
        return self.server(f"sip|network|1|udp|h|5060|10:00:00.000000|{txn}|{dialog}|{message}")

    def response(self, start: str, *lines: str, dialog: str = AWAY, method: str = "INVITE") -> Talk:
        message = sip(start, f"CSeq: 7 {method}", *lines)
        return self.server(f"sip|network|1|udp|h|5060|10:00:00.000000|{OWN}|{dialog}|{message}")

    def answer(self, start: str, message_id: str = "r", *, txn: str = TXN) -> Talk:
        return self.app(message_id, f"sip|{txn}|{sip(start)}")

    def echo(self, start: str, message_id: str = "r", *, dialog: str = DIALOG) -> Talk:
        content = sip(start, "CSeq: 1 INVITE")
        rest = f"OK|application|1|udp|h|5060|10:00:00.000000|{TXN}|{dialog}||Msg sent:|"
        return self.server(f"response|{message_id}|{rest}{content}")

    def calls(self) -> Talk:
        self.app("c", f"sip||{MY_INVITE}")
        return self.sent("c", MY_INVITE)

    def sent(self, message_id: str, message: str, txn: str = OWN) -> Talk:
        rest = f"OK|application|1|udp|h|5060|10:00:00.000000|{txn}|Msg sent:|"
        return self.server(f"response|{message_id}|{rest}{message}")

    def answered(self) -> Talk:
        return self.request().answer("SIP/2.0 200 OK").echo("SIP/2.0 200 OK")

    def acknowledged(self) -> Talk:
        return self.answered().request(sip("ACK sip:x SIP/2.0"), txn="ack", dialog=DIALOG)

    def inside(self, start: str, dialog: str = DIALOG, message_id: str = "i") -> Talk:
        return self.app(message_id, f"sip||{dialog}{sip(start)}")

    def debts(self) -> list[str]:
        return [problem.rule.name for problem in self.judge.debts()]


def options(*lines: str, uri: str = "sip:c@h") -> str:
    return "sip||" + sip(f"OPTIONS {uri} SIP/2.0", *lines)


def long_id() -> Talk:
    return Talk().app("x" * 128, "ping")


def challenged(sequence: int) -> Talk:
    again = MY_INVITE.replace("CSeq: 7", f"CSeq: {sequence}").replace(
        "Supported: 100rel", "Authorization: Digest"
    )
    return Talk().calls().response("SIP/2.0 401 Unauthorized").app("d", f"sip||{again}")


BROKEN: dict[str, Callable[[], Talk]] = {
    "empty-frame": lambda: _empty(),
    "too-few-tokens": lambda: _raw("alone"),
    "id-pending": lambda: Talk().app("b", "ping").app("b", "ping"),
    "id-again": lambda: Talk().app("b", "ping").server("response|b|OK|pong").app("b", "ping"),
    "id-too-long": long_id,
    "frame-too-large": lambda: Talk().app("b", "ping|" + "x" * 13000),
    "unknown-type": lambda: Talk().app("b", "PING"),
    "not-a-line-end": lambda: Talk().request().app("r", f"sip|{TXN}|\r\nSIP/2.0 200 OK\n\r\n\r\n"),
    "stray-octet": lambda: Talk().request().answer("SIP/2.0 200 O\x00K"),
    "not-authenticated": lambda: Talk(authenticated=False).app("b", "route|invite"),
    "verb-in-capitals": lambda: Talk().app("b", "route|INVITE"),
    "routed-twice": lambda: Talk().app("b", "route|invite").app("c", "route|invite"),
    "several-verbs": lambda: Talk().app("b", "route|invite,options"),
    "no-verb": lambda: Talk().app("b", "route"),
    "unknown-verb": lambda: Talk().app("b", "route|refer"),
    "unknown-transaction": lambda: Talk().answer("SIP/2.0 200 OK"),
    "no-transaction": lambda: Talk().app("b", "sip||" + sip("SIP/2.0 200 OK")),
    "answered-twice": lambda: Talk().request().answer("SIP/2.0 200 OK").answer("SIP/2.0 486 Busy", "s"),
    "needs-no-answer": lambda: (
        Talk().acknowledged().app("b", "sip|ack|" + sip("SIP/2.0 200 OK"))
    ),
    "status-line": lambda: Talk().request().answer("SIP/2.0 OK"),
    "provisional-to-others": lambda: (
        Talk().request(sip("OPTIONS sip:x SIP/2.0", "CSeq: 1 OPTIONS")).answer("SIP/2.0 183 Progress")
    ),
    "unknown-dialog": lambda: Talk().inside("INFO sip:x SIP/2.0"),
    "dialog-over": lambda: (
        Talk().acknowledged().request(sip("BYE sip:x SIP/2.0"), txn="b", dialog=DIALOG).inside("INFO sip:x SIP/2.0")
    ),
    "stray-ack": lambda: Talk().acknowledged().inside("ACK sip:x SIP/2.0"),
    "no-ack": lambda: Talk().calls().response("SIP/2.0 200 OK").inside("BYE sip:x SIP/2.0", AWAY),
    "cancel-by-dialog": lambda: (
        Talk().calls().response("SIP/2.0 180 Ringing").inside("CANCEL sip:x SIP/2.0", AWAY)
    ),
    "invite-in-invite": lambda: (
        Talk().acknowledged().inside("INVITE sip:x SIP/2.0").sent("i", sip("INVITE sip:x SIP/2.0"), "re")
        .inside("INVITE sip:x SIP/2.0", DIALOG, "j")
    ),
    "bye-before-ack": lambda: Talk().answered().inside("BYE sip:x SIP/2.0"),
    "call-twice": lambda: Talk().calls().app("d", f"sip||{MY_INVITE}"),
    "credentials": lambda: challenged(7),
    "both-ids": lambda: Talk().acknowledged().app("b", f"sip|{TXN}|{DIALOG}" + sip("INFO sip:x SIP/2.0")),
    "scheme": lambda: Talk().app("b", options(uri="tel:110")),
    "outside-dialogs": lambda: Talk().app("b", "sip||" + sip("BYE sip:x@h SIP/2.0")),
    "body-without-type": lambda: Talk().app("b", "sip||" + sip("MESSAGE sip:x@h SIP/2.0", body="Hi")),
    "dropped-header": lambda: Talk().app("b", options("X Y: z")),
    "folded-header": lambda: Talk().app("b", options("X-Y: a\r\n b")),
    "proxy-tokens": lambda: Talk().request().app("p", f"proxy|{TXN}|sip:c@h"),
    "proxy-option": lambda: Talk().request().app("p", f"proxy|{TXN}|remain||||||sip:c@h"),
    "proxy-timeout": lambda: Talk().request().app("p", f"proxy|{TXN}||||serial|soon||sip:c@h"),
    "too-many-destinations": lambda: Talk().request().app("p", f"proxy|{TXN}||||serial||" + "|sip:c@h" * 11),
}  # fmt: skip


def _empty() -> Talk:
    talk = Talk()
    talk.said += [problem.rule.name for problem in talk.judge.sent(1, "")]
    return talk


def _raw(payload: str) -> Talk:
    talk = Talk()
    talk.said += [problem.rule.name for problem in talk.judge.sent(1, payload)]
    return talk


@pytest.mark.parametrize("rule", BROKEN)
def test_what_breaks_a_rule_is_said(rule: str) -> None:
    talk = BROKEN[rule]()
    assert talk.said == [rule]
    assert talk.judge.broken[RULES[rule].clause] == 1


KEPT: dict[str, Callable[[], Talk]] = {
    "a request refused": lambda: Talk().request().answer("SIP/2.0 486 Busy").echo("SIP/2.0 486 Busy"),
    "a call answered": lambda: Talk().acknowledged().inside("BYE sip:x SIP/2.0"),
    "a call made": lambda: (
        Talk().calls().response("SIP/2.0 180 Ringing").response("SIP/2.0 200 OK").inside("ACK sip:x SIP/2.0", AWAY)
    ),
    "credentials": lambda: challenged(8),
    "an answer that crosses a CANCEL": lambda: (
        Talk().request().request(sip("CANCEL sip:x SIP/2.0")).answer("SIP/2.0 200 OK")
    ),
    "an answer that crosses a BYE": lambda: (
        Talk().request().answer("SIP/2.0 180 Ringing").echo("SIP/2.0 180 Ringing")
        .request(sip("BYE sip:x SIP/2.0"), txn="b", dialog=DIALOG).answer("SIP/2.0 200 OK", "s")
    ),
    "a second try behind NOK": lambda: (
        Talk().request().answer("SIP/2.0 200 OK").server("response|r|NOK|no").answer("SIP/2.0 486 Busy", "s")
    ),
    "proxy": lambda: Talk().request().app("p", f"proxy|{TXN}|remainInDialog|||serial|undefined|20s|sip:c@h"),
}  # fmt: skip


@pytest.mark.parametrize("story", KEPT)
def test_an_application_that_does_right_hears_nothing(story: str) -> None:
    assert KEPT[story]().said == []


def test_what_an_application_owes() -> None:
    assert Talk().request().debts() == ["never-answered"]
    assert Talk().request().answer("SIP/2.0 486 Busy").debts() == []
    assert Talk().calls().response("SIP/2.0 200 OK").debts() == ["no-ack"]
    reliable = Talk().calls().response("SIP/2.0 183 Progress", "Require: 100rel", "RSeq: 5")
    assert reliable.debts() == ["no-prack"]
    acknowledged = reliable.app("k", f"sip||{AWAY}" + sip("PRACK sip:x SIP/2.0", "RAck: 5 7 INVITE"))
    assert acknowledged.debts() == []


def test_what_others_tell_the_judge() -> None:
    judge = Judge()
    told = [
        *judge.broke(1, "hello"),
        *judge.counted(1, "code-points"),
        *judge.given_up(1, "INVITE", TXN),
        *judge.nobody_routed("invite"),
    ]
    assert [problem.rule.name for problem in told] == [
        "no-frame",
        "count-of-characters",
        "never-answered",
        "nobody-routed",
    ]
    assert judge.counted(1, "bytes") == []


def test_a_route_that_nothing_came_for() -> None:
    talk = Talk().app("b", "route|invite").app("c", "route|options").request()
    assert [problem.what for problem in talk.judge.left(1)] == ["options was routed, and none came"]
    assert talk.debts() == []


def test_a_recording_that_begins_in_the_middle() -> None:
    judge = Judge(complete=False)
    assert judge.sent(1, f"a|sip|{TXN}|" + sip("SIP/2.0 200 OK")) == []
    assert judge.sent(1, f"b|sip||{DIALOG}" + sip("INFO sip:x SIP/2.0")) == []


def test_every_rule_is_tried() -> None:
    by_others = {
        "no-frame",
        "count-of-characters",
        "never-answered",
        "nobody-routed",
        "route-never-used",
        "no-prack",
    }
    assert set(RULES) == set(BROKEN) | by_others


def test_what_is_kept_is_bounded() -> None:
    talk = Talk()
    for number in range(6000):
        talk.request(txn=f"t{number}").answer("SIP/2.0 486 Busy", f"r{number}", txn=f"t{number}")
        talk.server(f"response|r{number}|OK|application|1|udp|h|1|t|t{number}|d{number}||Msg sent:|")
    assert len(talk.judge._calls.answered._values) == 4096
    assert not talk.judge._calls.incoming


def test_problems_are_sentences() -> None:
    (problem,) = Judge().sent(1, "b|route|INVITE")[-1:]
    assert problem.sentence.startswith("APP-6: route|INVITE matches no request. Write verbs in lower case")
    assert problem.rule.weight is Weight.VIOLATION


def test_a_request_that_was_given_up_is_owed_no_more() -> None:
    talk = Talk().request()
    talk.judge.given_up(1, "INVITE", TXN)
    assert talk.debts() == []
    assert talk.answer("SIP/2.0 200 OK").said == []


def test_subscriptions_that_ran_out_without_a_word_are_forgotten_and_not_judged() -> None:
    calls = Calls()
    for number in range(MOST_DIALOGS + 1):
        calls.dialog(f"d{number}")
    assert len(calls.dialogs) == MOST_DIALOGS
    assert "d0" in calls.forgotten
    talk = Talk()
    talk.judge._calls.forgotten[DIALOG] = True
    assert talk.inside("SUBSCRIBE sip:x SIP/2.0").said == []
