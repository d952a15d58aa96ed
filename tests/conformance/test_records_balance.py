"""Every case about calls, on a server with call detail records: each attempt has its stop when the case is over.

That is one of the tables which the runner finds empty after each case (``calls without a stop record``); no case has to
route the records for it.
"""

from __future__ import annotations

import asyncio

from msgspec import structs

from drachtio_conformance import data
from drachtio_conformance.cases import loader
from drachtio_conformance.cases.case import Case
from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.settings import ServerSettings

# Not proxy: cases there may end with a call up, which stays on record for half a day (CDR-17).
FAMILIES = ("call", "cdr", "connection", "dialog", "network", "out", "reliable", "timer")


def about_calls() -> list[Case]:
    cases = loader.load([data.folder("scenarios")])
    return [case for case in cases if case.name.split("/")[0] in FAMILIES and not case.slow]


def with_records(case: Case) -> Case:
    return structs.replace(case, server=structs.replace(case.server or ServerSettings(), cdrs=True))


def test_no_call_is_left_without_a_stop() -> None:
    cases = [with_records(case) for case in about_calls() if case.name != "cdr/delivery/switched-off"]
    assert len(cases) > 100
    patient = Options(pace=Pace(deadline=10))  # all are to pass, on a busy machine too
    results = asyncio.run(Runner(EmbeddedTarget(), patient).run(cases)).cases
    wrong = [f"{result.name}: {result.reason}" for result in results if result.verdict is not Verdict.PASS]
    assert wrong == []
