"""A little of ``make fuzz`` in every run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.fuzz.session import Session

TestSession = Session.TestCase
TestSession.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
