"""The time token."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.wire.timestamp import TimeToken


@pytest.mark.parametrize(
    ("wall", "token"),
    [
        (0.0, "00:00:00.000000"),
        (86_399.5, "23:59:59.500000"),
        (86_400.0, "00:00:00.000000"),
        (1_800_000_061.25, "08:01:01.250000"),
        (59.9999999, "00:00:59.999999"),
        (3_599.9999999, "00:59:59.999999"),
        (0.000001, "00:00:00.000001"),
    ],
)
def test_token(wall: float, token: str) -> None:
    assert TimeToken(lambda: wall).now() == token


def test_the_kept_second_is_replaced() -> None:
    moments = iter([10.25, 10.75, 11.0, 10.5])
    token = TimeToken(lambda: next(moments)).now
    assert [token() for _ in range(4)] == [
        "00:00:10.250000",
        "00:00:10.750000",
        "00:00:11.000000",
        "00:00:10.500000",
    ]


@given(st.floats(0, 4e9))
def test_token_agrees_with_datetime(wall: float) -> None:
    token = TimeToken(lambda: wall).now()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{6}", token)
    micros = int(wall * 1_000_000)
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    assert token == moment.strftime("%H:%M:%S.%f")
