"""What each level says of transactions."""

from __future__ import annotations

import io

import pytest

from reference_server.config.model import LogLevel
from reference_server.core.ports import Step
from reference_server.observe.log import Console, Log
from reference_server.observe.stack_log import LEVELS, QUIET, StackLog


def said(level: int, step: Step, about: str = "", log_level: LogLevel = LogLevel.INFO) -> str:
    stream = io.BytesIO()
    StackLog(Log(log_level, [Console(stream)]), level).transaction(step, "z9hG4bK1|INVITE", about)
    return stream.getvalue().decode()[27:]


def test_every_step_has_its_level_above_the_quiet_ones() -> None:
    assert set(LEVELS) == set(Step)
    assert min(LEVELS.values()) == QUIET + 1
    assert max(LEVELS.values()) == 9


@pytest.mark.parametrize("step", Step, ids=lambda step: step.name.lower())
def test_a_step_is_told_from_its_level_on(step: Step) -> None:
    assert [level for level in range(10) if said(level, step)] == list(range(LEVELS[step], 10))


def test_one_line_whatever_a_peer_sends() -> None:
    assert said(9, Step.RECEIVED, "SIP/2.0 200 O\nK") == (
        "transaction z9hG4bK1|INVITE: received SIP/2.0 200 O\\nK\n"
    )
    assert said(9, Step.OVER) == "transaction z9hG4bK1|INVITE: over\n"


def test_the_level_of_the_log_rules_too() -> None:
    assert said(9, Step.OVER, log_level=LogLevel.WARNING) == ""
