"""What ``--fault`` accepts."""

from __future__ import annotations

import pytest

from reference_server.config.fault import FAULTS, faults
from reference_server.config.model import Fault
from reference_server.config.values import WrongValue
from tests.config.test_reading import configured


def test_a_list() -> None:
    assert faults("split=1, no-pong,delay-echo=0.5,random=0.2:4711") == (
        Fault("split", 1),
        Fault("no-pong"),
        Fault("delay-echo", 0.5),
        Fault("random", 0.2, 4711),
    )


def test_by_the_option() -> None:
    assert configured("--fault", "close=7").faults == (Fault("close", 7),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected faults, split"),
        ("nonsense", "there is no fault 'nonsense'"),
        ("no-pong=1", "'no-pong' takes no value"),
        ("split", "expected split=N, a whole number from 1 to"),
        ("split=0", "got 'split=0'"),
        ("split=1.5", "a whole number"),
        ("delay-echo=x", "a number from 0.001 to 3600"),
        ("random=2", "from 1e-06 to 1"),
        ("random=0.5:x", "got 'random=0.5:x'"),
        ("close=1:5", "got 'close=1:5'"),
    ],
)
def test_what_is_none(text: str, told: str) -> None:
    with pytest.raises(WrongValue, match=told.replace("(", r"\(")):
        faults(text)


def test_every_row_says_what_it_does() -> None:
    assert all(row.meaning for row in FAULTS.values())
