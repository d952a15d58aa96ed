"""The application's responses: what goes out, what is echoed, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.context import Settings
from reference_server.core.ports import Endpoint, Flow
from reference_server.core.uas import respond as responding
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import TLS, UDP
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    SDP,
    Call,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

UNKNOWN = "Response not sent due to unknown transaction"
NOT_SENDABLE = "Unknown server error sending response"


def offered(
    world: World, method: str = "OPTIONS", flow: Flow = BY_UDP
) -> tuple[RecordingApplication, Phone, str]:
    """An application with a pending request; its transaction id."""
    application = world.application(method.lower())
    phone = Phone(world, flow=flow)
    phone.send(method, "Contact: <sip:alice@127.0.0.1:5080>")
    world.network.take()
    return application, phone, transaction_id_of(application.take_one())


def give_up(application: RecordingApplication, transaction_id: str) -> None:
    """End a request that the test leaves open."""
    assert "|OK|" in application.answer(transaction_id, "SIP/2.0 480 \r\n\r\n")


def finish(application: RecordingApplication, phone: Phone) -> None:
    """ACK, BYE and the application's 200."""
    phone.send("ACK")
    phone.send("BYE")
    assert "|OK|" in application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")


def headers_of(echo: str) -> list[str]:
    """The header lines of an echoed response behind CSeq, Content-Length left out."""
    head = sip_of(echo).partition("\r\n\r\n")[0].split("\r\n")
    at = next(index for index, line in enumerate(head) if line.startswith("CSeq: "))
    return [line for line in head[at + 1 :] if line != "Content-Length: 0"]


@pytest.mark.parametrize("flow", [BY_UDP, BY_TCP], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    ("method", "status", "names_transport", "names_dialog"),
    [
        ("INVITE", 180, True, True),
        ("INVITE", 486, True, True),
        ("SUBSCRIBE", 489, False, True),
        ("OPTIONS", 183, True, False),
        ("OPTIONS", 200, False, False),
        ("REGISTER", 401, False, False),
    ],
)
def test_every_token_of_the_echo(
    world: World, method: str, status: int, names_transport: bool, names_dialog: bool, flow: Flow
) -> None:
    application, phone, transaction_id = offered(world, method, flow)
    world.advance(0.5)
    echo = application.answer(transaction_id, f"SIP/2.0 {status} Whatever\r\n\r\n")
    (sent,) = world.network.take()
    assert sip_of(echo) == sent
    assert tokens_of(echo) == [
        "uuid", "response", "m1", "OK", "application", str(len(sent)), flow.transport.name if names_transport else "",
        "127.0.0.1", "5080", "08:00:00.500000", transaction_id, phone.dialog_id if names_dialog else "", "",
        "Msg sent:", "",
    ]  # fmt: skip
    if status < 200:
        give_up(application, transaction_id)


def test_the_shortest_response(world: World) -> None:
    application, phone, transaction_id = offered(world)
    sent = sip_of(application.answer(transaction_id, "SIP/2.0 200 OK"))
    tag = parse_message(sent).to_tag
    assert len(tag) == 13
    assert sent == (
        f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch={phone.branch};rport=5080\r\n"
        f"From: {phone.from_}\r\nTo: <sip:bob@127.0.0.1:5060>;tag={tag}\r\nCall-ID: {phone.call_id}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ("SIP/2.0 100 Trying", "SIP/2.0 100 Trying"),
        ("SIP/2.0 199 Early Dialog Terminated", "SIP/2.0 199 Early Dialog Terminated"),
        ("SIP/2.0 486", "SIP/2.0 486 "),
        ("SIP/2.0 486 ", "SIP/2.0 486 "),
        ("SIP/2.0  486  Busy  Here ", "SIP/2.0 486  Busy  Here "),
        ("SIP/2.0 499 Whatever", "SIP/2.0 499 Whatever"),
        ("SIP/2.0 699 x", "SIP/2.0 699 x"),
        ("SIP/2.0 486 besetzt \xc3\xbc \xff", "SIP/2.0 486 besetzt \xc3\xbc \xff"),
    ],
)
def test_status_lines(world: World, line: str, sent: str) -> None:
    application, _, transaction_id = offered(world, "INVITE")
    echo = application.answer(transaction_id, f"{line}\r\n\r\n")
    assert sip_of(echo).partition("\r\n")[0] == sent
    if sent < "SIP/2.0 2":
        give_up(application, transaction_id)


