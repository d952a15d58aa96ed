"""What the suite says of genuine servers agrees with what they did: each transcript of one, played back to its case.

The transcripts in ``agreement/`` are of the cases that do not pass on a genuine server. With the profile that comes
with the suite each must fail at the check that it says, with what it says. Some seconds' worth of a run stand for each
second of the transcript: both sides go by the same scale.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from drachtio_conformance.cases.case import Case, ExpectUnder
from drachtio_conformance.engine.profile import load_profile, shipped
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.steps.stage import Pace
from tests.conformance.playback import PlayedTarget, Transcript, read
from tests.suite_cases import by_name, suite_cases

AGREEMENT = Path(__file__).parent / "agreement"
SCALE = 0.15
AT_ONCE = 16
SLOWLY = 0.7
"""scale for a second look at those that disagree, one after the other: the machine may be busy"""
LONG = 10.0
"""seconds of a transcript that would take too long here"""

MEASURED = sorted(path.name.removesuffix(".jsonl.xz") for path in AGREEMENT.glob("*.xz"))
PASSES = {
    "cdr/delivery/round-robin",
    "connection/ends/call-stays",
    "dialog/addressing/own-call-id",
    "network/way_back/proxied",
    "out/refused/route-to-myself",
    "proxy/answers/words-are-exact",
    "response/headers/line-without-a-colon",
}
"""what passes on a genuine server, once or always, although it did not when the transcripts were made: the suite was
wrong, or this project has come to do the same"""
FOLLOWED = {
    "proxy/redirect/followed": "expect 3",
    "proxy/targets/six-hundred-goes-on": "sip_expect 5",
    "proxy/targets/six-hundred-lets-ring": "sip_nothing",
    "registration/registrations/asterisk-with-another": "respond",
    "registration/registrations/contact-without-scheme": "respond",
    "robustness/invalid_messages/blanks-behind-the-version": "respond",
    "robustness/invalid_messages/blanks-in-an-addr-spec": "respond",
    "robustness/invalid_messages/brackets-around-the-request-uri": "expect_nothing",
    "robustness/invalid_messages/numbers-too-large": "expect_nothing",
    "robustness/invalid_messages/two-blanks-in-the-request-line": "respond",
    "robustness/unusual_requests/single-headers-twice": "expect_nothing",
    "robustness/unusual_requests/two-content-lengths": "expect_nothing",
    "robustness/valid_messages/blanks-around-a-tag": "expect_nothing",
    "robustness/valid_messages/blanks-everywhere": "call_succeeds",
}
"""cases in which this project has come to do the same: the check at which their transcript, which ends where the suite
of that time had seen enough, has nothing more to say"""
CHANGED = {"network/datagrams/keep-alives-on-udp"}
"""cases that have been rewritten since, so that their transcript no longer fits: record them anew"""
END = "the transcript ends"
UNMEASURED = {
    "call/timeouts/bye-unanswered",
    "call/timeouts/invite-unanswered",
    "call/timeouts/options-unanswered",
    "cdr/callee/no-ack",
    "cdr/callee/silent-application",
    "connection/unread/nobody-else",
    "connection/unread/what-waits-goes-to-another",
    "connection/unread/what-waits-is-refused",
    "connection/unread/the-others-get-its-share",
    "dialog/answers_and_tokens/adopted-by-a-refused-frame",
    "dialog/crossing/ack-for-nothing",
    "dialog/crossing/cancelled-by-its-dialog",
    "dialog/crossing/ringing-for-ever",
    "dialog/crossing/silence",
    "dialog/gone/re-invite-unanswered",
    "framing/limits/incomplete-before-authentication",
    "framing/limits/incomplete-for-60-seconds",
    "network/way_back/call",
    "network/way_back/sent-by",
    "out/early/silence",
    "out/refused/a-mere-word-for-an-address",
    "proxy/dialog/no-answer",
    "proxy/forwarding/rings-for-ever",
    "proxy/methods/no-answer",
    "proxy/relay/forged-ack",
    "proxy/relay/forged-route",
    "proxy/relay/route-of-another-call",
    "proxy/timeouts/no-final",
    "reliable/endings/wrong-rack",
    "response/headers/a-mere-word-for-a-contact",
    "response/headers/compact-names",
    "sip/refused/other-version",
    "subscription/as_notifier/no-time-in-the-answer",
    "subscription/as_subscriber/challenged-last-notify",
    "timer/negotiated/caller-without-timers",
    "timer/negotiated/reinvite-refreshes",
    "timer/negotiated/update-refreshes",
    "timer/refreshing/after-a-move",
    "timer/refreshing/refused-422",
    "timer/refreshing/refused-491",
    "timer/refreshing/refused-500",
}
"""cases that fail on a genuine server, of which nobody has kept what came there; a new case
may join it until it is tried on one, else it gets shorter"""


def played(
    transcripts: list[Transcript], name: str, cases: dict[str, Case], *, scale: float = SCALE
) -> dict[str, CaseResult]:
    """The result of each transcript's case against it, under the profile of that name."""
    profile = load_profile(name, list(cases.values()))
    cases = cases | {
        followed: structs.replace(
            cases[followed], expect_under={name: ExpectUnder(reason=END, at=at, got="nothing")}
        )
        for followed, at in FOLLOWED.items()
    }
    options = Options(
        pace=Pace(deadline=2.0, scale=scale),
        slow=True,
        features=frozenset(profile.features or ()) | {"ipv6"},
        expected=profile.expected(),
        danger=profile.danger,
        not_applicable=profile.not_applicable,
    )

    async def story() -> dict[str, CaseResult]:
        turns = asyncio.Semaphore(AT_ONCE if scale == SCALE else 1)

        async def one(transcript: Transcript) -> CaseResult:
            async with turns:
                runner = Runner(PlayedTarget(transcript, scale), options)
                return (await runner.run([cases[transcript.case]])).cases[0]

        results = await asyncio.gather(*(one(transcript) for transcript in transcripts))
        for _ in range(3):
            await asyncio.sleep(0)  # closed transports let go of their sockets in the loop's next turns
        return {result.name: result for result in results}

    return asyncio.run(story())


