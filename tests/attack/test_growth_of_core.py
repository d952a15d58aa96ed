"""What the core makes of a text takes time in proportion to it, wherever that stands: in a message, or in a frame.

test_growth.py looks at the readers one by one. Here the text goes all the way, in each header, behind a header and in
the body, of what strangers send and of what applications send; with screening and call records, which look at more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from reference_server.core import screening
from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.core.screening import Screening, SpamRule
from reference_server.sip.transport import UDP
from tests.attack.test_growth import UNITS, grows_too_fast, seconds
from tests.core.world import UDP_ENDPOINT, Call, Phone, RecordingApplication, World, transaction_id_of

STRANGE = {
    "OPTIONS": (
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Max-Forwards",
        "Route",
        "Require",
        "Supported",
        "X-Any",
    ),
    "INVITE": (
        "Contact",
        "Record-Route",
        "Session-Expires",
        "Min-SE",
        "Content-Type",
        "P-Asserted-Identity",
        "k",
    ),
    "REGISTER": ("Contact", "Expires", "Path", "Authorization"),
    "NOTIFY": ("Subscription-State", "Event"),
    "CANCEL": ("Reason", "Via"),
    "ACK": ("Route", "Via"),
}
"""Methods, and headers of theirs."""
BOB = "sip:bob@127.0.0.1:5070"
GIVEN = (
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Route",
    "Require",
    "Session-Expires",
    "Refer-To",
    "X-Any",
)
"""Headers of an application."""


def world_that_looks() -> World:
    """One with every setting that has more of a message read, and a way to BOB."""
    rules = tuple(SpamRule(name, ("scanner",)) for name in ("from", "to", "contact", "user-agent", "x-any"))
    kept_out = Screening(spam=rules, reject_register_without_realm=True, answered_user_agent="monitor")
    world = World(Settings(screening=kept_out, call_records=True, hangup_on_application_loss=True))
    world.network.routes[BOB] = Flow(UDP, "127.0.0.1", 5070, UDP_ENDPOINT)
    return world


def with_header(text: str, name: str, value: str) -> str:
    """``text`` with another value in its header ``name``, or one more header."""
    before, found, rest = text.partition(f"\r\n{name}: ")
    if found:
        return f"{before}{found}{value}\r\n{rest.partition(chr(13) + chr(10))[2]}"
    start, _, fields = text.partition("\r\n")
    return f"{start}\r\n{name}: {value}\r\n{fields}"


def answer_all(application: RecordingApplication) -> None:
    """Whatever it was asked."""
    for payload in application.take():
        if "|sip|network|" in payload:
            application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


def of_strangers(value: str) -> None:
    """Requests outside of calls and in one, and responses."""
    world = world_that_looks()
    application = world.application("options", "invite", "register", "notify", "message")
    call = Call(world, application, "up").establish()
    for method, names in STRANGE.items():
        for name in names:
            phone = Phone(world, f"{method}{name}")
            for text in (phone.text(method), call.phone.text(method)):
                world.receive(with_header(text, name, value))
                answer_all(application)
    for text in (f"MESSAGE sip:{value} SIP/2.0\r\n", f"{value}\r\n", f"SIP/2.0 200 {value}\r\n"):
        world.receive(text + Phone(world, "start").text("MESSAGE").partition("\r\n")[2])
    world.receive(Phone(world, "body").text("INVITE", body=value[:9000]))
    answer_all(application)
    world.advance(64)


def of_callees(value: str) -> None:
    """Responses to what an application and the server itself have sent."""
    for name in (
        "Contact",
        "Record-Route",
        "Session-Expires",
        "To",
        "CSeq",
        "WWW-Authenticate",
        "Require",
        "RSeq",
    ):
        world = world_that_looks()
        application = world.application("invite")
        text = f"INVITE {BOB} SIP/2.0\r\nTo: <{BOB}>\r\nContact: <sip:us@localhost>\r\n\r\nv=0"
        application.request("", text)
        for status in (180, 200):
            sent = world.network.sent[0][2]
            head = "".join(
                f"{line}\r\n"
                for line in sent.split("\r\n")
                if line.partition(":")[0] in ("Via", "From", "Call-ID")
            )
            reply = (
                f"SIP/2.0 {status} X\r\n{head}To: <{BOB}>;tag=7\r\nCSeq: 1 INVITE\r\nContact: <{BOB}>\r\n\r\n"
            )
            world.receive(with_header(reply, name, value))
        application.take()


def of_applications(value: str) -> None:
    """Requests of an application, outside of calls and in one, its responses, and what it has proxied."""
    world = world_that_looks()
    application = world.application("options", "invite")
    call = Call(world, application).establish()
    for name in GIVEN:
        text = with_header(f"MESSAGE {BOB} SIP/2.0\r\nTo: <{BOB}>\r\n\r\n", name, value)
        application.request("", text)
        application.request(call.dialog_id, text)
        application.request("", text.replace(f"MESSAGE {BOB}", "INFO sip:placeholder"))
        world.receive(Phone(world, name).text("OPTIONS"))
        application.answer(
            transaction_id_of(application.take()[-1]), with_header("SIP/2.0 200 OK\r\n\r\n", name, value)
        )
        world.receive(Phone(world, f"proxied-{name}").text("OPTIONS"))
        (offered,) = [one for one in application.take() if "|sip|network|" in one]
        headers = with_header("INVITE sip:x SIP/2.0\r\n\r\n", name, value)
        application.say(
            f"proxy|{transaction_id_of(offered)}|remainInDialog||followRedirects|serial|||{BOB}\r\n{headers}"
        )
        application.take()
    application.request("", f"MESSAGE {value} SIP/2.0\r\n\r\n")
    application.request("", f"{value}\r\n\r\n")
    application.request(value, "INFO sip:x SIP/2.0\r\n\r\n")
    world.advance(64)


READERS = (of_strangers, of_callees, of_applications)


def texts() -> Iterator[tuple[str, str]]:
    for unit in UNITS:
        for beginning in ("", "<sip:a@h>;x="):
            yield beginning, unit


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_time_grows_with_the_text_and_no_faster(read: Callable[[str], None]) -> None:
    fixed = seconds(read, "x")
    assert [
        why for one in texts() if (why := grows_too_fast(read, *one, end="x", moment=0.2, fixed=fixed))
    ] == []


_USER = re.compile(r"[a-z][a-z0-9+.-]{0,20}:([^@<>;]*)@", re.IGNORECASE)
"""How the users of addresses were once looked for: each colon was a beginning, from which all that follows was read."""


def test_what_is_quadratic_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a:" * 3000 + "x"
    usual = seconds(of_strangers, text)
    monkeypatch.setattr(screening, "_users_of", lambda value: "\n".join(_USER.findall(value)))
    assert seconds(of_strangers, text, times=1) > 5 * usual
