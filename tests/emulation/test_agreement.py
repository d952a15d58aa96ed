"""The suite gives the reference server as a genuine release the verdicts that were seen on the genuine one.

What those were says the profile of the release, with the cases' own ``expect_under``; ``tests/conformance/
test_agreement.py`` holds both against transcripts. So a case that passed there passes here, and one that failed there
fails here, at the same check, with what came there.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest
from msgspec import structs

from drachtio_conformance.cases.case import Case
from drachtio_conformance.engine.emulated import PROFILES, unmeasured
from drachtio_conformance.engine.profile import load_profile
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.embedded import EmbeddedTarget, EmulatedTarget
from reference_server.core.defects import Defects
from reference_server.emulation import releases
from reference_server.emulation.table import CORE, LEFT_OUT
from tests.suite_cases import suite_cases

AT_ONCE = 16
AGREES = {Verdict.PASS, Verdict.WARN, Verdict.KNOWN_FAILING}
QUICK = Pace(deadline=0.6, scale=0.3)
PATIENT = Pace(deadline=2.0, scale=1.0)
"""for a second look at what disagrees, one after the other: the machine may be busy"""
ENOUGH = 0.99
ENOUGH_CASES = 4
"""that are about one defect"""

DISAGREES = {
    "framing/counts/empty-frame": "in one process the next octets come in one segment with the empty frame",
    "network/registrations/expired": "how long the genuine server keeps the way is not known (0.9.5)",
    "subscription/as_subscriber/notify-instead-of-an-answer": "passes on 0.9.5, though DEV-231 says otherwise",
}
"""cases whose verdict is another one, and what is not known"""


def options(release: str, pace: Pace = QUICK) -> Options:
    profile = load_profile(PROFILES[release], suite_cases())
    return Options(
        pace=pace,
        slow=True,
        profile=profile.name,
        features=frozenset(profile.features or ()),
        expected=profile.expected(),
        danger=profile.danger,
        not_applicable=profile.not_applicable | unmeasured(release, suite_cases()),
    )


def verdicts(
    target: EmbeddedTarget | EmulatedTarget, cases: Sequence[Case], how: Options, at_once: int = AT_ONCE
) -> dict[str, CaseResult]:
    async def story() -> dict[str, CaseResult]:
        turns = asyncio.Semaphore(at_once)

        async def one(case: Case) -> CaseResult:
            async with turns:
                runner = Runner(target, how)
                try:
                    return await runner.run_case(case)
                finally:
                    await runner.close()

        results = await asyncio.gather(*(one(case) for case in cases))
        await every_socket_closed()
        return {result.name: result for result in results}

    return asyncio.run(story())


async def every_socket_closed() -> None:
    """What is closing lets go of its socket in the loop's next turns; what has been accepted is met first."""
    for _ in range(10):
        await asyncio.sleep(0)
    watched = cast(Any, asyncio.get_running_loop())._selector.get_map()
    async with asyncio.timeout(5):
        while len(watched) > 1:  # the loop has one of its own
            await asyncio.sleep(0)


def emulated(release: str) -> dict[str, CaseResult]:
    target = EmulatedTarget(release)
    results = verdicts(target, suite_cases(), options(release))
    settled = AGREES | {Verdict.NOT_APPLICABLE}
    doubted = [case for case in suite_cases() if results[case.name].verdict not in settled]
    return results | verdicts(target, doubted, options(release, PATIENT), at_once=1)


@pytest.mark.parametrize("release", list(PROFILES))
def test_the_suite_gives_the_verdicts_of_the_genuine_server(release: str) -> None:
    results = emulated(release)
    applicable = {name: one for name, one in results.items() if one.verdict is not Verdict.NOT_APPLICABLE}
    wrong = {name: one for name, one in applicable.items() if one.verdict not in AGREES}
    share = 1 - len(wrong) / len(applicable)
    counted = Counter(str(one.verdict) for one in applicable.values())
    sys.stdout.write(f"{release}: {share:.1%} of {len(applicable)} cases agree, {dict(counted)}\n")
    assert {name: one.reason for name, one in wrong.items() if name not in DISAGREES} == {}
    assert share >= ENOUGH
    assert counted[Verdict.KNOWN_FAILING] > 100


def test_a_server_without_the_defects_does_not_agree() -> None:
    """The broken twin of all of them."""
    cases = [case for case in suite_cases() if case.server is None and is_measured(case)]
    results = verdicts(EmbeddedTarget(), cases, options("0.9.5", PATIENT))
    assert len(results) > 150
    doubted = [case for case in cases if results[case.name].verdict is Verdict.KNOWN_FAILING]
    results = verdicts(EmbeddedTarget(), doubted, options("0.9.5", PATIENT), at_once=1)
    agreeing = {name for name, one in results.items() if one.verdict is Verdict.KNOWN_FAILING}
    assert agreeing <= set(DISAGREES)


def named(case: Case, release: str) -> set[str]:
    """The rows of deviations.md that the case is about on that release."""
    under = case.under(PROFILES[release])
    return set() if under is None else set(re.findall(r"DEV-\d+", under.reason))


def is_measured(case: Case) -> bool:
    under = case.under("drachtio-0.9.5")
    return under is not None and bool(under.at)


@pytest.mark.parametrize("field", sorted(CORE))
def test_each_defect_of_the_core_is_needed(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its broken twin: without it some case that it is about does not fail as on the genuine server."""
    rows = set(CORE[field].split())
    cases = [case for case in suite_cases() if named(case, "0.9.5") & rows and case.server is None]
    assert cases
    cases = sorted(cases, key=is_measured, reverse=True)[:ENOUGH_CASES]
    without = {
        release: structs.replace(defects, **{field: False}) for release, defects in releases.DEFECTS.items()
    }
    monkeypatch.setattr(releases, "DEFECTS", without)
    monkeypatch.setattr("reference_server.emulation.emulation.DEFECTS", without)
    as_before = {Verdict.KNOWN_FAILING, Verdict.NOT_APPLICABLE}
    results = verdicts(EmulatedTarget("0.9.5"), cases, options("0.9.5"))
    if {
        one.verdict for one in results.values()
    } <= as_before:  # any failure is known of what was not measured
        results = verdicts(EmulatedTarget("0.9.5"), cases, options("0.9.5", PATIENT), at_once=1)
    assert {one.verdict for one in results.values()} - as_before


def test_what_is_not_reproduced_is_not_measured_either() -> None:
    """No case that was measured in the usual configuration is about a row that is left out."""
    for case in suite_cases():
        under = case.under("drachtio-0.9.5")
        if under is not None and case.server is None:
            assert not named(case, "0.9.5") <= set(LEFT_OUT), case.name


def test_every_field_is_a_defect() -> None:
    assert all(value is False for value in structs.asdict(Defects()).values())
    assert set(CORE) == set(Defects.__struct_fields__)