@pytest.mark.parametrize(
    "line", ["SIP/2.0", "SIP/2.0 ", "SIP/2.0 abc OK", "SIP/2.0 99 low", "SIP/2.0 -1 x", "SIP/ 200 x"]
)
def test_status_lines_that_send_nothing(world: World, line: str) -> None:
    application, _, transaction_id = offered(world)
    assert application.answer(transaction_id, f"{line}\r\n\r\n") == f"uuid|response|m1|NOK|{NOT_SENDABLE}"
    assert world.network.take() == []
    assert "|OK|" in application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n"), "it can still be answered"


@pytest.mark.parametrize("line", ["SIP/2.0 0 x", "SIP/2.0 700 x", "SIP/2.0 1000 x", "SIP/2.0 99999 x"])
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_status_lines_that_end_the_request(world: World, method: str, line: str) -> None:
    application, _, transaction_id = offered(world, method)
    assert application.answer(transaction_id, f"{line}\r\n\r\n") == f"uuid|response|m1|NOK|{NOT_SENDABLE}"
    (sent,) = world.network.take()
    assert sent.startswith("SIP/2.0 500 Internal Server Error\r\n")
    assert application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n").endswith(f"NOK|{UNKNOWN}")


@pytest.mark.parametrize(
    "header",
    [
        "Contact: <<<",
        "Expires: x",
        "WWW-Authenticate:",
        "Content-Type: ///",
        "Session-Expires: abc",
        "To: <sip:",
    ],
)
def test_a_header_that_cannot_be_parsed_ends_the_request(world: World, header: str) -> None:
    application, _, transaction_id = offered(world)
    answer = application.answer(transaction_id, f"SIP/2.0 200 OK\r\n{header}\r\n\r\n")
    assert answer == f"uuid|response|m1|NOK|{NOT_SENDABLE}"
    assert statuses_of(world.network.take()) == [500]


@pytest.mark.parametrize("character", ["\n", "\r", "\0"])
def test_nothing_is_smuggled_through_the_reason_phrase(world: World, character: str) -> None:
    application, _, transaction_id = offered(world)
    application.answer(transaction_id, f"SIP/2.0 200 OK{character}Via: SIP/2.0/UDP evil.invalid\r\n\r\n")
    for sent in world.network.take():
        assert character not in sent.replace("\r\n", "")
        assert [value for value in parse_message(sent).all("via") if "evil" in value] == []
    application.answer(transaction_id, "SIP/2.0 480 \r\n\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        "X-a: 1\nVia: evil\r\n",
        "X-a: 1\rContent-Length: 7\r\n",
        "To: <sip:bob@127.0.0.1>;tag=1\nRoute: evil\r\n",
        "Call-ID: 1\rVia: evil\r\n",
        "X-a: 1\r\n\tVia: evil\r\n",
    ],
)
def test_nothing_is_smuggled_through_headers(world: World, headers: str) -> None:
    application, _, transaction_id = offered(world)
    sent = sip_of(application.answer(transaction_id, f"SIP/2.0 200 OK\r\n{headers}\r\n"))
    message = parse_message(sent)
    assert "\n" not in sent.replace("\r\n", "")
    assert "\r" not in sent.replace("\r\n", "")
    assert len(message.all("via")) == 1
    assert message.all("route") == []
    assert message.all("content-length") == ["0"]


def test_ever_new_status_lines_do_not_fill_the_memory() -> None:
    lines = responding._STATUS_LINES
    for number in range(lines.entries + 2):
        line = f"SIP/1.0 \t{number} Reason {number}"
        for _ in ("first", "again"):
            assert responding._understood(line) == (number, f"SIP/2.0 {number} Reason {number}")
        assert len(lines.known) <= lines.entries
    assert responding._understood(f"SIP/2.0 200 {'x' * 100}") == (200, f"SIP/2.0 200 {'x' * 100}")
    assert max(map(len, lines.known)) <= lines.longest


