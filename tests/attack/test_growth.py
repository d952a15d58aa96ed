"""Every reader of foreign text in sip/ and wire/ takes time in proportion to the text, whatever that is.

Each reader gets texts of one unit over and over, behind beginnings that lead into its branches, at three sizes: n, 2n,
4n. A quadratic one takes sixteen times as long for the last as for the first. The ratio may be twice what is linear,
since machines are busy, and what is done in a moment at the greatest size is not looked at: there a quadratic reader
takes a second. What would be done in a moment even if it were cubic, by what n took, is not tried at the others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from reference_server.sip import session_timer
from reference_server.sip.dialog import contact_uri_of, is_loose, record_route_of
from reference_server.sip.forwarding import ForwardedRequest, forwarded_response, route_values, via_values
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.concessions import Part, elements, mended
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.field_names import NAMES, FieldName
from reference_server.sip.messages.headers import HEADERS, spelled, split_values
from reference_server.sip.messages.lenient import (
    are_routes,
    can_be_read,
    check_passable,
    first_uri,
    made_sound,
    read_address,
    sound_uri,
)
from reference_server.sip.messages.message import (
    Request,
    Response,
    SipSyntaxError,
    parse_message,
    unfolded,
)
from reference_server.sip.messages.response_headers import response_headers
from reference_server.sip.messages.sanity import fault_of
from reference_server.sip.messages.stream import StreamError, StreamFramer
from reference_server.sip.messages.uri import UriError, is_token, parse_address, parse_uri, tag_of
from reference_server.sip.messages.via import (
    completed_via,
    parse_top_via,
    reply_uri,
    transaction_key,
    with_completed_via,
)
from reference_server.sip.proxy_branch import ProxyBranches
from reference_server.sip.reliable import names_100rel, parse_rack, rseq_of
from reference_server.sip.target_set import contacts_of, target_for
from reference_server.wire.framing import FrameDecoder, FramingError
from reference_server.wire.redaction import without_secret
from reference_server.wire.requests import RequestError, parse_request

SIZES = (4_000, 8_000, 16_000)  # characters
MOMENT = 0.1  # seconds of processor time for the greatest
MOST = 8.0  # times as long for four times as much
CUBIC_GROWTH = 64  # times as long, of what is cubic; what is worse takes too long for the least text already

UNITS = (
    *(
        "a",
        " ",
        "\t",
        "\r\n",
        "\n",
        "\r",
        "\r\n ",
        "\n\t",
        ";",
        ",",
        "<",
        ">",
        '"',
        "\\",
        "=",
        ":",
        "@",
        "%",
        "?",
        "/",
    ),
    *(
        '\\"',
        '="',
        '"="',
        "a;",
        "; ",
        ";a",
        ";a=",
        ";a=b",
        " ;",
        ";;",
        ";=",
        "a ",
        "a, ",
        "a:",
        "a=",
        " (",
        "(a)",
    ),
    *(
        "<>",
        "< ",
        "> ",
        ";tag",
        ";tag=",
        "; tag =",
        ";branch=",
        "; branch = ",
        ";rport",
        ";received=",
        "; expires = ",
    ),
    *(
        "sip:",
        "sip:a@",
        "<sip:a@h>,",
        '"a" ',
        '"a"<',
        "@localhost",
        "@localhost:1",
        "[",
        "]",
        "::",
        "%4",
        "0",
        "-a",
    ),
    *(
        "\r\na: b",
        "\r\nVia: a",
        "\na",
        "\r\nl:1",
        "\r\nSupported: a",
        "|",
        "#",
        "1#",
        "SIP/2.0 ",
        "\0",
        "\xff",
    ),
)
BEGINNINGS = (
    *(
        "",
        "a",
        "sip:",
        "sip:a@h",
        "sip:a@h;",
        "<",
        "<sip:",
        "<sip:a@h>;",
        "<sip:a@h;",
        '"',
        '<sip:a@h>;x="',
        "<sip:h>;tag=",
    ),
    *("SIP/2.0/UDP h;branch=a", "SIP/2.0/UDP h", "active;", "Digest realm=", "90;", "1 ", "a (", "tel:"),
)
HEAD = (
    "Via: SIP/2.0/UDP h:1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
    "CSeq: 1 OPTIONS\r\n"
)
IDENTIFIERS = Identifiers(lambda count: bytes(count))


def of_request(value: str) -> None:
    """All that is done to a request with ``value`` in one of its fields, or for one more line, or in its first."""
    for name in ("Via", "From", "Contact", "Record-Route"):
        head = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(f"{name}:"))
        request(f"OPTIONS sip:a@h SIP/2.0\r\n{name}: {value}\r\n{head}\r\n")
    request(f"OPTIONS sip:a@h SIP/2.0\r\n{HEAD}{value}\r\n\r\n")
    request(f"OPTIONS {value} SIP/2.0\r\n{HEAD}\r\n")
    request(f"{value} sip:a@h SIP/2.0\r\n{HEAD}\r\n")


def request(text: str) -> None:
    message = parse_message(text)
    if not isinstance(message, Request):
        return
    fault = fault_of(message)
    record_route_of(message)
    names_100rel(message.all("supported"))
    via = parse_top_via(message.get("via"))
    if via is None:
        return
    completed = completed_via(via, "192.0.2.1", 5060)
    with_completed_via(message, via, completed)
    transaction_key(message, via, "OPTIONS")
    reply_uri(via)
    response_headers(message, via, "192.0.2.1", 5060).refusal(400, "<sip:b@h>;tag=2")
    branches = ProxyBranches(IDENTIFIERS)
    branches.has_been_here(message, branches.signature(message))
    if fault is not None:
        return  # it is not passed on
    added = parse_draft("x\r\nSubject: s\r\nFrom: <sip:x@h>\r\n\r\n", "h:1")
    forwarded = ForwardedRequest(message, completed, routes=route_values(message)[1:], added=added)
    forwarded.come_back_by("<sip:p;lr>")
    forwarded.copy("sip:c@h", "SIP/2.0/UDP p;branch=z9hG4bK2")


def of_response(value: str) -> None:
    """The same of a response."""
    for start in ("SIP/2.0 302 Moved", value, f"SIP/2.0 302 {value}"):
        for name in ("Via", "Contact"):
            message = parse_message(f"{start}\r\n{name}: {value}\r\n{HEAD}\r\n")
            if isinstance(message, Response):
                contacts_of(message)
                record_route_of(message)
                for stream in (True, False):
                    forwarded_response(message, stream)
                ProxyBranches(IDENTIFIERS).proves(message)
                via_values(message)


def of_draft(value: str) -> None:
    """A draft with ``value`` in any of its fields, before, behind and for one of its lines."""
    for line in (
        *(f"{name}: {value}" for name in ("From", "Contact", "P-Asserted-Identity", "k", "X-a")),
        value,
    ):
        parse_draft(f"SIP/2.0 200 OK\r\n{line}\r\n\r\n", "127.0.0.1:5060").lines()


def of_stream(value: str) -> None:
    for text in (
        value,
        f"OPTIONS sip:a@h SIP/2.0\r\nl: {value}\r\n\r\n",
        f"a\r\nl: 3{value}\r\nl: 3\r\n\r\nabc",
    ):
        framer = StreamFramer()
        framer.feed(text.encode("latin-1"))
        with suppress(StreamError):
            while framer.next_message() is not None:
                pass


def of_frames(value: str) -> None:
    decoder = FrameDecoder(10**6)
    decoder.feed(value.encode("latin-1"))
    with suppress(FramingError):
        while decoder.next_frame() is not None:
            pass


def of_frame_text(value: str) -> None:
    for payload in (value, f"id|{value}", f"id|sip|{value}", f"id|proxy|{value}", f"id|route|{value}"):
        with suppress(RequestError):
            parse_request(payload)


def of_session_timer(value: str) -> None:
    session_timer.parse_session_expires(value)
    session_timer.is_too_small(value)
    session_timer.leading_number(value)


def of_reliable(value: str) -> None:
    parse_rack(value)
    rseq_of(value)
    names_100rel([value])


def of_dialog(value: str) -> None:
    contact_uri_of(value)
    is_loose(value)


def of_uri(value: str) -> None:
    for read in (parse_uri, parse_address, tag_of, is_token):
        with suppress(UriError):
            read(value)


def of_lenient(value: str) -> None:
    for read in (read_address, sound_uri, can_be_read, first_uri, are_routes, target_for_both):
        with suppress(UriError):
            read(value)
    with suppress(UriError):
        check_passable(value, value)
    for header in (HEADERS["contact"], HEADERS["refer-to"]):
        made_sound(header, value)


def target_for_both(value: str) -> None:
    target_for(value, value)


def of_concessions(value: str) -> None:
    for part in Part:
        mended(part, value)
    elements(value)


def of_headers(value: str) -> None:
    for is_valid in {header.is_valid for header in HEADERS.values()}:
        is_valid(value)
    split_values(value)
    spelled(value)


def of_field_names(value: str) -> None:
    FieldName(value)


def of_message(value: str) -> None:
    unfolded(value)
    for text in (value, f"OPTIONS sip:a@h SIP/2.0\r\n{value}"):
        parse_message(text)


READERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "sip/messages/message.py": (of_message, ("", "SIP/2.0", "OPTIONS ")),
    (
        "sip/messages/sanity.py sip/messages/response_headers.py sip/messages/via.py sip/forwarding.py "
        "sip/proxy_branch.py"
    ): (
        of_request,
        ("", "<sip:a@h>;", '"', "SIP/2.0/UDP h;", "SIP/2.0/UDP h;branch=a", "1 ", "sip:a@h;"),
    ),
    "sip/target_set.py": (of_response, ("", "<sip:a@h>;", "SIP/2.0/UDP h;branch=a")),
    "sip/messages/draft.py": (of_draft, ("", "a", "<sip:a@h>;", "Via")),
    "sip/messages/stream.py": (of_stream, ("", "\r\n")),
    "sip/messages/field_names.py": (of_field_names, ("", "X-")),
    "sip/messages/headers.py": (of_headers, BEGINNINGS[::3]),
    "sip/messages/uri.py": (of_uri, BEGINNINGS),
    "sip/messages/lenient.py": (of_lenient, ("", "sip:a@h;", "<sip:", "<sip:a@h>;", '"', "a (")),
    "sip/messages/concessions.py": (of_concessions, ("", *BEGINNINGS[4::3], "SIP/2.0 ", "Thu, ")),
    "sip/session_timer.py": (of_session_timer, ("", "90", "90;", "90;refresher=uac")),
    "sip/reliable.py": (of_reliable, ("", "1 ", "100rel")),
    "sip/dialog.py": (of_dialog, ("", "<sip:a@h", "<sip:a@h>;")),
    "wire/framing.py": (of_frames, ("", "1", "12")),
    "wire/redaction.py": (lambda text: without_secret(text, "aab"), ("", "id|authenticate|")),
    "wire/requests.py": (of_frame_text, ("", "id|sip|")),
}
"""By the modules that each is for: the reader, and beginnings of texts."""

NOT_READING = {
    *("sip/deadline.py", "sip/identifiers.py", "sip/timers.py", "wire/decimal.py", "wire/timestamp.py"),
    "wire/frames_to_application.py",  # composes
    *(f"sip/transactions/{name}.py" for name in ("retransmitted_2xx", "client", "server", "timing")),
    "sip/best_response.py",  # compares statuses
    "sip/transport.py",
    "sip/route_token.py",  # one search for a fixed word
}
"""Modules that see no foreign text, or do not look into it."""


def seconds(read: Callable[[str], object], text: str, times: int = 3) -> float:
    """Processor time, the least of so many: neighbours only add to it."""
    least = float("inf")
    for _ in range(times):
        NAMES.forget()
        began = time.process_time()
        with suppress(SipSyntaxError, UriError):
            read(text)
        least = min(least, time.process_time() - began)
    return least


def grows_too_fast(
    read: Callable[[str], object],
    beginning: str,
    unit: str,
    end: str = "",
    moment: float = MOMENT,
    fixed: float = 0.0,
) -> str:
    """Why ``read`` is not linear in the number of ``unit``, or an empty text.

    ``fixed``: seconds of its that no text makes longer.
    """
    short, twice, longest = (beginning + unit * (size // len(unit)) + end for size in SIZES)
    first = seconds(read, short, times=1)
    if fixed + (first - fixed) * CUBIC_GROWTH < moment:
        return ""
    last = seconds(read, longest, times=1)
    if last < moment:
        return ""
    first, middle = min(first, seconds(read, short, times=2)), seconds(read, twice)
    if not are_linear(first, middle, last):
        last = min(last, seconds(read, longest))
    if are_linear(first, middle, last):
        return ""
    return f"{beginning!r} + {unit!r} × n + {end!r}: {first:.3f} s, {middle:.3f} s, {last:.3f} s at n, 2n, 4n"


def are_linear(first: float, middle: float, last: float) -> bool:
    """Whether times for n, 2n and 4n are."""
    return last / first <= MOST and last / middle <= MOST / 2


@pytest.mark.parametrize("modules", READERS)
def test_time_grows_with_the_text_and_no_faster(modules: str) -> None:
    read, beginnings = READERS[modules]
    tried = ((beginning, unit) for beginning in beginnings for unit in UNITS)
    assert [why for one in tried if (why := grows_too_fast(read, *one, end="x"))] == []


def test_no_module_is_left_out() -> None:
    package = Path(__file__).parents[2] / "reference_server"
    found = {
        str(path.relative_to(package))
        for folder in ("sip", "wire")
        for path in (package / folder).rglob("*.py")
        if path.name != "__init__.py"
    }
    read = {module for modules in READERS for module in modules.split()}
    assert found - read - NOT_READING == set(), "is foreign text read there? then add it to READERS"
    assert read <= found


QUADRATIC = re.compile(r"^call-id[ \t]*:[ \t]*([^\r\n]+?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
"""How a Call-ID was once looked for: at n blanks inside a value it took n² steps."""


def test_what_is_quadratic_is_found_out() -> None:
    def look(text: str) -> object:
        return QUADRATIC.search(f"Call-ID: a{text[: len(text) // 8]}b")

    assert grows_too_fast(look, "", " ", moment=0.005)
    assert not grows_too_fast(lambda text: [ord(octet) for octet in text], "", " ", moment=0.0)
