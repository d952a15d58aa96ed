"""The vectors hold for both codecs: the server's strict one and the tolerant one of the trace tool."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct, field

from drachtio_conformance.cases import specification
from msgtrace import messages
from reference_server.wire import replies
from reference_server.wire.framing import FrameDecoder, FramingError
from reference_server.wire.requests import (
    Authenticate,
    Ping,
    Proxy,
    RemoveRoute,
    RequestError,
    Route,
    Sip,
    parse_request,
)

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


class Decoded(Struct, forbid_unknown_fields=True):
    payloads: list[str] = field(default_factory=list)
    incomplete: bool = False
    tokens: dict[str, str] = field(default_factory=dict)
    sip: str | None = None


class Refusal(Struct, rename="kebab", forbid_unknown_fields=True):
    text: str
    message_id: str = ""
    payloads: list[str] = field(default_factory=list)


class Vector(Struct, forbid_unknown_fields=True):
    id: str
    description: str
    clause: str
    direction: str
    wire: str
    dialect: str = "0.9"
    limit: int = 16 * 1024 * 1024
    decoded: Decoded | None = None
    error: Refusal | None = None

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.wire)

    @property
    def payload(self) -> str:
        """Behind the count of the one frame, one character per octet."""
        return self.octets.partition(b"#")[2].decode("latin-1")


def load(name: str) -> list[Vector]:
    return msgspec.json.decode((VECTORS / f"{name}.json").read_bytes(), type=list[Vector])


FRAMING, TO_SERVER, TO_APPLICATION = load("framing"), load("to-server"), load("to-application")


def octets_of(text: str) -> str:
    """Unicode text as it stands on the wire, one character per octet."""
    return text.encode().decode("latin-1")


def read(vector: Vector, pieces: list[bytes]) -> tuple[list[str], str, bool]:
    """The payloads in hexadecimal, the error's text, and whether something is left."""
    decoder = FrameDecoder(vector.limit)
    found: list[str] = []
    try:
        for piece in pieces:
            decoder.feed(piece)
            while (payload := decoder.next_frame()) is not None:
                found.append(payload.encode("latin-1").hex())
    except FramingError as error:
        return found, str(error), False
    return found, "", decoder.incomplete


@pytest.mark.parametrize("vector", FRAMING, ids=lambda vector: str(vector.id))
def test_streams_are_cut_into_frames(vector: Vector) -> None:
    found, error, incomplete = read(vector, [vector.octets])
    if vector.error is not None:
        assert (found, error) == (vector.error.payloads, vector.error.text)
    else:
        assert vector.decoded is not None
        assert (found, error, incomplete) == (vector.decoded.payloads, "", vector.decoded.incomplete)


@pytest.mark.parametrize("vector", FRAMING, ids=lambda vector: str(vector.id))
def test_streams_are_cut_alike_octet_by_octet(vector: Vector) -> None:
    pieces = [vector.octets[index : index + 1] for index in range(len(vector.octets))]
    found, error, incomplete = read(vector, pieces)
    if vector.error is not None:
        assert found == vector.error.payloads
        assert error.partition(", got ")[0] == vector.error.text.partition(", got ")[0]
        assert error.rpartition(" at ")[2] == vector.error.text.rpartition(" at ")[2]
    else:
        assert vector.decoded is not None
        assert (found, error, incomplete) == (vector.decoded.payloads, "", vector.decoded.incomplete)


@pytest.mark.parametrize("vector", TO_SERVER, ids=lambda vector: str(vector.id))
def test_the_server_reads_what_applications_send(vector: Vector) -> None:
    if vector.error is not None:
        with pytest.raises(RequestError) as caught:
            parse_request(vector.payload)
        assert caught.value.text == vector.error.text
        assert caught.value.message_id == octets_of(vector.error.message_id)
        return
    assert vector.decoded is not None
    values = [octets_of(value) for value in vector.decoded.tokens.values()]
    request = parse_request(vector.payload)
    match request:
        case Ping():
            assert values == [request.message_id, "ping"]
        case Route():
            assert values == [request.message_id, "route", request.verb]
        case RemoveRoute():
            assert values == [request.message_id, "remove_route", request.verb]
        case Authenticate():
            assert values == [request.message_id, "authenticate", request.secret, request.tags]
        case Sip():
            assert values == [request.message_id, "sip", request.transaction_id, request.dialog_id]
            assert request.text == octets_of(vector.decoded.sip or "")
        case Proxy():
            assert values == [request.message_id, "proxy", request.transaction_id, *request.tokens]
            assert request.text == octets_of(vector.decoded.sip or "")
        case _:
            pytest.fail(f"{vector.id}: no vector is a {type(request).__name__}")


