"""The cases of the suite for tests that go through all of them; each process of a test run reads them once."""

from __future__ import annotations

from functools import cache

from drachtio_conformance.cases.case import Case
from drachtio_conformance.cli.main import load_cases


@cache
def suite_cases() -> tuple[Case, ...]:
    """Those for servers, which nobody changes; not at import, since every process imports every test."""
    return tuple(load_cases())


def by_name() -> dict[str, Case]:
    """The same by name."""
    return {case.name: case for case in suite_cases()}
