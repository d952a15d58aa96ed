"""The tables of frames hold for the server's codec, for the trace tool's, and for the examples of the specification."""

from __future__ import annotations

import re

import pytest

from msgtrace import messages
from protocol_book import frames, suite
from protocol_book.grammar import Direction, Frame, TokenType
from reference_server.wire.requests import RequestError, parse_request

_SYMBOLS = str.maketrans({"⏎": "\r\n", "␊": "\n", "␀": "\0"})
STARTS = {
    "send-response": "SIP/2.0 200 OK",
    "send-in-dialog": "BYE sip:placeholder SIP/2.0",
    "send-cancel": "CANCEL sip:placeholder SIP/2.0",
    "send-request": "OPTIONS sip:carol@127.0.0.1 SIP/2.0",
}
named = pytest.mark.parametrize("frame", frames.TO_SERVER, ids=lambda frame: str(frame.name))


def sample(frame: Frame, count: int) -> str:
    """A payload with the first ``count`` tokens of the frame."""
    values = []
    for place, token in enumerate(frame.tokens[:count]):
        if token.type is TokenType.WORD:
            values.append(token.values[0])
        else:
            values.append("" if token.type is TokenType.EMPTY else f"v{place}")
    values += ["sip:a@b"] * (count - len(frame.tokens))
    return "|".join(values) + f"\r\n{STARTS.get(frame.name, '')}\r\n\r\n"


@named
def test_the_server_takes_a_frame_with_the_required_tokens_and_refuses_one_with_fewer(frame: Frame) -> None:
    request = parse_request(sample(frame, frame.required))
    assert request.message_id == "v0"
    if frame.required > 2:
        fewer = frame.required - 1 if not frame.name.startswith("send-in") else 2
        with pytest.raises(RequestError):
            parse_request(sample(frame, fewer))


@named
def test_the_server_reads_each_token_at_its_place(frame: Frame) -> None:
    payload = sample(frame, len(frame.tokens) + 2)
    read = parse_request(payload)
    flat = [str(part) for value in read.__struct_fields__ for part in _parts(getattr(read, value))]
    told = frames.name_tokens(frame, payload.partition("\r\n")[0].split("|"))
    wanted = {name: value for name, value in told.items() if value and name != "type"}
    ignored = {token.name for token in frame.tokens if token.ignored}
    missing = {name for name, value in wanted.items() if value not in flat} - ignored
    assert missing == set()


def _parts(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


@named
def test_the_trace_tool_tells_the_same_kind(frame: Frame) -> None:
    message = messages.decode(sample(frame, len(frame.tokens)), from_server=False)
    assert message.kind.value == frame.name


SPECIFICATION = suite.load()


def examples() -> list[tuple[str, str, str]]:
    """(clause, prefix, payload) of every frame in the examples of the specification."""
    found: list[tuple[str, str, str]] = []
    for clause in SPECIFICATION.clauses.values():
        text = re.sub(r"\n   ", "", clause.example)
        for prefix, octets in re.findall(r"^([CS]): (?:[0-9]+#)(.*)$", text, re.MULTILINE):
            found.append((clause.id, prefix, octets.translate(_SYMBOLS)))
    return found


def test_every_example_is_a_frame_of_the_tables() -> None:
    seen: set[str] = set()
    for clause, prefix, payload in examples():
        line, _, message = payload.partition("\r\n")
        if not line:
            continue
        direction = Direction.TO_SERVER if prefix == "C" else Direction.TO_APPLICATION
        frame = frames.find(direction, line.split("|"), message)
        if frame is None:
            assert re.search(r"\|NOK?\|", SPECIFICATION.clauses[clause].example), (clause, line)
            continue
        seen.add(frame.name)
        for place, token in enumerate(frame.tokens):
            value = line.split("|")[place] if place < len(line.split("|")) else ""
            if token.type is TokenType.WORD and value:
                assert value in token.values, (clause, token.name, value)
            if token.type is TokenType.EMPTY:
                assert value == "", (clause, token.name, value)
    assert seen == {frame.name for frame in frames.FRAMES}
