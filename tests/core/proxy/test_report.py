"""What the application hears of a request that it proxied (PROXY-7, PROXY-8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.proxy.report import Report
from reference_server.sip.messages.message import Response, parse_message
from tests.core.proxy.stage import Stage
from tests.core.world import BY_UDP, World, sip_of, tokens_of

FULL = "remainInDialog|fullResponse||serial||"


def test_without_full_response_nothing_follows_the_answer(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 486)
    assert stage.statuses == [486]
    assert stage.application.take() == []


def test_with_full_response_each_final_response_and_done(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options=FULL)
    for callee, status in ((stage.carol, 486), (stage.dan, 200)):
        callee.answer(callee.take(), status)
    *told, done = stage.application.take()
    assert tokens_of(done)[3:] == ["OK", "done"]
    for payload, port, status in zip(told, ("5090", "5091"), (486, 200), strict=True):
        sip = sip_of(payload)
        assert sip.startswith(f"SIP/2.0 {status} ")
        assert tokens_of(payload)[3:] == [
            "OK", "network", str(len(sip)), "udp", "127.0.0.1", port, "08:00:00.000000", "", "", "continue",
        ]  # fmt: skip


@pytest.mark.parametrize("full", [True, False])
@given(calls=st.lists(st.sampled_from(["under way", "received", "done", "refused"]), max_size=8))
def test_nothing_follows_done_or_nok(full: bool, calls: list[str]) -> None:
    """In whatever order the response context tells."""
    world = World()
    application = world.application()
    report = Report(world.core.context, application, "m1", full=full)
    response = parse_message("SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP a\r\n\r\n")
    assert isinstance(response, Response)
    expected: list[str] = []
    for call in calls:
        last = {"done": "done", "refused": "refused", "under way": "" if full else "done"}.get(call, "")
        if expected and expected[-1] in ("done", "refused"):
            last = ""
        elif call == "received" and full:
            last = "continue"
        if last:
            expected.append(last)
        match call:
            case "under way":
                report.under_way()
            case "received":
                report.received(response, BY_UDP)
            case "done":
                report.done()
            case _:
                report.refused("refused")
    assert [tokens_of(payload)[-1] for payload in application.take()] == expected


def test_an_application_that_is_gone_is_told_nothing(stage: Stage) -> None:
    report = Report(stage.world.core.context, stage.application, "m1", full=True)
    stage.application.leave()
    report.done()
    assert stage.application.take() == []