@pytest.mark.parametrize(
    ("given_to", "status", "to"),
    [
        ("", 100, "<sip:bob@127.0.0.1:5060>"),
        ("", 180, "<sip:bob@127.0.0.1:5060>;tag=*"),
        ("To: <sip:x@y>", 180, "<sip:x@y>;tag=*"),
        ("To: <sip:x@y>;tag=mine", 180, "<sip:x@y>;tag=mine"),
        ("To: <sip:x@y>;tag=mine;a=b", 486, "<sip:x@y>;tag=mine;a=b"),
        ("To: sip:x@localhost;tag=mine", 486, "sip:x@127.0.0.1:5060;tag=mine"),
        ("To: <sip:x@y;tag=inuri>", 486, "<sip:x@y;tag=inuri>;tag=*"),
    ],
)
def test_the_to_of_the_first_response(world: World, given_to: str, status: int, to: str) -> None:
    application, _, transaction_id = offered(world, "INVITE")
    lines = f"{given_to}\r\n" if given_to else ""
    message = parse_message(sip_of(application.answer(transaction_id, f"SIP/2.0 {status} x\r\n{lines}\r\n")))
    assert message.get("to") == to.replace("*", message.to_tag or "?")
    if status < 200:
        give_up(application, transaction_id)


def test_the_first_tag_stays(world: World) -> None:
    application, _, transaction_id = offered(world, "INVITE")
    tags = [
        parse_message(sip_of(application.answer(transaction_id, f"SIP/2.0 {status} x\r\n{line}\r\n"))).to_tag
        for status, line in [
            (180, "To: <sip:x@y>;tag=one\r\n"),
            (183, ""),
            (486, "To: <sip:x@y>;tag=two\r\n"),
        ]
    ]
    assert tags == ["one", "one", "one"]


@pytest.mark.parametrize(
    ("method", "status", "given_contact", "out"),
    [
        ("INVITE", 180, "", []),
        ("INVITE", 200, "", ["Contact: <sip:127.0.0.1:5060>"]),
        ("INVITE", 202, "", ["Contact: <sip:127.0.0.1:5060>"]),
        ("INVITE", 302, "", []),
        ("INVITE", 200, "<sip:me@localhost>", ["Contact: <sip:me@127.0.0.1:5060>"]),
        ("INVITE", 302, "<sip:a@b>, <sip:c@d>", ["Contact: <sip:a@b>", "Contact: <sip:c@d>"]),
        ("SUBSCRIBE", 202, "", ["Contact: <sip:127.0.0.1:5060>"]),
        ("SUBSCRIBE", 404, "", []),
        ("OPTIONS", 200, "", []),
        ("REGISTER", 200, "", []),
    ],
)
def test_the_contact(world: World, method: str, status: int, given_contact: str, out: list[str]) -> None:
    application, phone, transaction_id = offered(world, method)
    lines = f"Contact: {given_contact}\r\n" if given_contact else ""
    echo = application.answer(transaction_id, f"SIP/2.0 {status} x\r\n{lines}\r\n")
    assert headers_of(echo) == out
    phone.learn(sip_of(echo))
    if method == "SUBSCRIBE" and status < 300:
        application.request(phone.dialog_id, "NOTIFY sip:x SIP/2.0\r\nSubscription-State: terminated\r\n\r\n")
        phone.respond(world.network.take()[-1])
    elif method == "INVITE" and status < 200:
        give_up(application, transaction_id)
    elif method == "INVITE" and status < 300:
        finish(application, phone)


def test_over_tcp_the_contact_names_it(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP)
    assert headers_of(call.answer()) == ["Contact: <sip:127.0.0.1:5060;transport=tcp>"]
    call.phone.send("ACK")
    call.hang_up()


