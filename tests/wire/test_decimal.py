"""Digits at hand are the digits."""

from __future__ import annotations

from reference_server.wire.decimal import decimal


def test_every_number_at_hand_and_those_behind() -> None:
    assert [decimal(number) for number in range(5000)] == [str(number) for number in range(5000)]
    assert decimal(10**12) == "1000000000000"
