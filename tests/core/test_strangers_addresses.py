"""Addresses with slips, from the INVITE to the BYE: what is only passed on is passed on as it came, what becomes a
target leads there, and what leads nowhere is refused when it comes."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import Request, parse_message
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import BY_UDP, Phone, World, sip_of, statuses_of, transaction_id_of

PHONE = "127.0.0.1:5080"
PASSED_ON = [
    ("From", "<sip:@192.0.2.9>"),
    ("From", '"Anonymous" <sip:@192.0.2.9>'),
    ("From", "<sip:al@192.0.2.9;>"),
    ("From", "anonymous"),
    ("From", '"O\'Neil \\"Bob\\"" <sip:@192.0.2.9;>'),
    ("From", "<sip:a@b>;;x"),
    ("From", "tel:+1 (555) 123"),
    ("From", "Zo\xc3\xab <sip:100%@b>"),
    ("From", "<sip:a@b:99999> ; x = y "),
    ("To", "<sip:@192.0.2.1>"),
    ("To", "<sip:bob@192.0.2.1> (at home)"),
    ("To", "<sip:bob@192.0.2.1>;x=;"),
    ("To", "<tel:+1;phone-context=>"),
    ("To", "<urn:service:sos>"),
]


@pytest.mark.parametrize(("name", "value"), PASSED_ON)
def test_from_and_to_are_passed_on_as_they_came(world: World, name: str, value: str) -> None:
    world.application("invite")
    phone = Phone(world)
    if name == "From":
        phone.from_ = f"{value};tag=t1"
    else:
        phone.to = value
    phone.invite()
    answer = answered(world, phone)
    bye = hung_up(world, phone)
    assert f"\r\n{name}: {value.strip()}" in answer
    assert bye.get("to" if name == "From" else "from").startswith(value.strip())


TARGETS = [
    (f"<sip:@{PHONE}>", f"sip:{PHONE}"),
    (f"<sip:x@{PHONE};>", f"sip:x@{PHONE}"),
    (f"<sip:x@{PHONE};;ob>", f"sip:x@{PHONE};ob"),
    (f'<sip:x@{PHONE};transport=udp;t="VG8+/PoI=">', f"sip:x@{PHONE};transport=udp;t=VG8+/PoI%3D"),
    (f"<sip:x@{PHONE}>,", f"sip:x@{PHONE}"),
    (f",<sip:x@{PHONE}>,,<sip:y@{PHONE};>", f"sip:x@{PHONE}"),
    (f"sip:x@{PHONE};", f"sip:x@{PHONE}"),
    (f"<sip:x y@{PHONE}>", f"sip:x%20y@{PHONE}"),
    (f"<x@{PHONE}>>", f"sip:x@{PHONE}"),
    (f"<sip:%zz@{PHONE};=a>", f"sip:%25zz@{PHONE}"),
    (f'< sip:{PHONE} >;+sip.instance="<urn:uuid:1>";;reg-id=1', f"sip:{PHONE}"),
    (f'"a" "b" <sip:x@{PHONE}>;expires=;q=', f"sip:x@{PHONE}"),
]


@pytest.mark.parametrize(("contact", "target"), TARGETS)
def test_a_callers_contact_is_where_the_bye_goes(world: World, contact: str, target: str) -> None:
    world.application("invite")
    world.network.routes[target] = BY_UDP
    phone = Phone(world)
    phone.send("INVITE", f"Contact: {contact}")
    answered(world, phone)
    assert hung_up(world, phone).uri == target


@pytest.mark.parametrize(("contact", "target"), TARGETS)
def test_a_callees_contact_is_where_the_ack_goes(world: World, contact: str, target: str) -> None:
    call = Originated(world)
    world.network.routes[target] = call.flow
    call.answer(200, f"Contact: {contact}")
    assert call.say("ACK").uri == target
    call.hang_up()


ROUTES = {
    f"<sip:@{PHONE};lr>": f"sip:{PHONE};lr",
    f"<sip:{PHONE};lr;>": f"sip:{PHONE};lr",
    f"<sip:{PHONE};lr=on;;>": f"sip:{PHONE};lr=on",
    f"sip:{PHONE};lr": f"sip:{PHONE};lr",
    f"<sip:p@{PHONE};lr;ftag=a b>": f"sip:p@{PHONE};lr;ftag=a%20b",
    f'"P" <sip:{PHONE};lr;x="y">': f"sip:{PHONE};lr;x=y",
    f"<sip:{PHONE} ; lr>": f"sip:{PHONE};lr",
}
"""each with the URI to which it leads"""


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("around", ["{}", ",{}", "{},", "{};"])
def test_record_routes_are_followed_and_sent_as_they_were_written(
    world: World, route: str, around: str
) -> None:
    world.application("invite")
    world.network.routes[ROUTES[route]] = BY_UDP
    phone = Phone(world)
    phone.invite(f"Record-Route: {around.format(route)}")
    answered(world, phone)
    bye = hung_up(world, phone)
    assert bye.all("route")[0].strip("<;>") == route.strip("<>").rstrip(";")
    assert bye.uri == f"sip:alice@{PHONE}", "by a loose route"


@pytest.mark.parametrize("route", ROUTES)
def test_record_routes_of_an_answer_are_followed(world: World, route: str) -> None:
    call = Originated(world)
    world.network.routes[ROUTES[route]] = call.flow
    call.answer(200, CONTACT, f"Record-Route: {route},")
    assert call.say("ACK").all("route") == [route if "<" in route else f"<{route}>"]
    call.hang_up()


@pytest.mark.parametrize(
    "line",
    [
        "Contact: <x@127.0.0.1:5080",
        "Contact: <sip:x@>",
        "Contact: <sip:x@127.0.0.1:abc>",
        "Contact: ",
        "Contact: *",
        "Record-Route: <tel:+1;lr>",
        "Record-Route: garbage <",
        "Record-Route: ",
        "Expires: abc",
    ],
)
def test_what_nothing_can_be_made_of_is_refused_when_it_comes(world: World, line: str) -> None:
    application = world.application("invite")
    name = line.partition(":")[0]
    more = [] if name == "Contact" else [CONTACT]
    *_, refused = Phone(world).send("INVITE", line, *more)
    assert refused.startswith(f"SIP/2.0 400 Bad {name} Header\r\n")
    assert application.take() == []


@pytest.mark.parametrize("expires", ["Thu, 01 Dec 2033 16:00:00 GMT", "3600;x", "99999999999", " 60 "])
@pytest.mark.parametrize("tag", ["a:1", "a=b", "{x}", "a/b@c"])
def test_tags_and_times_of_strangers(world: World, expires: str, tag: str) -> None:
    world.application("invite")
    phone = Phone(world)
    phone.from_ = f"<sip:alice@{PHONE}>;tag={tag}"
    assert statuses_of(phone.invite(f"Expires: {expires}")) == [100]
    answered(world, phone)
    bye = hung_up(world, phone)
    assert bye.get("to") == phone.from_


def answered(world: World, phone: Phone) -> str:
    """The application's 200 to the INVITE of ``phone``, which is acknowledged."""
    (application,) = world.applications
    echo = sip_of(application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n"))
    phone.learn(echo)
    phone.send("ACK")
    application.take()
    return echo


def hung_up(world: World, phone: Phone) -> Request:
    """The application's BYE as it was sent; the far end has accepted it."""
    (application,) = world.applications
    world.network.take()
    echo = application.request(phone.dialog_id, "BYE sip:placeholder SIP/2.0\r\n\r\n")
    assert "|OK|" in echo, echo
    (sent,) = world.network.take()
    assert sent == sip_of(echo)
    phone.respond(sent)
    application.take()
    bye = parse_message(sent)
    assert isinstance(bye, Request)
    return bye
