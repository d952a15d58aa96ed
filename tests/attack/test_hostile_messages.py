"""SIP messages made to break a parser, its caches or what is passed on to the application."""

from __future__ import annotations

import random

import pytest

from reference_server.sip.messages import field_names, headers
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import Request, SipSyntaxError, parse_message, unfolded
from reference_server.sip.messages.via import completed_via, parse_top_via, with_completed_via
from tests.core.world import BY_TCP, World, sip_of, statuses_of

START = "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0\r\n"
VIA = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1"
REST = (
    "From: <sip:alice@127.0.0.1>;tag=f\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: hostile\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n"
)


@pytest.mark.parametrize(
    "via", [f"Via\r\n : {VIA}", f"v\r\n\t:{VIA}", f"Via :\r\n {VIA}", f"VIA\t:\t{VIA}", f"Via\n : {VIA}"]
)
def test_a_via_folded_anywhere_is_completed(via: str) -> None:
    world = World()
    application = world.application("options")
    world.receive(f"{START}{via}\r\n{REST}\r\n")
    delivered = parse_message(sip_of(application.take_one()))
    assert delivered.all("via") == [f"{VIA};rport=5080"]
    assert delivered.get("call-id") == "hostile"


@pytest.mark.parametrize("start", [f"{START}\r Via: ", f"{START} Via: ", f"{START}\t\r\n Via: "])
def test_what_continues_the_start_line_is_no_field(start: str) -> None:
    world = World()
    assert world.receive(f"{start}{VIA}\r\n{REST}\r\n") == []
    world.check_empty()


def test_a_blank_behind_a_lone_carriage_return_folds_as_well_and_is_not_learnt_as_a_name() -> None:
    for _ in range(2):  # names seen before take another path
        text = f"{START}Via: {VIA}\r\nSubject: a\r Via: b\r\n{REST}\r\n"
        parsed = parse_message(text)
        assert parsed.all("via") == [VIA]
        assert parsed.get("subject") == "a Via: b"


PIECES = (
    *(
        "Via",
        "via",
        "v",
        "V",
        ": ",
        ":",
        "\t:",
        "X: Via: ",
        "Subject: a",
        "From: <sip:a@b>;tag=1",
        ";received=1.1.1.1",
    ),
    *(VIA, f"{VIA}, SIP/2.0/TCP i;branch=c", "SIP / 2.0 / UDP h ;rport"),
    *("\r\n", "\r\n", "\r\n", "\n", "\r", " ", "\t", "\r\n ", "\n\t", "\0", "\xa0", "\x0b", ",", "a"),
)


def test_completing_the_via_changes_nothing_else() -> None:
    source = random.Random(4475)
    tried = 0
    for _ in range(40_000):
        text = START + "".join(source.choices(PIECES, k=source.randrange(2, 12)))
        text += source.choice(["\r\n\r\n", "\n\n", "", "\r\n\r\nVia: body"])
        try:
            parsed = parse_message(text)
        except SipSyntaxError:
            continue
        via = parse_top_via(parsed.get("via"))
        if via is None:
            continue
        assert isinstance(parsed, Request)
        tried += 1
        completed = completed_via(via, "9.9.9.9", 9)
        passed_on = parse_message(with_completed_via(parsed, via, completed))
        assert passed_on.get("via").startswith(completed.strip(" \t")), text
        others = [field for field in parsed.fields if field[0] != "via"]
        assert [field for field in passed_on.fields if field[0] != "via"] == others, text
        assert (passed_on.body, len(passed_on.all("via"))) == (parsed.body, len(parsed.all("via"))), text
    assert tried > 100


def test_unfolding_keeps_the_start_line() -> None:
    text = f"{START} \r\nSubject: a\r\n b\r\n\r\nbody\r\n c"
    assert unfolded(text) == f"{START}Subject: a b\r\n\r\nbody\r\n c"


def test_names_that_strangers_made_up_do_not_keep_others_out() -> None:
    for number in range(2000):
        parse_message(f"{START}X-Made-Up-{number}: 1\r\n\r\n")
        parse_draft(f"SIP/2.0 200 OK\r\nX-Made-Up-{number}: 1\r\n\r\n", "")
    parse_message(f"{START}X-In-Use: 1\r\n\r\n")
    parse_draft("SIP/2.0 200 OK\r\nX-In-Use: 1\r\n\r\n", "")
    assert "X-In-Use" in field_names.NAMES.known


def test_what_is_long_is_not_kept() -> None:
    name = "X" * 10_000
    parse_message(f"{START}{name}: 1\r\n\r\n")
    parse_draft(f"SIP/2.0 200 OK\r\n{name}: 1\r\n\r\n", "")
    assert name not in field_names.NAMES.known
    before = len(headers._MEDIA_TYPES.known)
    parse_draft(f"SIP/2.0 200 OK\r\nContent-Type: a/{name}\r\n\r\n", "")
    assert len(headers._MEDIA_TYPES.known) == before


def test_64_kib_of_headers_are_taken_and_more_are_refused_in_words() -> None:
    world = World()
    application = world.application("options")
    world.receive(f"{START}Via: {VIA}\r\n{REST}\r\n", BY_TCP)
    transaction_id = application.take_one().split("|")[8]
    answer = "SIP/2.0 200 OK\r\nX-Large: {}\r\n\r\nbody"
    fill = 64 * 1024 - len(answer.format("")) + len("body")
    refused = application.answer(transaction_id, answer.format("x" * (fill + 1)))
    assert refused.endswith("|NOK|headers too large: expected an empty line within 65536 bytes")
    assert world.network.take() == []
    application.answer(transaction_id, answer.format("x" * fill))
    assert statuses_of(world.network.take()) == [200]
