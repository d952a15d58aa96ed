"""What answers what, and what becomes of calls."""

from __future__ import annotations

import pytest

from msgtrace.answers import Shown, shown
from msgtrace.calls import Call, CallIndex
from msgtrace.entries import Entry, EntryKind
from msgtrace.filters import Filter, status
from msgtrace.verdict import Ending, judge
from tests.msgtrace.samples import EXCHANGE

Step = tuple[bool | str, str]
"""(from the server?, payload), or (``recv`` or ``send``, SIP message of a server's log)"""


def entries(steps: list[Step]) -> list[Entry]:
    """Half a second between two."""
    return [
        Entry(
            kind=EntryKind.SIP if isinstance(way, str) else EntryKind.FRAME,
            line=index + 1,
            time=f"2026-11-23T07:00:{index // 2:02}.{index % 2 * 5}Z",
            from_server=way == "send" if isinstance(way, str) else way,
            data=text.encode().decode("latin-1"),
        )
        for index, (way, text) in enumerate(steps)
    ]


def items(steps: list[Step], hold: int = 1000) -> list[Shown]:
    """Followed."""
    return list(shown(entries(steps), hold=hold))


def calls(steps: list[Step]) -> list[Call]:
    """With their outcomes."""
    index = CallIndex()
    list(shown(entries(steps), learn=index.learn))
    return index.calls


def sip(start: str, cseq: str, *more: str) -> str:
    """A message of the call ``c1``."""
    fields = ["From: <sip:zoe@h>;tag=1", "To: <sip:bob@h>", "Call-ID: c1", f"CSeq: {cseq}", *more]
    return "\r\n".join([start, *fields, "", ""])


def down(transaction: str, text: str, dialog: str = "", number: str = "n") -> Step:
    """``sip|network`` from the server."""
    return True, f"{number}|sip|network|9|udp|h|1|07:00:00.0|{transaction}|{dialog}|h|5060|\r\n{text}"


def up(number: str, transaction: str, text: str, dialog: str = "") -> Step:
    """``sip`` from the application."""
    return False, f"{number}|sip|{transaction}|{dialog}|\r\n{text}"


def ok(number: str, text: str, source: str = "application") -> Step:
    """The server's answer with what it sent."""
    return True, f"r|response|{number}|OK|{source}|9|udp|h|1|07:00:00.0|t1|d1||Msg sent:|\r\n{text}"


def nok(number: str, reason: str) -> Step:
    """A refusal."""
    return True, f"r|response|{number}|NOK|{reason}"


INVITE = sip("INVITE sip:bob@h SIP/2.0", "1 INVITE")
BUSY, FINE = (
    sip("SIP/2.0 486 Busy Here", "1 INVITE"),
    sip("SIP/2.0 200 OK", "1 INVITE"),
)
ACK, BYE = sip("ACK sip:bob@h SIP/2.0", "1 ACK"), sip("BYE sip:bob@h SIP/2.0", "2 BYE")
CANCEL, CANCELLED = (
    sip("CANCEL sip:bob@h SIP/2.0", "1 CANCEL"),
    sip("SIP/2.0 487 Request Terminated", "1 INVITE"),
)
RINGS = "SIP/2.0 180 Ringing\r\n\r\n"
RINGING, RELIABLY = (
    sip("SIP/2.0 180 Ringing", "1 INVITE"),
    sip("SIP/2.0 180 Ringing", "1 INVITE", "Require: 100rel", "RSeq: 7"),
)
PRACK = sip("PRACK sip:bob@h SIP/2.0", "2 PRACK", "RAck: 7 1 INVITE")
ANSWERED = [down("t1", INVITE), up("a", "t1", "SIP/2.0 200 OK\r\n\r\n"), ok("a", FINE)]

