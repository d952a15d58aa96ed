"""The vectors hold for both codecs: the server's strict one and the tolerant one of the trace tool."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct, field

from drachtio_conformance.cases import specification
from msgtrace import messages
from protocol_book import frames
from reference_server.wire import frames_to_application as to_application
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


class Decoded(Struct, rename="kebab", forbid_unknown_fields=True):
    payloads: list[str] = field(default_factory=list)
    incomplete: bool = False
    frame: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    sip: str | None = None
    sip_hex: str | None = None

    @property
    def message(self) -> str:
        """The SIP message, one character per octet."""
        return bytes.fromhex(self.sip_hex).decode("latin-1") if self.sip_hex else octets_of(self.sip or "")


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
    canonical: bool = False
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
            tags = [request.tags] if len(values) > 3 else []
            assert values == [request.message_id, "authenticate", request.secret, *tags]
        case Sip():
            ids = [request.transaction_id, request.dialog_id, request.route_url]
            assert values == [request.message_id, "sip", *ids[: len(values) - 2]]
            assert request.text == vector.decoded.message
        case Proxy():
            assert values == [request.message_id, "proxy", request.transaction_id, *request.tokens]
            assert request.text == vector.decoded.message
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
    expected = [(name, octets_of(value)) for name, value in vector.decoded.tokens.items()]
    found = [(token.name, token.value) for token in message.tokens]
    if not vector.canonical:  # further tokens, which mean nothing
        found = found[: len(expected)]
    assert found == expected
    assert vector.id == "ping-surplus" or message.content == vector.decoded.message


@pytest.mark.parametrize(
    "vector", [vector for vector in TO_APPLICATION if vector.canonical], ids=lambda vector: str(vector.id)
)
def test_the_server_writes_what_applications_read(vector: Vector) -> None:
    assert vector.decoded is not None
    assert reply_of(vector.decoded).format(octets_of(vector.decoded.tokens["id"])) == vector.payload


def reply_of(decoded: Decoded) -> to_application.ServerMessage:
    """The server's message that has these tokens."""
    tokens = {name: octets_of(value) for name, value in decoded.tokens.items()}
    sip = decoded.message
    request = tokens.get("request-id", "")
    address = to_application.address_tokens(tokens.get("address", ""), int(tokens.get("port", 0)))
    about = (tokens.get("transport", ""), address, tokens.get("time", ""))
    match decoded.frame:
        case "refused":
            return to_application.Refused(request, tokens["text"])
        case "not-done":
            return to_application.NotSent(request, tokens["text"])
        case "accepted":
            return to_application.Accepted(request, tokens.get("text", ""))
        case "authenticated":
            return to_application.Authenticated(
                request, tokens["hostports"], tokens["version"], tokens["local-hostports"]
            )
        case "authenticated-0.8":
            return to_application.Authenticated(request, tokens["hostports"], "", "", short=True)
        case "response-sent":
            return to_application.ResponseSent(
                request, *about, tokens["transaction-id"], tokens["dialog-id"], sip
            )
        case "request-sent":
            held = tokens["length"] == "0"
            return to_application.RequestSent(request, *about, tokens["transaction-id"], sip, held=held)
        case "final-response-received":
            return to_application.FinalResponseReceived(request, *about, sip)
        case "new-request":
            local = to_application.address_tokens(tokens["local-address"], int(tokens["local-port"]))
            return to_application.NewRequest(
                int(tokens["length"]), *about, tokens["transaction-id"], local, sip
            )
        case "new-request-0.8":
            return to_application.NewRequest(int(tokens["length"]), *about, tokens["transaction-id"], "", sip)
        case "message-in-dialog" | "unsolicited":
            return to_application.DialogMessage(
                tokens["source"],
                int(tokens["length"]),
                *about,
                tokens["transaction-id"],
                tokens["dialog-id"],
                sip,
            )
        case "cdr:attempt" | "cdr:start" | "cdr:stop":
            detail = tokens.get("role") or tokens.get("reason", "")
            return to_application.CallDetailRecord(
                tokens["type"], tokens["source"], tokens["time"], detail, sip
            )
        case frame:
            pytest.fail(f"no message of the server is a {frame}")


@pytest.mark.parametrize("vector", TO_SERVER + TO_APPLICATION, ids=lambda vector: str(vector.id))
def test_the_count_of_a_frame_is_right(vector: Vector) -> None:
    count = int(vector.octets.partition(b"#")[0])
    payload = vector.octets.partition(b"#")[2]
    code_points = (
        vector.dialect == "0.8" and vector.decoded is not None and vector.decoded.tokens["type"] == "sip"
    )
    assert count == (len(payload.decode()) if code_points else len(payload))


@pytest.mark.parametrize(
    "vector",
    [vector for vector in TO_SERVER + TO_APPLICATION if vector.decoded],
    ids=lambda vector: str(vector.id),
)
def test_canonical_is_what_a_writer_makes_of_the_tokens(vector: Vector) -> None:
    assert vector.decoded is not None
    payload = octets_of("|".join(vector.decoded.tokens.values()))
    if vector.decoded.message:
        payload += "\r\n" + vector.decoded.message
    assert (payload == vector.payload) is vector.canonical


@pytest.mark.parametrize(
    "vector", [vector for vector in FRAMING if vector.decoded], ids=lambda vector: str(vector.id)
)
def test_a_canonical_stream_is_what_a_writer_makes_of_the_payloads(vector: Vector) -> None:
    assert vector.decoded is not None
    payloads = [bytes.fromhex(payload) for payload in vector.decoded.payloads]
    written = b"".join(b"%d#%b" % (len(payload), payload) for payload in payloads)
    assert (written == vector.octets) is vector.canonical


def test_every_vector_has_a_clause_and_an_id_of_its_own() -> None:
    clauses = specification.load().clauses
    for vectors in (FRAMING, TO_SERVER, TO_APPLICATION):
        assert all(vector.clause in clauses for vector in vectors)
        assert len({vector.id for vector in vectors}) == len(vectors)
        assert all((vector.decoded is None) != (vector.error is None) for vector in vectors)


def test_every_kind_of_frame_has_a_vector() -> None:
    shown = {vector.decoded.frame for vector in TO_SERVER + TO_APPLICATION if vector.decoded}
    assert shown - {"unknown"} == {frame.name for frame in frames.FRAMES}