def test_every_response_inside_a_dialog_to_an_invite_has_a_contact(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.invite()
    echo = call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 488 No\r\n\r\n")
    assert headers_of(echo) == ["Contact: <sip:127.0.0.1:5060>"]
    assert tokens_of(echo)[11] == call.dialog_id
    call.phone.send("ACK", same=True)
    call.hang_up()


@pytest.mark.parametrize(
    ("headers", "body", "content_type"),
    [
        ("", SDP, "application/sdp"),
        ("Content-Type: text/plain\r\n", SDP, "text/plain"),
        ("", "hello", ""),
        ("", "V=0", ""),
        ("", " v=0", ""),
    ],
)
def test_the_content_type(world: World, headers: str, body: str, content_type: str) -> None:
    application, _, transaction_id = offered(world)
    echo = application.answer(transaction_id, f"SIP/2.0 200 OK\r\n{headers}Content-Length: 1\r\n\r\n{body}")
    message = parse_message(sip_of(echo))
    assert message.get("content-type") == content_type
    assert message.get("content-length") == str(len(body))
    assert message.body == body


@pytest.mark.parametrize("body", ["\0", "a\0b", "\xff\xfe", "\r\n\r\n", "x" * 60_000])
def test_a_body_goes_out_octet_for_octet(world: World, body: str) -> None:
    application, _, transaction_id = offered(world)
    sent = sip_of(application.answer(transaction_id, f"SIP/2.0 200 OK\r\n\r\n{body}"))
    assert sent.endswith(f"Content-Length: {len(body)}\r\n\r\n{body}")


def test_huge_headers_are_not_cut(world: World) -> None:
    application, _, transaction_id = offered(world)
    value = "x" * 20_000
    many = "".join(f"X-{number}: {number}\r\n" for number in range(1000))
    sent = sip_of(application.answer(transaction_id, f"SIP/2.0 200 OK\r\nX-Long: {value}\r\n{many}\r\n"))
    assert f"\r\nX-Long: {value}\r\n{many}\r\n" in sent


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [("INVITE", 100, 0), ("INVITE", 180, 3), ("INVITE", 200, 3), ("INVITE", 486, 0), ("OPTIONS", 200, 0)],
)
def test_record_route_comes_back_where_a_dialog_can_begin(
    world: World, method: str, status: int, expected: int
) -> None:
    application = world.application(method.lower())
    phone = Phone(world)
    phone.send(method, "Record-Route: <sip:p1;lr>, <sip:p2;lr>", "Record-Route: <sip:p3;lr>")
    transaction_id = transaction_id_of(application.take_one())
    sent = sip_of(
        application.answer(transaction_id, f"SIP/2.0 {status} x\r\nRecord-Route: <sip:evil>\r\n\r\n")
    )
    message = parse_message(sent)
    assert message.all("record-route") == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"][:expected]
    if status < 200:
        give_up(application, transaction_id)
    elif status == 200 and method == "INVITE":
        phone.learn(sent)
        finish(application, phone)


def test_what_the_application_may_replace(world: World) -> None:
    application, _, transaction_id = offered(world)
    lines = "From: <sip:z@z>;tag=9\r\nCall-ID: other\r\nCSeq: 99 INVITE\r\n"
    message = parse_message(sip_of(application.answer(transaction_id, f"SIP/2.0 200 OK\r\n{lines}\r\n")))
    assert [message.get(name) for name in ("from", "call-id", "cseq")] == [
        "<sip:z@z>;tag=9",
        "other",
        "99 INVITE",
    ]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("second", [100, 180, 200, 486])
def test_after_the_final_response_it_is_over(world: World, method: str, second: int) -> None:
    application, phone, transaction_id = offered(world, method)
    phone.learn(sip_of(application.answer(transaction_id, "SIP/2.0 486 Busy Here\r\n\r\n")))
    world.network.take()
    for _ in range(2):
        answer = application.answer(transaction_id, f"SIP/2.0 {second} x\r\n\r\n")
        assert answer.endswith(f"|NOK|{UNKNOWN}")
        assert world.network.take() == []
        if method == "INVITE":
            phone.send("ACK", same=True)


def test_an_unknown_transaction(world: World) -> None:
    application = world.application()
    assert application.answer("nonesuch", "SIP/2.0 200 OK\r\n\r\n") == f"uuid|response|m1|NOK|{UNKNOWN}"
    assert not application.ended_by_server


def test_no_transaction_id_ends_the_connection(world: World) -> None:
    application = world.application()
    assert application.say("sip||\r\nSIP/2.0 200 OK\r\n\r\n") == "uuid|response|m1|NO|transaction id missing"
    assert application.ended_by_server