def short(name: str) -> list[Transcript]:
    transcripts = read(AGREEMENT / f"{name}.jsonl.xz")
    return [one for one in transcripts if one.events[-1].at < LONG and one.case not in CHANGED]


def news(results: dict[str, CaseResult]) -> dict[str, str]:
    """What is neither as the profile says nor a pass that is known."""
    agree = {Verdict.KNOWN_FAILING, Verdict.NOT_APPLICABLE}
    return {
        case: f"{result.verdict}: {result.reason}"
        for case, result in results.items()
        if result.verdict not in agree and not (result.verdict is Verdict.PASS and case in PASSES)
    }


@pytest.mark.parametrize("name", MEASURED)
def test_a_genuine_server_gets_the_verdicts_that_its_profile_promises(name: str) -> None:
    cases = by_name()
    results = played(short(name), name, cases)
    assert len(results) > 2
    doubted = [one for one in short(name) if one.case in news(results)]
    assert news(results | played(doubted, name, cases, scale=SLOWLY)) == {}


def test_a_profile_that_says_something_else_is_noticed() -> None:
    """The broken twin: each entry, changed, gives a verdict that fails the run."""
    cases, name = by_name(), MEASURED[0]
    broken: dict[str, Case] = {}
    for transcript in short(name):
        under = cases[transcript.case].under(name)
        if under is not None and under.at:
            other = ExpectUnder(reason=under.reason, at=under.at, got=f"{under.got} and more")
            broken[transcript.case] = structs.replace(cases[transcript.case], expect_under={name: other})
    transcripts = [one for one in short(name) if one.case in broken][::4]
    results = played(transcripts, name, cases | broken)
    assert len(results) > 20
    assert {result.verdict for result in results.values()} == {Verdict.FAIL}


def test_a_transcript_that_says_less_is_noticed() -> None:
    """The broken twin of what is followed: without its last word each fails before the end that is declared."""
    name = MEASURED[0]
    cut = [
        structs.replace(one, events=_without_the_last_word(one))
        for one in short(name)
        if one.case in FOLLOWED
    ]
    assert {one.case for one in cut} == set(FOLLOWED)
    results = played(cut, name, by_name())
    assert {case: result.verdict for case, result in results.items()} == dict.fromkeys(results, Verdict.FAIL)


def _without_the_last_word(transcript: Transcript) -> tuple[WireEvent, ...]:
    said = [event.data for event in transcript.events if event.source == "server" and event.kind != "note"]
    return tuple(event for event in transcript.events if event.data != said[-1])


def test_of_a_hundred_cases_no_more_than_one_is_a_riddle() -> None:
    """What a profile still lists as failing is what is not known; all else is followed, or has its row."""
    for name in MEASURED:
        profile = load_profile(name, suite_cases())
        applicable = [case for case in suite_cases() if set(case.requires) <= set(profile.features or ())]
        riddles = [case for case in profile.known_failing if not case.startswith("dialect/")]
        assert len(riddles) * 100 <= len(applicable), riddles


def test_what_nobody_has_measured_is_listed() -> None:
    unmeasured = {
        case.name
        for case in suite_cases()
        for under in case.expect_under.values()
        if not under.at and not under.steps
    }
    assert unmeasured == UNMEASURED


def test_each_profile_that_comes_with_the_suite_can_be_loaded() -> None:
    assert set(MEASURED) <= set(shipped())
    for name in shipped():
        assert load_profile(name, suite_cases()).name == name
