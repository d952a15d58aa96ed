"""vectors/sessions.json: what is said there holds together from the first frame to the last."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from drachtio_conformance.cases import specification
from protocol_book import frames
from protocol_book.grammar import Direction
from reference_server.wire.requests import parse_request

SESSIONS = Path(__file__).resolve().parents[2] / "vectors" / "sessions.json"


class Decoded(Struct, forbid_unknown_fields=True):
    frame: str
    tokens: dict[str, str]
    sip: str = ""


class Event(Struct, rename={"source": "from"}, forbid_unknown_fields=True):
    source: str
    to: str
    wire: str
    decoded: Decoded | None = None

    @property
    def text(self) -> str:
        return bytes.fromhex(self.wire).decode("latin-1")


class Session(Struct, forbid_unknown_fields=True):
    id: str
    description: str
    clauses: list[str]
    events: list[Event]

    def frames(self) -> list[tuple[Event, Decoded]]:
        return [(event, event.decoded) for event in self.events if event.decoded is not None]


LOADED = msgspec.json.decode(SESSIONS.read_bytes(), type=list[Session])
each = pytest.mark.parametrize("session", LOADED, ids=lambda session: str(session.id))


@each
def test_every_frame_is_what_it_says(session: Session) -> None:
    for event, decoded in session.frames():
        count, _, payload = event.text.partition("#")
        assert int(count) == len(payload)
        line, _, message = payload.partition("\r\n")
        tokens = line.encode("latin-1").decode().split("|")
        found = frames.find(Direction(f"to-{event.to}"), tokens, message)
        assert found is not None
        assert found.name == decoded.frame
        assert frames.name_tokens(found, tokens) == decoded.tokens
        assert message == decoded.sip
        if event.to == "server":
            assert parse_request(payload).message_id == decoded.tokens["id"]


@each
def test_every_answer_belongs_to_a_frame_that_waits_for_one(session: Session) -> None:
    waiting: dict[str, str] = {}
    for event, decoded in session.frames():
        if event.to == "server":
            assert decoded.tokens["id"] not in waiting
            waiting[decoded.tokens["id"]] = decoded.frame
        elif decoded.tokens["type"] == "response":
            request = decoded.tokens["request-id"]
            if request:
                asked = next(frame for frame in frames.TO_SERVER if frame.name == waiting[request])
                assert decoded.frame in asked.answers
            if request and decoded.tokens.get("progress") != "continue":
                del waiting[request]
    assert waiting == {}


@each
def test_ids_that_the_application_names_came_from_the_server(session: Session) -> None:
    known = {"", "nonesuch"}
    for event, decoded in session.frames():
        ids = {decoded.tokens.get("transaction-id", ""), decoded.tokens.get("dialog-id", "")}
        if event.to == "server":
            assert ids <= known, decoded.tokens
        known |= ids


@each
def test_an_echo_is_what_went_to_the_network(session: Session) -> None:
    sent = [event.text for event in session.events if event.to == "network"]
    for _, decoded in session.frames():
        if decoded.frame in ("response-sent", "request-sent", "unsolicited"):
            assert decoded.sip in sent
            assert int(decoded.tokens["length"]) == len(decoded.sip)


def test_sessions_name_clauses_and_show_what_frames_cannot() -> None:
    clauses = specification.load().clauses
    assert all(set(session.clauses) <= set(clauses) for session in LOADED)
    assert len({session.id for session in LOADED}) == len(LOADED)
    malformed = [event for session in LOADED for event in session.events if event.source == "application"]
    assert [event.text for event in malformed if event.decoded is None] == ["hello"]
