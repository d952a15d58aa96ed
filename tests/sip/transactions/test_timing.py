"""The base times and the two rows of intervals."""

from __future__ import annotations

import pytest

from reference_server.sip.transactions.timing import ForwardedTiming, Timing


@pytest.mark.parametrize(("t1", "own", "forwarded"), [(0.25, 1.0, 0.25), (0.5, 1.0, 0.5), (2.0, 2.0, 2.0)])
def test_when_a_request_is_first_repeated(t1: float, own: float, forwarded: float) -> None:
    assert Timing(t1=t1).first_client_interval == own
    assert ForwardedTiming(t1=t1).first_client_interval == forwarded


def test_the_defaults_are_those_of_the_rfc() -> None:
    timing = Timing()
    assert (timing.t1, timing.t2, timing.t4, timing.t1x64) == (0.5, 4.0, 5.0, 64 * 0.5)
