"""What Session-Expires says, read as RFC 4028 has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.session_timer import (
    Refresher,
    SessionExpires,
    Terms,
    is_too_small,
    leading_number,
    parse_session_expires,
    refresh_window,
    terms_as_client,
    terms_as_server,
)


@pytest.mark.parametrize(
    ("value", "seconds", "refresher"),
    [
        ("90", 90, None),
        ("90;refresher=uac", 90, Refresher.UAC),
        ("1800;refresher=uas", 1800, Refresher.UAS),
        ("1800 ; Refresher = UAS ; x=y", 1800, Refresher.UAS),
        ("1800;x=y;refresher=uac", 1800, Refresher.UAC),
        ("90;refresher=both", 90, None),
        ("90;refresher=uacs", 90, None),
        ("90;xrefresher=uac", 90, None),
        ("4294967295", 2**32 - 1, None),
        ("9" * 100, 2**32 - 1, None),
    ],
)
def test_a_value(value: str, seconds: int, refresher: Refresher | None) -> None:
    assert parse_session_expires(value) == SessionExpires(seconds, refresher)


@pytest.mark.parametrize(
    "value", ["", "abc", "0", "1;refresher=uac", "-90", " 90", ";refresher=uac", "9" * 101]
)
def test_no_value(value: str) -> None:
    assert parse_session_expires(value) is None
    assert terms_as_client(value) is None
    assert terms_as_server(value, far_end_knows_timers=True) is None


@given(st.integers(2, 2**32 - 1), st.sampled_from([None, *Refresher]))
def test_what_is_written_is_read(seconds: int, refresher: Refresher | None) -> None:
    written = SessionExpires(seconds, refresher)
    assert parse_session_expires(str(written)) == written


@pytest.mark.parametrize(
    ("value", "too_small"),
    [("89", True), ("0", True), ("30;refresher=uas", True), ("90", False), ("", False), ("x", False)],
)
def test_too_small(value: str, too_small: bool) -> None:
    assert is_too_small(value) is too_small


@pytest.mark.parametrize(
    ("value", "ours"), [("6", True), ("6;refresher=uac", True), ("6;refresher=uas", False)]
)
def test_as_client_any_interval_is_kept(value: str, ours: bool) -> None:
    assert terms_as_client(value) == Terms(6, ours, 6)


@pytest.mark.parametrize(
    ("value", "knows", "terms"),
    [
        ("30", True, Terms(30, refreshed_by_us=False, lifetime=90)),
        ("30;refresher=uac", True, Terms(30, refreshed_by_us=False, lifetime=90)),
        ("30;refresher=uas", True, Terms(30, refreshed_by_us=True, lifetime=90)),
        ("600", False, Terms(600, refreshed_by_us=True, lifetime=600)),
        ("600;refresher=uac", False, Terms(600, refreshed_by_us=True, lifetime=600)),
    ],
)
def test_as_server_a_session_lasts_and_who_cannot_need_not_refresh(
    value: str, knows: bool, terms: Terms
) -> None:
    assert terms_as_server(value, knows) == terms


@pytest.mark.parametrize(
    ("seconds", "window"), [(90, (40, 50)), (1800, (895, 905)), (12, (3, 9)), (4, (1, 3)), (2, (1, 1))]
)
def test_the_window_of_a_refresh(seconds: int, window: tuple[int, int]) -> None:
    assert refresh_window(seconds) == window


@given(st.integers(2, 2**32 - 1))
def test_a_refresh_comes_after_a_while_and_before_the_end(seconds: int) -> None:
    earliest, latest = refresh_window(seconds)
    assert 0 < earliest <= latest < seconds


@pytest.mark.parametrize(
    ("value", "number"), [("90", 90), ("90;x=y", 90), ("7 (busy)", 7), ("", 0), ("x", 0), ("9" * 101, 0)]
)
def test_the_number_that_a_value_begins_with(value: str, number: int) -> None:
    assert leading_number(value) == number
