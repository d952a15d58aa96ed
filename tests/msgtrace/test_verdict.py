"""The same calls in every form of recording, and what becomes of Call-IDs that hold several requests."""

from __future__ import annotations

import re
from functools import cache

import pytest

from msgtrace.answers import shown
from msgtrace.calls import Call, CallIndex
from msgtrace.recordings import read
from msgtrace.verdict import Ending, Verdict, judge
from tests.msgtrace import call_set
from tests.msgtrace.call_set import FRAMES_ALONE, WITH_SIP, Played, Scene

SIGNS = {Ending.GOOD: "✓", Ending.WARN: "⚠", Ending.BAD: "✗", Ending.OPEN: "…"}
# Who it was is told as far as the form shows it, and so are times; the number of a message is that of the form.
WHO = re.compile(
    r" by (?:the application|the other side|this side|the server|192\.0\.2\.[0-9]+:[0-9]+)| \(the application\)"
)
TIMES = re.compile(r" (?:for|after) [0-9.]+ s")


def calls_of(data: bytes) -> list[Call]:
    """Of a recording."""
    index = CallIndex()
    for _ in shown(read(data), learn=index.learn):
        pass
    return index.calls


def told(verdict: Verdict) -> str:
    """Sign and sentence."""
    return f"{SIGNS[verdict.ending]} {verdict.text}"


@cache
def verdicts(form: str, which: str) -> dict[str, str]:
    """By Call-ID, without what only some forms can tell."""
    scene, _ = call_set.played() if which == "played" else call_set.proxied()
    data = (WITH_SIP | FRAMES_ALONE)[form](scene)
    return {call.call_id: TIMES.sub("", WHO.sub("", told(judge(call)))) for call in calls_of(data)}


@pytest.mark.parametrize("form", [*WITH_SIP, *FRAMES_ALONE])
def test_all_forms_of_recording_give_the_same_verdicts(form: str) -> None:
    _, right = call_set.played()
    found = verdicts(form, "played")
    assert list(found) == list(right)
    for name, wanted in right.items():
        sign, _, words = wanted.partition(" ")
        assert found[name].startswith(sign), (name, found[name])
        assert TIMES.sub("", WHO.sub("", words)).removesuffix(" for") in found[name], name
    expected = dict(verdicts("trace", "played"))
    if form in FRAMES_ALONE:  # the 487 is the server's own, and no frame tells of it
        expected["cancelled"] = expected["cancelled"].removesuffix(", 487 Request Terminated")
    assert found == expected


@pytest.mark.parametrize("form", WITH_SIP)
def test_forks_are_judged_by_what_the_caller_got(form: str) -> None:
    _, right = call_set.proxied()
    found = verdicts(form, "proxied")
    for name, wanted in right.items():
        sign, _, words = wanted.partition(" ")
        assert found[name].startswith(sign), (name, found[name])
        assert words.removesuffix(" by the other side") in found[name], name
    assert found == verdicts("trace", "proxied")


@pytest.mark.parametrize("form", FRAMES_ALONE)
def test_what_frames_do_not_tell_of_a_proxied_call_is_not_made_up(form: str) -> None:
    assert {text for text in verdicts(form, "proxied").values()} == {
        "… no final response in the recording; it was proxied"
    }


def scene_of(*requests: tuple[str, int, tuple[str, str], list[str]]) -> Scene:
    """Requests of one Call-ID."""
    play = Played()
    for method, number, tags, answers in requests:
        play.request(method, "c", number, tags, answers)
    return play.scene


BYE = ("BYE", 2, ("a", "b"), ["200 OK"])
A, B = ("a", ""), ("x", "")
SEVERAL: dict[str, tuple[list[tuple[str, int, tuple[str, str], list[str]]], list[str]]] = {
    "called again with the same Call-ID after the end": (
        [("INVITE", 1, A, ["200 OK"]), BYE, ("INVITE", 3, A, ["486 Busy Here"])],
        ["✓ answered", "✗ 486 Busy Here"],
    ),
    "two calls side by side that share a Call-ID": (
        [
            *[("INVITE", 1, A, ["200 OK"]), ("INVITE", 1, B, ["603 Decline"])],
            BYE,
        ],
        ["✓ answered", "✗ 603 Decline"],
    ),
    "tried again with another tag": (
        [("INVITE", 1, A, ["500 Server Error"]), ("INVITE", 2, B, ["180 Ringing", "200 OK"])],
        ["… answered, no BYE in the recording; before that 500 Server Error"],
    ),
    "a re-INVITE that lost its To tag": (
        [
            ("INVITE", 1, A, ["200 OK"]),
            ("INVITE", 2, A, ["488 Not Acceptable Here"]),
            ("BYE", 3, ("a", "b"), []),
        ],
        ["✓ answered"],
    ),
    "a BYE that nobody answers, then one of the other end": (
        [("INVITE", 1, A, ["200 OK"]), ("BYE", 1, ("b", "a"), []), ("BYE", 2, ("a", "b"), ["200 OK"])],
        ["✓ answered, the callee hung up; the caller sent a BYE as well"],
    ),
    "a message that fails among registrations that do not": (
        [
            ("REGISTER", 1, A, ["200 OK"]),
            ("MESSAGE", 2, A, ["404 Not Found"]),
            ("REGISTER", 3, A, ["200 OK"]),
        ],
        ["✗ MESSAGE: 404 Not Found"],
    ),
    "a subscription before a call": (
        [
            ("SUBSCRIBE", 1, A, ["489 Bad Event"]),
            ("INVITE", 2, A, ["200 OK"]),
            ("BYE", 3, ("a", "b"), ["200 OK"]),
        ],
        ["✓ answered"],
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("form", WITH_SIP | FRAMES_ALONE)
def test_call_ids_that_hold_several_requests(name: str, form: str) -> None:
    requests, wanted = SEVERAL[name]
    found = [told(judge(call)) for call in calls_of((WITH_SIP | FRAMES_ALONE)[form](scene_of(*requests)))]
    assert len(found) == len(wanted)
    for verdict, words in zip(found, wanted, strict=True):
        assert TIMES.sub("", verdict).startswith(words), verdict


def test_who_made_a_response_is_told_as_far_as_the_form_shows_it() -> None:
    scene = scene_of(("INVITE", 1, A, ["486 Busy Here"]))
    (whole,), (info,), (alone,) = (
        calls_of(form(scene)) for form in (call_set.trace, call_set.info_log, call_set.sip_capture)
    )
    assert [judge(call).text for call in (whole, info, alone)] == [
        "486 Busy Here by the application",
        "486 Busy Here by this side",
        "486 Busy Here by 192.0.2.1:5060",
    ]
