"""Responses as the genuine server sent them: each recorded answer of an application, compared octet by octet.

The recordings (version 0.9.5) are not part of this repository; without them nothing is compared. A request of a
recording is offered again, the application's recorded responses are given, and what we deliver, send and echo must
be what was recorded, up to identifiers and times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reference_server.core.ports import Endpoint, Flow
from reference_server.sip.transport import TRANSPORTS
from tests.core.world import World, sip_of, tokens_of, transaction_id_of

TRACES = Path(__file__).parents[3] / "shared" / "traces"
NOT_COMPARABLE = {
    "external-ip": "another configuration",
    "msgid-collisions": "several clients",
    "msgid-hijack-proxy": "several clients",
    "cross-client-response": "several clients",
    "app-never-answers-invite": "time passes in between",
    "bye-early": "the caller's BYE comes in between",
    "cancel-uas": "the caller's CANCEL comes in between",
    "cancel-uas-quick": "the caller's CANCEL comes in between",
    "f-reliable-then-200": "the caller's PRACK comes in between",
    "f-tcp-close-before-response": "the connection ends in between (tests/core/uas/test_respond.py has it)",
    "f-two-reliables-back-to-back": "the caller's PRACK comes in between",
    "prack-uas-100rel": "the caller's PRACKs come in between",
    "proxy-twice-and-respond": "the request is proxied in between",
    "update-early": "a request that shares the INVITE's id comes in between",
}
ANSWERED_TWICE = "DEV-21: the second final response is answered OK with the text of the first"
DIFFERENT = {
    "cdr-final-response-twice-80fe": ANSWERED_TWICE,
    "final-response-twice-37e5": ANSWERED_TWICE,
    "resp-headers-8edb": "a tag inside the URI of a To is taken for the To's, and its '>' with it",
    "resp-headers-9971": "DEV-82: a header is cut at its NUL; we leave it out",
    "resp-headers-7059": "DEV-82: a body is cut at its NUL; we send it whole",
}
"""Exchanges in which we do something else, and why; one that is no longer different fails."""

ENTRY = re.compile(rb"(===>|<===)(?:\[[^\]\r\n]*\])?\r\n(\d+)#")
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Exchange(NamedTuple):
    """One request outside dialogs and the responses that its application gave."""

    name: str
    offered: str
    given: tuple[tuple[str, str], ...]
    """(payload of the application, payload of the answer)"""


def entries_of(data: bytes) -> Iterator[tuple[bool, str]]:
    """(whether the application sent it, payload) of every entry of a recording."""
    position = 0
    while found := ENTRY.search(data, position):
        end = found.end() + int(found[2])
        yield found[1] == b"===>", data[found.end() : end].decode("latin-1")
        position = end


def exchanges() -> Iterator[Exchange]:
    """What the recordings hold."""
    for path in sorted(TRACES.glob("*.log")):
        if path.stem in NOT_COMPARABLE:
            continue
        entries = list(entries_of(path.read_bytes()))
        answers = {
            tokens_of(text)[2]: text
            for sent, text in entries
            if not sent and tokens_of(text)[1] == "response"
        }
        for _, offered in [entry for entry in entries if not entry[0]]:
            tokens = tokens_of(offered)
            if tokens[1] != "sip" or len(tokens) != 13:
                continue
            given = tuple(
                (text, answers[tokens_of(text)[0]])
                for sent, text in entries
                if sent
                and text.split("|")[1:3] == ["sip", tokens[8]]
                and sip_of(text).startswith("SIP/")
                and tokens_of(text)[0] in answers
            )
            if given:
                yield Exchange(f"{path.stem}-{tokens[8][:4]}", offered, given)


def as_received(offered: str) -> str:
    """The request as it was on the wire: what the server completed in the Via taken out."""
    tokens, sip = tokens_of(offered), sip_of(offered)
    asked = sip.replace(f"rport={tokens[6]}", "rport", 1)
    unasked = sip.replace(f";rport={tokens[6]}", "", 1)
    for text in (asked, unasked):
        for original in (text, text.replace(f";received={tokens[5]}", "", 1)):
            if len(original) == int(tokens[3]):
                return original
    raise AssertionError(f"no text of {tokens[3]} octets")


def plain(payload: str) -> tuple[list[str], str]:
    """Tokens and SIP message of a payload without what is never the same twice: ids, times, the server's tags."""
    tokens = [re.sub(rf"{UUID}|\d\d:\d\d:\d\d\.\d+", "*", token) for token in tokens_of(payload)]
    tokens[0] = tokens[2] = "*"
    sip = sip_of(payload)
    if number := re.search(r"(?<=\r\nRSeq: )[0-9]+", sip):
        tokens[5] = str(int(tokens[5]) - len(number[0]))
        sip = sip.replace(number[0], "", 1)
    return tokens, re.sub(r"(\r\nTo: [^\r]*;tag=)[0-9a-zA-Z]{13}(?=\r)", r"\1*", sip)


EXCHANGES = list(exchanges())


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[exchange.name for exchange in EXCHANGES])
def test_as_recorded(exchange: Exchange) -> None:
    world = World()
    tokens = tokens_of(exchange.offered)
    transport, local = tokens[4], f"{tokens[10]}:{tokens[11]}"
    contact = f"sip:{local}" + (";transport=tcp" if transport == "tcp" else "")
    endpoint = Endpoint(TRANSPORTS[transport], tokens[10], int(tokens[11]), tokens[10], contact)
    flow = Flow(
        TRANSPORTS[transport], tokens[5], int(tokens[6]), endpoint, connection=int(transport == "tcp")
    )
    text = as_received(exchange.offered)
    application = world.application(text.partition(" ")[0].lower())
    world.receive(text, flow)
    offered = application.take_one()
    assert plain(offered) == plain(exchange.offered)
    differences = []
    for given, recorded in exchange.given:
        world.network.take()
        answer = application.answer(transaction_id_of(offered), sip_of(given))
        expected = plain(recorded)
        expected[0][2] = "*"
        if plain(answer) != expected:
            differences.append((answer, recorded))
        elif "|OK|" in answer:
            assert world.network.take() == [sip_of(answer)]
        application.take()
    if exchange.name in DIFFERENT:
        assert differences, "this is not different any more"
    else:
        assert differences == []