OUTCOMES: dict[str, tuple[list[Step], Ending, str]] = {
    "answered": (
        [*ANSWERED, down("t1", ACK, "d1"), down("t2", BYE, "d1")],
        *(Ending.GOOD, "answered for 1.5 s, the caller hung up"),
    ),
    "application hangs up": (
        [*ANSWERED, down("t1", ACK, "d1"), up("b", "", "BYE x SIP/2.0\r\n\r\n", "d1")],
        *(Ending.GOOD, "answered for 1.5 s, the callee (the application) hung up"),
    ),
    "no ACK": (
        [
            *ANSWERED,
            (
                True,
                "n|sip|application|9|udp|h|1|t|unsolicited|d1|\r\n"
                + sip("BYE x SIP/2.0", "2 BYE", 'Reason: SIP;cause=200;text="ACK timeout"'),
            ),
        ],
        *(Ending.BAD, 'answered, no ACK came; the server hung up (SIP;cause=200;text="ACK timeout")'),
    ),
    "rejected by the application": (
        [down("t1", INVITE), up("a", "t1", "SIP/2.0 486 Busy Here\r\n\r\n"), ok("a", BUSY)],
        *(Ending.BAD, "486 Busy Here by the application"),
    ),
    "application is silent": (
        [down("t1", INVITE)],
        *(Ending.BAD, "no response: the application did not respond to message 1"),
    ),
    "application is late": (
        [down("t1", INVITE), up("a", "t1", "SIP/2.0 200 OK\r\n\r\n"), nok("a", "unknown transaction")],
        *(Ending.BAD, "no final response; refused: unknown transaction (message 2)"),
    ),
    "server answers for it": (
        [down("t1", INVITE), ("send", sip("SIP/2.0 503 Service Unavailable", "1 INVITE"))],
        Ending.BAD,
        "503 Service Unavailable by the server; the application did not respond to message 1",
    ),
    "cancelled": (
        [down("t1", INVITE), up("a", "t1", RINGS), ok("a", RINGING), down("t1", CANCEL), ("send", CANCELLED)],
        *(Ending.BAD, "cancelled by the caller after 2.0 s, 487 Request Terminated"),
    ),
    "cancelled, the application silent": (
        [down("t1", INVITE), down("t1", CANCEL), ("send", CANCELLED)],
        Ending.BAD,
        "cancelled by the caller after 1.0 s, 487 Request Terminated; the application had not responded to message 1",
    ),
    "cancelled, and no PRACK before": (
        [down("t1", INVITE), up("a", "t1", RINGS), ok("a", RELIABLY), down("t1", CANCEL)],
        *(Ending.BAD, "cancelled by the caller; no PRACK came for the 180"),
    ),
    "cancelled behind a PRACK": (
        [down("t1", INVITE), up("a", "t1", RINGS), ok("a", RELIABLY), down("t2", PRACK), down("t1", CANCEL)],
        *(Ending.BAD, "cancelled by the caller"),
    ),
    "never acknowledged": (
        [
            down("t1", INVITE),
            down(
                "t1",
                sip("CANCEL sip:bob@h SIP/2.0", "1 CANCEL", 'Reason: SIP;cause=504;text="PRACK timeout"'),
            ),
        ],
        *(Ending.BAD, "cancelled by the server for want of a PRACK"),
    ),
    "outgoing, busy": (
        [up("a", "", "INVITE sip:bob@h SIP/2.0\r\n\r\n"), ok("a", INVITE), down("t1", BUSY)],
        *(Ending.BAD, "486 Busy Here by the other side"),
    ),
    "challenged, then accepted": (
        [
            ("recv", sip("REGISTER sip:h SIP/2.0", "1 REGISTER")),
            ("send", sip("SIP/2.0 401 Unauthorized", "1 REGISTER")),
            ("recv", sip("REGISTER sip:h SIP/2.0", "2 REGISTER")),
            ("send", sip("SIP/2.0 200 OK", "2 REGISTER")),
        ],
        *(Ending.GOOD, "200 OK after 1.5 s"),
    ),
    "challenged": (
        [("recv", INVITE), ("send", sip("SIP/2.0 407 Proxy Authentication Required", "1 INVITE"))],
        Ending.BAD,
        "challenged: 407 Proxy Authentication Required by this side, and no other try",
    ),
    "ringing": (
        [("recv", INVITE), ("send", sip("SIP/2.0 180 Ringing", "1 INVITE"))],
        *(Ending.OPEN, "no final response in the recording, the last was 180"),
    ),
    "redirected": (
        [("recv", INVITE), ("send", sip("SIP/2.0 302 Moved", "1 INVITE"))],
        *(Ending.GOOD, "redirected: 302 Moved by this side"),
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_how_a_call_ended_and_why(name: str) -> None:
    steps, ending, text = OUTCOMES[name]
    (call,) = calls(steps)
    verdict = judge(call)
    assert (verdict.ending, verdict.text) == (ending, text)
    assert (call.caller, call.callee) in (("zoe", "bob"), ("zoe", "bob"))


def test_a_call_has_the_messages_that_only_its_ids_tie_to_it() -> None:
    index = CallIndex()
    followed = list(
        shown(
            entries([*EXCHANGE]),
            learn=index.learn,
        )
    )
    assert [call.call_id for call in index.calls] == ["call01", "call02"]
    for wanted in ("call01", "1", "call01;from-tag=z1"):
        assert [item.number for item in followed if index.matches(item, wanted)] == [3, 5, 6], wanted
    assert not any(index.matches(item, "call03") for item in followed)


def test_a_request_that_names_no_call_is_found_by_its_answer() -> None:
    index = CallIndex()
    steps = [up("a", "", "INVITE sip:bob@h SIP/2.0\r\n\r\n"), ok("a", INVITE)]
    followed = list(shown(entries(steps), learn=index.learn))
    assert [index.matches(item, "c1") for item in followed] == [True, True]
    assert index.calls[0].first == 1


def test_answers_and_what_has_none() -> None:
    followed = items([*EXCHANGE])
    assert [(item.answers, item.round_trip) for item in followed] == [
        (0, None),
        (1, 0.5),
        (0, None),
        (0, None),
        (3, 1.0),
        (5, 0.5),
    ]
    assert [item.number for item in followed if item.unanswered] == [4]


def test_a_prack_is_answered_by_the_application() -> None:
    prack, fine = sip("PRACK sip:h SIP/2.0", "2 PRACK"), sip("SIP/2.0 200 OK", "2 PRACK")
    steps: list[Step] = [down("t2", prack, "d1"), up("a", "t2", "SIP/2.0 200 OK\r\n\r\n"), ok("a", fine)]
    assert [item.answers for item in items(steps)] == [0, 1, 2]


def test_a_log_of_one_side_has_no_marks() -> None:
    assert not any(item.unanswered for item in items([(way, text) for way, text in EXCHANGE if not way]))
    assert not any(item.unanswered for item in items([(way, text) for way, text in EXCHANGE if way]))


def test_a_live_stream_holds_nothing_back_and_tells_at_the_end() -> None:
    followed = items([*EXCHANGE], hold=0)
    assert [item.number for item in followed[:6]] == [1, 2, 3, 4, 5, 6]
    assert followed[6].summary == "no answer to 4"


def test_what_is_held_back_has_a_limit() -> None:
    steps: list[Step] = [*EXCHANGE, *[(False, f"p{n}|ping") for n in range(50)]]
    followed = items(steps, hold=10)
    assert [item.number for item in followed] == list(range(1, len(steps) + 1))


def test_a_proxys_interim_answers_leave_the_question_open() -> None:
    steps: list[Step] = [
        down("t1", INVITE),
        (False, "p|proxy|t1|||||||sip:x"),
        (
            True,
            "r|response|p|OK|network|9|udp|h|1|t|t1|||continue|\r\n" + sip("SIP/2.0 180 Ringing", "1 INVITE"),
        ),
        (True, "r|response|p|OK|network|9|udp|h|1|t|t1||\r\n" + FINE),
    ]
    assert [item.answers for item in items(steps)] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(verbs=frozenset({"authenticate"})), [1]),
        (Filter(verbs=frozenset({"network-request"})), [3, 4]),
        (Filter(methods=frozenset({"INVITE"})), [3, 4, 6]),
        (Filter(statuses=("4",)), [5, 6]),
        (Filter(statuses=("487",)), []),
        (Filter(verbs=frozenset({"sip"}), statuses=("486",)), [5]),
    ],
)
def test_filters(wanted: Filter, numbers: list[int]) -> None:
    assert [item.number for item in items([*EXCHANGE]) if wanted.passes(item, None)] == numbers


@pytest.mark.parametrize(("text", "wanted"), [("486", "486"), ("4xx", "4"), ("4XX", "4"), ("6", "6")])
def test_a_status_to_filter_by(text: str, wanted: str) -> None:
    assert status(text) == wanted


@pytest.mark.parametrize("text", ["", "7xx", "48", "abc", "4866"])
def test_what_is_no_status(text: str) -> None:
    with pytest.raises(ValueError, match="expected a status like 486"):
        status(text)


def test_the_sample_has_two_calls() -> None:
    first, second = calls([*EXCHANGE])
    assert (judge(first).ending, judge(first).text) == (Ending.BAD, "486 Busy Here by the application")
    assert judge(second).text == "no response: the application did not respond to message 4"
