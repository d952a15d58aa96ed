"""Each arrow of a guide has a clause that is about it."""

from __future__ import annotations

import pytest

from protocol_book import arrows, how_to, suite
from protocol_book.how_to import Guide
from protocol_book.recorded import Event, arranged

GUIDES = how_to.load()
SPECIFICATION = suite.load()


@pytest.fixture(scope="module")
def runs() -> dict[str, list[Event]]:
    return how_to.record(GUIDES)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.name))
def test_every_arrow_has_a_clause_that_exists(guide: Guide, runs: dict[str, list[Event]]) -> None:
    named = arrows.clauses(runs[guide.name])
    assert len(named) == len(runs[guide.name]) > 3
    assert set(named) <= set(SPECIFICATION.clauses)


@pytest.mark.parametrize(
    ("guide", "label", "clause"),
    [
        ("answer", "sip ACK", "SIP-5"),
        ("answer", "sip BYE", "CALL-12"),
        ("reject", "ACK", "CALL-5"),
        ("ring", "sip CANCEL", "SIP-6"),
        ("hang-up", "sip BYE", "CALL-13"),
        ("call", "sip INVITE", "OUT-1"),
        ("call", "sip ACK", "OUT-10"),
        ("hold", "sip ACK", "DLG-13"),
        ("proxy", "486 Busy Here (INVITE)", "PROXY-14"),
        ("proxy", "OK done", "PROXY-7"),
        ("reconnect", "broken by the application", "CONN-2"),
    ],
)
def test_what_an_arrow_is_about(guide: str, label: str, clause: str, runs: dict[str, list[Event]]) -> None:
    drawn = how_to.drawing(runs[guide])
    found = [
        name for event, name in zip(drawn, arrows.clauses(runs[guide]), strict=True) if event.summary == label
    ]
    assert found[0] == clause


def test_a_frame_on_paper_names_ids_and_hides_the_secret() -> None:
    frame = "30#x1|authenticate|cymru|"
    event = Event(at=0, kind="frame", source="app", target="server", summary="", data=frame)
    assert arrows.on_paper(event, {}) == "‹id›|authenticate|‹secret›|"


def test_what_the_server_sends_at_once_goes_to_the_network_first() -> None:
    def event(source: str, kind: str) -> Event:
        return Event(at=0, kind=kind, source=source, target="x", summary=f"{source} {kind}")

    rows = [event("server", "frame"), event("server", "sip"), event("phone", "sip"), event("server", "frame")]
    assert [row.summary for row in arranged(rows)] == [
        "server sip",
        "server frame",
        "phone sip",
        "server frame",
    ]