def test_the_transaction_of_another_application(world: World) -> None:
    owner, _, transaction_id = offered(world)
    other = world.application("options")
    assert other.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n").endswith(f"|NOK|{UNKNOWN}")
    assert world.network.take() == []
    assert "|OK|" in owner.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_over_a_lost_tcp_connection_nothing_is_said_to_be_sent(world: World, method: str) -> None:
    application, _, transaction_id = offered(world, method, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    assert application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n").endswith(f"|NOK|{UNKNOWN}")


def test_a_tcp_connection_lost_while_ringing(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).ring()
    world.network.broken.add(BY_TCP.connection)
    answer = call.application.answer(call.transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    assert answer.endswith("|NOK|transport for response has been shutdown or closed")
    assert call.application.request(call.dialog_id, "INFO sip:x SIP/2.0").endswith("dialog id provided")


def test_the_advertised_address(world: World) -> None:
    advertised = Endpoint(UDP, "10.0.0.1", 5060, "9.9.9.9", "sip:9.9.9.9:5060")
    call = Call(world, world.application("invite"), flow=Flow(UDP, "10.0.0.2", 5080, advertised))
    echo = call.answer("SIP/2.0 200 OK\r\nP-Asserted-Identity: <sip:x@localhost>\r\n\r\n")
    assert headers_of(echo) == ["Contact: <sip:9.9.9.9:5060>", "P-Asserted-Identity: <sip:x@9.9.9.9:5060>"]
    assert tokens_of(echo)[7:9] == ["10.0.0.2", "5080"]
    call.phone.send("ACK")
    call.hang_up()


def test_preserved_names(worlds: Callable[[Settings], World]) -> None:
    application, _, transaction_id = offered(
        worlds(Settings(preserved_header_names=frozenset({"x_lower", "odd-name"})))
    )
    echo = application.answer(transaction_id, "SIP/2.0 200 OK\r\nodd-NAME: 1\r\nodd-other: 2\r\n\r\n")
    assert headers_of(echo) == ["odd-NAME: 1", "Odd-Other: 2"]


LINES = st.lists(
    st.sampled_from(
        [
            "X-a: 1",
            "To: <sip:a@b>;tag=x",
            "Contact: <sip:a@localhost>",
            "Expires: 5",
            "Via: x",
            ":",
            "\0",
            "\xff: \xff",
        ]
    )
    | st.text(st.characters(max_codepoint=255), max_size=12),
    max_size=6,
)


@given(
    st.sampled_from(
        [
            "SIP/2.0 200 OK",
            "SIP/2.0 183 x",
            "SIP/2.0 486",
            "SIP/2.0 9",
            "SIP/2.0 999 x",
            "SIP/",
            "SIP/2.0 2 0",
        ]
    ),
    LINES,
    st.sampled_from(["\r\n", "\n", "\r", "\r\n\r\n", "\0"]),
    st.sampled_from(["INVITE", "OPTIONS", "SUBSCRIBE"]),
)
def test_any_response_is_answered_once_and_sent_whole(
    status_line: str, lines: list[str], end: str, method: str
) -> None:
    world = World()
    application, _, transaction_id = offered(world, method)
    answer = application.answer(transaction_id, end.join([status_line, *lines]))
    assert answer
    sent = world.network.take()
    assert len(sent) <= 1
    for text in sent:
        head = text.partition("\r\n\r\n")[0].replace("\r\n", "")
        assert not {"\r", "\n", "\0"} & set(head)
        assert parse_message(text).get("call-id")
        if tokens_of(answer)[3] == "OK":
            assert sip_of(answer) == text
    application.leave()
    world.advance(1_100_000 if method == "SUBSCRIBE" else 100)
    world.check_empty()


def test_a_bad_response_inside_an_early_dialog_does_not_end_the_call(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    call.application.take()
    call.phone.send("UPDATE", "Contact: <sip:alice@127.0.0.1:5080>")
    update = transaction_id_of(call.application.take_one())
    world.network.take()
    assert "|NOK|" in call.application.answer(update, "SIP/2.0 999 What\r\n\r\n")
    assert statuses_of(world.network.take()) == [500]
    call.establish()
    call.hang_up()


@pytest.mark.parametrize(
    ("best_effort", "theirs", "ours"), [(True, "sip", "sip"), (True, "sips", "sips"), (False, "sip", "sips")]
)
def test_a_caller_over_tls_without_sips(best_effort: bool, theirs: str, ours: str) -> None:
    world = World(Settings(best_effort_tls=best_effort))
    endpoint = Endpoint(TLS, "127.0.0.1", 5061, "127.0.0.1", "sips:127.0.0.1:5061;transport=tls")
    application = world.application("invite")
    phone = Phone(world, flow=Flow(TLS, "127.0.0.1", 5080, endpoint, connection=1))
    phone.send("INVITE", f"Contact: <{theirs}:alice@127.0.0.1:5080;transport=tls>")
    echo = application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert f"Contact: <{ours}:127.0.0.1:5061;transport=tls>" in headers_of(echo)
    phone.learn(sip_of(echo))
    finish(application, phone)
