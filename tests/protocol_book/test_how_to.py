"""Pages of the guides."""

from __future__ import annotations

from protocol_book import how_to, suite
from protocol_book.recorded import Event

SPECIFICATION = suite.load()
BYE = "BYE sip:alice@127.0.0.1:41234 SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n"


def events() -> list[Event]:
    payload = "m1|sip||c@h;from-tag=t\r\nBYE sip:placeholder SIP/2.0\r\n\r\n"
    frame = Event(
        at=1.25,
        kind="frame",
        source="app",
        target="server",
        summary="sip BYE",
        data=f"{len(payload)}#{payload}",
    )
    sip = Event(
        at=1.26,
        kind="sip",
        source="server",
        target="phone",
        summary="BYE sip:alice@127.0.0.1:41234",
        data=BYE,
    )
    return [frame, sip]


def test_a_page_says_the_same_for_every_run() -> None:
    guide = next(each for each in how_to.load() if each.name == "hang-up")
    page = how_to.page(guide, events(), SPECIFICATION)
    assert "| 1 | app → server | sip BYE | CALL-13 The application hangs up |" in page
    assert "‹id›|sip||‹dialog-id›⏎\n   BYE sip:placeholder SIP/2.0⏎\n   ⏎" in page
    assert "41234" not in page
    assert "1.25" not in page


def test_arrows_of_the_picture_lead_to_clauses() -> None:
    guide = next(each for each in how_to.load() if each.name == "hang-up")
    picture = how_to.picture(guide, events())
    assert 'href="#call-13"' in picture
    assert ">1</text>" in picture


def test_peers_are_known_by_what_they_are_sent() -> None:
    assert how_to.peers(events()) == {"127.0.0.1:41234": "phone"}


def test_there_is_a_page_for_each_question() -> None:
    names = {guide.name for guide in how_to.load()}
    assert names == {
        *("answer", "reject", "ring", "hang-up", "call", "hold"),
        *("transfer", "proxy", "register", "subscribe", "reconnect"),
    }