@pytest.mark.parametrize(
    "vector",
    [vector for vector in TO_SERVER + TO_APPLICATION if vector.decoded],
    ids=lambda vector: str(vector.id),
)
def test_the_trace_tool_names_the_tokens(vector: Vector) -> None:
    assert vector.decoded is not None
    message = messages.decode(vector.payload, from_server=vector.direction == "to-application")
    assert {token.name: token.value for token in message.tokens} == {
        name: octets_of(value) for name, value in vector.decoded.tokens.items()
    }
    assert [token.name for token in message.tokens] == list(vector.decoded.tokens)
    assert message.content == octets_of(vector.decoded.sip or "")


@pytest.mark.parametrize("vector", TO_APPLICATION, ids=lambda vector: str(vector.id))
def test_the_server_writes_what_applications_read(vector: Vector) -> None:
    assert vector.decoded is not None
    tokens = vector.decoded.tokens
    message = reply_of(tokens, octets_of(vector.decoded.sip or ""), vector.dialect == "0.8")
    assert message.format(tokens["id"]) == vector.payload


def reply_of(tokens: dict[str, str], sip: str, old: bool) -> replies.ServerMessage:
    """The server's message that has these tokens."""
    address = replies.address_tokens(tokens.get("address", ""), int(tokens.get("port", 0)))
    if tokens["verb"] == "sip":
        common = (tokens["protocol"], address, tokens["time"])
        if tokens["source"] == "network" and ("local-port" in tokens or old):
            return replies.NewRequest(
                int(tokens["length"]),
                *common,
                tokens["transaction-id"],
                "" if old else replies.address_tokens(tokens["local-address"], int(tokens["local-port"])),
                sip,
            )
        return replies.DialogMessage(
            tokens["source"],
            int(tokens["length"]),
            *common,
            tokens["transaction-id"],
            tokens["dialog-id"],
            sip,
        )
    if tokens["verb"].startswith("cdr:"):
        detail = tokens.get("role") or tokens.get("reason", "")
        return replies.CallDetailRecord(tokens["verb"], tokens["source"], tokens["time"], detail, sip)
    request = tokens["request-id"]
    match tokens:
        case {"result": "NO", "reason": reason}:
            return replies.Refused(request, reason)
        case {"result": "NOK", "reason": reason}:
            return replies.NotSent(request, reason)
        case {"hostports": hostports}:
            return replies.Authenticated(
                request, hostports, tokens.get("version", ""), tokens.get("local-hostports", ""), old
            )
        case {"source": "application"}:
            common = (tokens["protocol"], address, tokens["time"])
            if "dialog-id" in tokens:
                return replies.ResponseSent(
                    request, *common, tokens["transaction-id"], tokens["dialog-id"], sip
                )
            return replies.RequestSent(request, *common, tokens["transaction-id"], sip)
        case {"source": "network"}:
            return replies.FinalResponseReceived(request, tokens["protocol"], address, tokens["time"], sip)
        case _:
            return replies.Accepted(request, tokens.get("text", ""))


@pytest.mark.parametrize("vector", TO_SERVER + TO_APPLICATION, ids=lambda vector: str(vector.id))
def test_the_count_of_a_frame_is_right(vector: Vector) -> None:
    count = int(vector.octets.partition(b"#")[0])
    payload = vector.octets.partition(b"#")[2]
    code_points = (
        vector.dialect == "0.8" and vector.decoded is not None and vector.decoded.tokens["verb"] == "sip"
    )
    assert count == (len(payload.decode()) if code_points else len(payload))


def test_every_vector_has_a_clause_and_an_id_of_its_own() -> None:
    clauses = specification.load().clauses
    for vectors in (FRAMING, TO_SERVER, TO_APPLICATION):
        assert all(vector.clause in clauses for vector in vectors)
        assert len({vector.id for vector in vectors}) == len(vectors)
        assert all((vector.decoded is None) != (vector.error is None) for vector in vectors)
