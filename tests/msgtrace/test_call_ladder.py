"""Ladders of recordings: who stands on them, how wide they are, and what is folded."""

from __future__ import annotations

import re

import pytest

from msgtrace import call_ladder
from msgtrace.answers import shown
from msgtrace.colours import Paint
from msgtrace.entries import Entry, EntryKind
from msgtrace.recordings import read
from msgtrace.rows import MOST, Row, rows_of
from tests.msgtrace import call_set
from tests.msgtrace.call_set import Played, Scene, message


def rows(data: bytes) -> list[Row]:
    """Of a recording."""
    return rows_of(shown(read(data)))


def drawn(data: bytes, width: int = 80) -> list[str]:
    """The lines of its ladder."""
    return call_ladder.text(rows(data), width, Paint(False)).splitlines()


def phones() -> Scene:
    """Two telephones, of which the callee hangs up; no server."""
    scene = Scene()
    scene.relayed(False, message("INVITE sip:bob@h SIP/2.0", "c", "1 INVITE", ("a", ""), vias=["p i"]))
    scene.relayed(True, message("SIP/2.0 200 OK", "c", "1 INVITE", ("a", "b"), vias=["p i"]))
    scene.relayed(False, message("ACK sip:bob@h SIP/2.0", "c", "1 ACK", ("a", "b"), vias=["p a"]))
    scene.relayed(True, message("BYE sip:alice@h SIP/2.0", "c", "77 BYE", ("b", "a"), vias=["p b"]))
    scene.relayed(False, message("SIP/2.0 200 OK", "c", "77 BYE", ("b", "a"), vias=["p b"]))
    return scene


def test_a_capture_of_telephones_has_columns_by_address() -> None:
    heading, *lines = drawn(call_set.sip_capture(phones()))
    assert heading.split() == ["192.0.2.9:5060", "192.0.2.1:5060"]
    assert ["▶" in line for line in lines] == [True, False, True, False, True]


def test_a_proxy_between_them_is_a_third_column() -> None:
    play = Played()
    play.proxied("serial", [("192.0.2.42:5062", "200 OK")], parallel=False)
    heading, *_ = drawn(call_set.sip_capture(play.scene))
    assert sorted(heading.split()) == ["192.0.2.1:5060", "192.0.2.42:5062", "192.0.2.9:5060"]


def test_a_server_that_is_known_late_is_the_server_from_the_beginning() -> None:
    """The capture begins behind ``authenticate``: the first request tells which address is the server's."""
    play = Played()
    play.request("INVITE", "c", 1, answers=["486 Busy Here"])
    play.scene.steps = play.scene.steps[10:]
    heading, *_ = drawn(call_set.capture(play.scene))
    assert heading.split() == ["192.0.2.9:5060", "server", "app", "1"]


@pytest.mark.parametrize("form", call_set.WITH_SIP | call_set.FRAMES_ALONE)
@pytest.mark.parametrize("width", [60, 80, 132])
def test_every_line_fits_the_width(form: str, width: int) -> None:
    for scene in (call_set.played()[0], call_set.proxied()[0]):
        lines = drawn((call_set.WITH_SIP | call_set.FRAMES_ALONE)[form](scene), width)
        assert max(map(len, lines)) <= width
        assert any(re.search("INVITE|200", line) for line in lines)


def test_wide_terminals_are_used() -> None:
    data = call_set.trace(call_set.played()[0])
    assert max(map(len, drawn(data, 132))) > max(map(len, drawn(data, 80)))
    assert any("INVITE sip:bob@192.0.2.1:5060 " in line for line in drawn(data, 132))


def test_times_and_the_time_since_the_row_before() -> None:
    _, first, second, *_ = drawn(call_set.sip_capture(phones()))
    assert first.startswith("    0.000            ")
    assert second.startswith("    0.100   +0.100 ")


def test_what_is_sent_again_is_folded_and_counted() -> None:
    scene = phones()
    scene.steps[2:2] = [scene.steps[1]] * 3
    found = rows(call_set.sip_capture(scene))
    assert len(found) == 5
    assert (found[1].times, round(found[1].until, 1)) == (4, 0.4)
    assert any("200 OK (INVITE) ×4 until 0.4" in line for line in drawn(call_set.sip_capture(scene), 120))


UNSENT = [
    (False, "a|sip||\r\nINVITE sip:x@nosuch.invalid SIP/2.0\r\n\r\n"),
    (
        True,
        "r|response|a|OK|application|0|unknown||0|07:00:00.0|t1|Msg sent:|\r\n"
        + message("INVITE sip:x@nosuch.invalid SIP/2.0", "c", "1 INVITE"),
    ),
    (
        True,
        "n|sip|network|0|unknown||0|07:00:00.0|t1||\r\n"
        + message("SIP/2.0 503 DNS Error", "c", "1 INVITE", ("a", "b")),
    ),
]


def test_what_never_was_on_a_wire_is_no_arrow() -> None:
    entries = [Entry(kind=EntryKind.FRAME, from_server=down, data=text) for down, text in UNSENT]
    found = rows_of(shown(entries))
    assert [row.kind for row in found] == ["frame", "frame", "note", "note", "frame"]
    assert [row.summary for row in found if row.kind == "note"] == [
        "INVITE sip:x@nosuch.invalid could not be sent",
        "503 DNS Error (INVITE) was made by the server itself",
    ]
    assert {name for row in found for name in (row.source, row.target)} == {"app", "server"}


def test_a_ladder_is_cut_where_nobody_reads_further() -> None:
    entries = [Entry(kind=EntryKind.FRAME, from_server=False, data=f"{n}|ping") for n in range(MOST + 5)]
    found = rows_of(shown(entries))
    assert len(found) == MOST + 1
    assert found[-1].summary.startswith(f"cut after {MOST} messages")
