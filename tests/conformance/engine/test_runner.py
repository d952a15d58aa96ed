"""Verdicts, deadlines, independence and broken twins, against small servers that are right or wrong on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import TypeVar

import pytest
from msgspec import structs

from drachtio_conformance.cases.case import Case, ExpectUnder, Level
from drachtio_conformance.cases.loader import parse
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, Verdict
from drachtio_conformance.engine.runner import Options, Runner, profile_of
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.foreign import ForeignTarget
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import StartFailed
from tests.conformance.small_server import CLOSE, DEAF, SECRET, Answer, SmallTarget, right, silent

T = TypeVar("T")
QUICK = Options(pace=Pace(deadline=0.2))


def case(steps: str, **changes: object) -> Case:
    """A case with these steps (YAML flow entries, one a line)."""
    lines = "".join(f"      - {line.strip()}\n" for line in steps.strip().splitlines())
    text = f"title: T\nclauses: [X-1]\ncases:\n  - id: one\n    title: One\n    steps:\n{lines}"
    return structs.replace(parse(text, name="t", file="t.yaml")[0], **changes)


PING = """
    authenticate: app
    send: {tokens: ping}
    expect: {tokens: "{uuid}|response|${id}|OK|pong"}
"""


def run(work: Coroutine[object, object, T]) -> T:
    async def settled() -> T:
        result = await work
        for _ in range(3):
            await asyncio.sleep(0)  # closed transports let go of their sockets in the loop's next turns
        return result

    return asyncio.run(settled())


def outcome(one: Case, target: SmallTarget | None = None, options: Options = QUICK) -> CaseResult:
    async def story() -> RunResult:
        return await Runner(target or SmallTarget(), options).run([one])

    return run(story()).cases[0]


# Verdicts


def test_a_case_that_holds_passes() -> None:
    result = outcome(case(PING))
    assert (result.verdict, result.reason) == (Verdict.PASS, "")
    assert [step.outcome for step in result.steps] == [StepOutcome.OK] * 3
    assert [step.is_check for step in result.steps] == [True, False, True]
    assert [event.summary for event in result.events[:2]] == ["connected", "authenticate"]


def wrong(tokens: list[str]) -> list[str]:
    return [answer.replace("pong", "pang") for answer in right(tokens)]


def test_a_case_that_does_not_hold_says_where_and_why_and_stops() -> None:
    result = outcome(case(PING + "    note: later"), SmallTarget(wrong))
    assert result.verdict is Verdict.FAIL
    assert result.reason == "t.yaml:9: expected token 4: pong, got token 4: pang"
    assert [step.outcome for step in result.steps][2:] == [StepOutcome.FAILED, StepOutcome.NOT_RUN]


def test_a_should_is_a_warning() -> None:
    assert outcome(case(PING, level=Level.SHOULD), SmallTarget(wrong)).verdict is Verdict.WARN


def test_a_known_failure_is_known_and_a_stale_entry_fails() -> None:
    options = Options(pace=QUICK.pace, baseline={"t/one": "ticket 7"})
    assert outcome(case(PING), SmallTarget(wrong), options).verdict is Verdict.KNOWN_FAILING
    stale = outcome(case(PING), SmallTarget(), options)
    assert (stale.verdict, stale.reason) == (Verdict.UNEXPECTED_PASS, "was expected to fail: ticket 7")


def test_a_profile_with_a_known_defect() -> None:
    under = {"drachtio-0.9": ExpectUnder(reason="it says pang")}
    assert outcome(case(PING, expect_under=under), SmallTarget(wrong)).verdict is Verdict.KNOWN_FAILING
    assert outcome(case(PING, expect_under=under)).verdict is Verdict.UNEXPECTED_PASS
    other = {"drachtio-0.8": ExpectUnder(reason="it says pang")}
    assert outcome(case(PING, expect_under=other), SmallTarget(wrong)).verdict is Verdict.FAIL


def test_a_known_defect_must_show_where_it_does_and_as_it_does() -> None:
    def told(got: str, at: str = "expect") -> CaseResult:
        under = {"drachtio-0.9": ExpectUnder(reason="shouts", at=at, got=got)}
        return outcome(case(PING, expect_under=under), SmallTarget(wrong))

    assert told("token 4: pang").verdict is Verdict.KNOWN_FAILING
    assert told("token {number}: ~p.ng").verdict is Verdict.FAIL
    assert told("~token 4: p.ng").verdict is Verdict.KNOWN_FAILING
    other = told("token 4: PONG")
    assert other.verdict is Verdict.FAIL
    assert other.reason == (
        "fails otherwise than drachtio-0.9.5 does (shouts: at expect comes token 4: PONG): "
        "t.yaml:9: expected token 4: pong, got token 4: pang"
    )
    assert told("token 4: pang", at="authenticate 1").verdict is Verdict.FAIL
    assert told("{unknown} ${nothing}").verdict is Verdict.FAIL


def test_a_known_defect_that_has_gone_is_news() -> None:
    under = {"drachtio-0.9": ExpectUnder(reason="shouts", at="expect", got="token 4: PONG")}
    result = outcome(case(PING, expect_under=under))
    assert (result.verdict, result.reason) == (Verdict.UNEXPECTED_PASS, "was expected to fail: shouts")


def test_a_known_silence_is_as_long_as_the_run_is_patient() -> None:
    under = {"drachtio-0.9": ExpectUnder(reason="says nothing", at="expect 1", got="nothing")}
    mute = case(PING, expect_under=under)
    assert outcome(mute, SmallTarget(silent_after_ok)).verdict is Verdict.KNOWN_FAILING
    assert outcome(mute, SmallTarget(wrong)).verdict is Verdict.FAIL


def test_the_nearest_release_counts() -> None:
    under = {
        "drachtio-0.9": ExpectUnder(reason="the line", at="expect", got="token 4: PONG"),
        "drachtio-0.9.5": ExpectUnder(reason="the release", at="expect", got="token 4: pang"),
    }
    assert outcome(case(PING, expect_under=under), SmallTarget(wrong)).verdict is Verdict.KNOWN_FAILING
    assert case(PING, expect_under=under).under("drachtio-0.9.50") == under["drachtio-0.9"]
    assert case(PING, expect_under=under).under("drachtio-0.8.1") is None


def test_a_profile_counts_for_more_than_the_case() -> None:
    under = {"drachtio-0.9": ExpectUnder(reason="shouts", at="expect", got="token 4: PONG")}
    one = case(PING, expect_under=under)
    own = {"t/one": ExpectUnder(reason="mumbles", at="expect", got="token 4: pang")}
    told = outcome(one, SmallTarget(wrong), Options(pace=QUICK.pace, expected=own))
    assert told.verdict is Verdict.KNOWN_FAILING
    for options, reason in (
        (Options(pace=QUICK.pace, danger={"t/one": "it dies"}), "danger to drachtio-0.9.5: it dies"),
        (Options(pace=QUICK.pace, not_applicable={"t/one": "no such thing"}), "no such thing"),
    ):
        result = outcome(one, options=options)
        assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, reason)


def test_a_profile_with_steps_of_its_own() -> None:
    pang = case(PING.replace("pong", "pang")).steps
    under = {"drachtio-0.9": ExpectUnder(reason="it says pang", steps=pang)}
    result = outcome(case(PING, expect_under=under), SmallTarget(wrong))
    assert (result.verdict, result.reason) == (Verdict.PASS, "as drachtio-0.9.5 does: it says pang")
    assert outcome(case(PING, expect_under=under)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({"danger": {"drachtio-0.9": "it dies"}}, QUICK, "danger to drachtio-0.9.5: it dies"),
        ({"slow": True}, QUICK, "slow: runs with --slow only"),
        ({"requires": ("tls",)}, Options(features=frozenset({"tcp"})), "the peer does not declare tls"),
    ],
)
def test_where_a_case_does_not_apply(changes: dict[str, object], options: Options, reason: str) -> None:
    result = outcome(case(PING, **changes), options=options)
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, reason)
    assert {step.outcome for step in result.steps} == {StepOutcome.NOT_RUN}


def test_settings_and_time_belong_to_embedded_servers() -> None:
    foreign = SmallTarget(embedded=False)
    assert outcome(case(PING, server=ServerSettings(t1=0.1)), foreign).verdict is Verdict.NOT_APPLICABLE
    assert outcome(case("advance: 1s"), foreign).verdict is Verdict.NOT_APPLICABLE
    assert outcome(case("advance: 1s")).verdict is Verdict.PASS


def test_a_connection_that_the_server_refuses_is_its_failure() -> None:
    result = outcome(case("sip_peer: {as: phone, transport: tcp}"))  # it lists tcp/127.0.0.1:9
    assert result.verdict is Verdict.FAIL
    assert result.reason == (
        "t.yaml:7: expected the server takes the connection, "
        "got no TCP connection to 127.0.0.1:9: Connection refused"
    )


def test_a_case_that_is_wrong_is_an_error() -> None:
    result = outcome(case("expect: {app: nobody, tokens: '*'}"))
    assert result.verdict is Verdict.ERROR
    assert result.reason == "t.yaml:7: expect: there is no application 'nobody'; connected are none"
    assert "${unknown} has no value" in outcome(case("authenticate: {secret: '${unknown}'}")).reason


def test_the_secret_is_in_no_reason() -> None:
    result = outcome(case("authenticate: app\nsend: {tokens: ping}\nexpect: {tokens: '*|${admin.secret}'}"))
    assert result.reason.startswith("t.yaml:9: expected token 1: (secret);")


def test_the_secret_is_on_no_ladder() -> None:
    steps = "authenticate: app\nsend_bytes: '22#x|authenticate|${admin.secret}|'\nexpect: {tokens: '**'}"
    result = outcome(case(steps))
    assert result.verdict is Verdict.PASS
    sent = [event.data for event in result.events if "authenticate" in event.data]
    assert [data[-21:] for data in sent] == ["|authenticate|******|"] * 2
    assert SECRET not in "".join(event.data + event.summary for event in result.events)


# Independence


def test_cases_share_a_server_unless_they_want_their_own() -> None:
    target = SmallTarget()
    own = ServerSettings(t1=0.1)

    async def story() -> RunResult:
        return await Runner(target, QUICK).run([case(PING), case(PING, server=own), case(PING)])

    assert {result.verdict for result in run(story()).cases} == {Verdict.PASS}
    assert target.started == [None, own]


def test_a_case_that_requires_ipv6_gets_it() -> None:
    target = SmallTarget()
    outcome(case(PING, requires=("ipv6",)), target)
    assert target.started == [ServerSettings(ipv6=True)]


def test_ipv6_does_not_apply_to_a_server_that_lists_none_unless_its_profile_declares_it() -> None:
    one, foreign = case(PING, requires=("ipv6",)), SmallTarget(embedded=False)
    result = outcome(one, foreign)
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "the server lists no IPv6 endpoint")
    declared = Options(pace=QUICK.pace, features=frozenset({"ipv6"}))
    assert outcome(one, foreign, declared).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("tls", "the server lists no TLS endpoint"),
        ("wss", "the server lists no WSS endpoint"),
        ("admin_tls", "needs an admin port by TLS: --admin tls://HOST:PORT"),
    ],
)
def test_what_a_server_has_no_door_for_does_not_apply(feature: str, reason: str) -> None:
    result = outcome(case(PING, requires=(feature,)), SmallTarget(embedded=False))
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, reason)


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("drachtio_conformance.engine.runner.find_spec", lambda name: None)
    for feature, missing in (("tls", "needs the command openssl"), ("ws", "library websockets")):
        result = outcome(case(PING, requires=(feature,)), SmallTarget())
        assert result.verdict is Verdict.NOT_APPLICABLE
        assert missing in result.reason


def test_after_a_failure_comes_a_fresh_server() -> None:
    target = SmallTarget(wrong)

    async def story() -> RunResult:
        return await Runner(target, QUICK).run([case(PING), case("alive"), case("authenticate: app")])

    run(story())
    assert target.started == [None, None, None]


def test_what_a_server_still_holds_fails_the_case() -> None:
    target = SmallTarget()
    target.remaining = {"dialogs": 1, "transactions": 0}
    result = outcome(case(PING), target)
    assert result.verdict is Verdict.FAIL
    assert result.reason.endswith("the server still holds 1 dialogs")


def test_an_exception_in_an_embedded_server_fails_the_case() -> None:
    def broken(tokens: list[str]) -> list[str]:
        if tokens[1] == "ping":
            raise ValueError("of the server")
        return right(tokens)

    result = outcome(case(PING), SmallTarget(broken))
    assert result.verdict is Verdict.FAIL
    assert result.reason.startswith(
        "an exception escaped in the server: ValueError: of the server (test_runner.py:"
    )


# Servers that do not answer


def silent_after_ok(tokens: list[str]) -> list[str]:
    return right(tokens) if tokens[1] == "authenticate" else []


EVERY_WAIT = [
    "ping: app",
    "route: invite",
    "send: {tokens: ping}\nexpect: {tokens: '**'}",
    "expect_close: app",
    "expect_nothing: app",
    "expect_nothing: {app: app, barrier: [app.sip]}",
    "sip_peer: phone\nsip_nothing: phone",
    "sip_peer: phone\nsip_request: INVITE\nsip_expect: {status: 100}",
    "call_succeeds: app",
    "respond: {status: 200, transaction: t}",
]


@pytest.mark.parametrize("steps", EVERY_WAIT)
def test_every_wait_ends_at_its_deadline(steps: str) -> None:
    started = time.monotonic()
    result = outcome(case("authenticate: app\n" + steps), SmallTarget(silent_after_ok))
    assert result.verdict is Verdict.FAIL
    assert time.monotonic() - started < 2


def test_a_server_that_stops_reading_fails_the_case_in_time() -> None:
    def deaf(tokens: list[str]) -> list[str]:
        return [*right(tokens), DEAF]

    started = time.monotonic()
    result = outcome(case("authenticate: app\nsend: {tokens: ping, pad: 30000000}"), SmallTarget(deaf))
    assert time.monotonic() - started < 20  # to make and write so much takes its time on a busy machine
    assert result.verdict is Verdict.FAIL
    assert result.reason.startswith("t.yaml:8: expected the server reads what it is sent, got ")


def test_a_socket_that_accepts_and_never_answers_ends_the_run_at_once() -> None:
    async def story() -> tuple[RunResult, str]:
        silence = await SmallTarget(silent).start(None)
        host, port = silence.endpoints.admin
        runner = Runner(ForeignTarget(host, port, SECRET, seconds=0.05), QUICK)
        result = await runner.run([case(PING)] * 100)
        await silence.stop()
        return result, runner.never_came_up

    started = time.monotonic()
    result, reason = run(story())
    assert time.monotonic() - started < 2
    assert {one.verdict for one in result.cases} == {Verdict.ERROR}
    assert reason.endswith("authenticate was not answered: nothing came within 0.05 s")
    assert reason == result.cases[-1].reason


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda tokens: [f"u|response|{tokens[0]}|NO|incorrect secret", CLOSE],
            "the answer is NO|incorrect secret",
        ),
        (lambda tokens: [CLOSE], "the server closed"),
        (lambda tokens: ["x"], "nothing that is an answer"),
    ],
)
def test_a_foreign_server_must_let_us_in(answer: Answer, message: str) -> None:
    async def story() -> None:
        server = await SmallTarget(answer).start(None)
        host, port = server.endpoints.admin
        try:
            await ForeignTarget(host, port, SECRET).start(None)
        finally:
            await server.stop()

    with pytest.raises(StartFailed, match=message.replace("|", r"\|")):
        run(story())


def test_a_foreign_server_tells_who_it_is() -> None:
    async def story() -> tuple[tuple[str, ...], str, CaseResult]:
        server = await SmallTarget().start(None)
        host, port = server.endpoints.admin
        target = ForeignTarget(host, port, SECRET)
        found = await target.start(None)
        result = (await Runner(target, QUICK).run([case(PING)])).cases[0]
        await server.stop()
        return found.endpoints.hostports, found.endpoints.version, result

    hostports, version, result = run(story())
    assert (hostports, version) == (("udp/127.0.0.1:9", "tcp/127.0.0.1:9"), "v0.9.5-rc3")
    assert result.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("version", "profile"),
    [
        ("v0.9.5-rc3", "drachtio-0.9.5"),
        ("v0.9.9", "drachtio-0.9.9"),
        ("v0.8.26", "drachtio-0.8.26"),
        ("v0.9.5-ref.0.2.0", ""),
        ("", ""),
        ("abc", ""),
    ],
)
def test_profiles(version: str, profile: str) -> None:
    assert profile_of(version) == profile


# Broken twins


def survivors(one: Case, target: SmallTarget | None = None) -> tuple[int, list[str], str]:
    async def story() -> tuple[int, list[str], str]:
        runner = Runner(target or SmallTarget(), QUICK)
        report = await runner.run_mutants(one)
        await runner.close()
        return (
            report.run,
            [f"{each.mutation.kind}: {each.outcome}" for each in report.survivors],
            report.reason,
        )

    return run(story())


def test_each_assertion_has_a_twin_and_none_survives() -> None:
    count, found, reason = survivors(case(PING))
    assert (found, reason) == ([], "")
    # authenticate: drop, four tokens; the pong: drop, five tokens, one more and one fewer
    assert count == 5 + 8


def test_a_close_and_a_silence_have_twins() -> None:
    closing = (
        "authenticate: app\nexpect_nothing: app\nsend: {tokens: x}\nexpect: {tokens: '**'}\nexpect_close: app"
    )
    count, found, reason = survivors(case(closing))
    assert (found, reason) == ([], "")
    # authenticate; nothing: inject; frame: drop; close: drop, inject
    assert count == 5 + 4


def test_a_step_of_several_checks_has_twins_of_each() -> None:
    # authenticate: drop, four tokens; each route: drop, four tokens, one more and one fewer; ping: the same and pong
    assert survivors(case("authenticate: app\nroute: [invite, register]")) == (5 + 2 * 7, [], "")
    assert survivors(case("alive")) == (5 + 8, [], "")


def test_a_check_that_asserts_too_little_is_found() -> None:
    step = "{tokens: '*|response|**', mutate: [{kind: token, index: 3, value: NO}, {kind: token, index: 1}]}"
    count, found, _ = survivors(case(f"authenticate: app\nsend: {{tokens: ping}}\nexpect: {step}"))
    assert found == ["token: passed"]
    assert count == 5 + 4


def test_a_twin_must_be_noticed_at_its_own_check() -> None:
    steps = """
        authenticate: app
        send: {tokens: ping}
        expect: {tokens: "*|response|{m}|**", mutate: [{kind: token, index: 2, value: other}]}
        send: {tokens: ping, id: "${m}"}
        expect: {tokens: "*|response|same|**"}
    """
    count, found, reason = survivors(case(steps.replace("tokens: ping}", "tokens: ping, id: same}", 1)))
    assert count > 0
    assert (found, reason) == (["token: passed"], "")


def test_a_duplicate_is_noticed_by_the_next_check() -> None:
    twice = "{tokens: '**', mutate: [{kind: duplicate}]}"
    steps = f"authenticate: app\nsend: {{tokens: ping}}\nexpect: {twice}"
    assert survivors(case(steps + "\nexpect_nothing: app"))[1] == []
    assert survivors(case(steps))[1] == ["duplicate: passed"]


def test_a_case_that_fails_has_no_twins() -> None:
    assert survivors(case(PING), SmallTarget(wrong)) == (0, [], "the case itself fails at t.yaml:9")


def test_callbacks_need_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drachtio_conformance.engine.runner.find_spec", lambda name: None)
    asked, direct = (case(PING, server=ServerSettings(request_handler=how)) for how in ("GET", "tcp"))
    result = outcome(asked)
    assert (result.verdict, result.reason) == (
        Verdict.NOT_APPLICABLE,
        "needs the Python library aiohttp: pip install '.[http]'",
    )
    assert outcome(direct).verdict is Verdict.PASS
