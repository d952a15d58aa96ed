"""Ladders from rows."""

from __future__ import annotations

from msgspec import Struct

from msgtrace import ladder


class Row(Struct):
    at: float
    kind: str
    source: str
    target: str
    summary: str


ROWS = [
    Row(0.0, "note", "app", "app", "connected"),
    Row(0.001, "sip", "phone", "server", "INVITE sip:bob@127.0.0.1"),
    Row(0.002, "frame", "server", "app", "sip INVITE"),
    Row(0.5, "sip", "server", "phone", "200 OK (INVITE)"),
]


def test_sip_peers_left_applications_right() -> None:
    built = ladder.build(ROWS)
    assert built.lifelines == ("phone", "server", "app")
    assert [(arrow.source, arrow.target) for arrow in built.arrows] == [(2, 2), (0, 1), (1, 2), (1, 0)]


def test_the_text_has_a_line_for_each_row() -> None:
    heading, note, invite, frame, ok = ladder.text(ROWS).splitlines()
    assert heading.split() == ["phone", "server", "app"]
    assert note.endswith("│ (connected)")
    assert "INVITE sip:bob@127.0.0.1 ─" in invite
    assert "▶" in invite
    assert invite.startswith("   0.001")
    assert frame.index("sip INVITE") > frame.index("│", frame.index("│") + 1)
    assert ok.index("◀") < ok.index("200 OK (INVITE)")


def test_long_labels_are_cut_and_keep_the_lifelines_in_place() -> None:
    rows = [Row(0, "sip", "phone", "server", "INVITE sip:" + "x" * 300), *ROWS]
    lines = ladder.text(rows, width=80).splitlines()
    assert "…" in lines[1]
    columns = {line.rindex("│") for line in lines[1:] if line.endswith("│")}
    assert len(columns) == 1


def test_peers_that_share_an_address_are_told_apart_by_their_ports() -> None:
    rows = [Row(0, "sip", f"udp/127.0.0.1:{port}", "server", "INVITE") for port in range(50001, 50009)]
    heading = ladder.text(rows, width=100).splitlines()[0]
    assert [name[-5:] for name in heading.split()[:8]] == [str(port) for port in range(50001, 50009)]


def test_an_empty_ladder_has_a_server() -> None:
    assert ladder.text([]).strip() == "server"


def test_a_row_that_names_no_lifeline_is_a_remark() -> None:
    assert ladder.text([Row(1, "note", "", "", "32s later")]).splitlines()[1].endswith("(32s later)")


def test_a_ladder_of_telephones_has_no_server() -> None:
    built = ladder.build([Row(0, "sip", "192.0.2.9:5060", "192.0.2.20:5060", "INVITE")])
    assert built.lifelines == ("192.0.2.9:5060", "192.0.2.20:5060")
