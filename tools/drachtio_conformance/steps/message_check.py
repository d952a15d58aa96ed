"""What the checks of a SIP message have in common, whether it comes alone or in a frame."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from drachtio_conformance.steps.comparison import Mismatch, SipExpectation
from drachtio_conformance.steps.mutation import Mutation
from drachtio_conformance.steps.stage import CheckFailed
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, HeaderFields


class MessageCheck(Step, frozen=True, kw_only=True):
    """What a check may demand of a SIP message, alone or in a frame."""

    is_check: ClassVar[bool] = True

    start: str | None = None
    """pattern for the start line of the SIP message"""
    headers: HeaderFields = field(default_factory=dict)
    """patterns for header values; a list demands exactly that many lines"""
    absent: list[str] = field(default_factory=list)
    """headers that must not be there"""
    order: list[str] = field(default_factory=list)
    """header names that must come in this order, others may stand between"""
    body: str | None = None
    """pattern for the body; ``""`` demands none"""
    sip: str | None = None
    """the whole SIP message, one pattern for each line, nothing more and nothing less (its body by ``body`` if that is
    given); ``""`` demands that there be none"""
    within: Duration | None = None
    mutate: list[Mutation] = field(default_factory=list)

    def expectation(self) -> SipExpectation:
        """What the message must be like."""
        return SipExpectation(
            start=self.start,
            headers=self.headers,
            absent=self.absent,
            order=self.order,
            body=self.body,
            whole=self.sip,
        )


def report(mismatches: list[Mismatch], actual: str) -> None:
    """Raise :class:`CheckFailed` if there are mismatches: each of them, and all that came."""
    if mismatches:
        expected = "; ".join(f"{item.what}: {item.expected}" for item in mismatches)
        got = "; ".join(f"{item.what}: {item.actual}" for item in mismatches)
        raise CheckFailed(expected, f"{got}\n{actual}")
