"""The query of a callback: names, order and encoding, as recordings of the genuine server have them."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow, HandlerQuestion
from reference_server.handlers.question import arguments, encoded, url_for
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.transport import TCP, TLS, WS, WSS, Transport
from tests.core.world import BY_UDP, TCP_ENDPOINT


def question(
    uri: str,
    *,
    from_user: str = "alice@",
    to_user: str = "15551234",
    content_type: str = "",
    by: Flow = BY_UDP,
) -> HandlerQuestion:
    text = (
        f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
        f"From: <sip:{from_user}127.0.0.1>;tag=f\r\nTo: <sip:{to_user}@127.0.0.1>\r\n"
        f"Call-ID: c\r\nCSeq: 1 INVITE\r\nContent-Type: {content_type}\r\nContent-Length: 0\r\n\r\n"
    )
    request = parse_message(text)
    assert isinstance(request, Request)
    return HandlerQuestion(request=request, text=text, flow=by)


RECORDED = [
    (
        question("sip:15551234@127.0.0.1:21060", content_type="application/sdp"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=15551234&contentType=application%2fsdp&uri=sip%3a15551234%40127.0.0.1%3a21060",
    ),
    (
        question(
            "sip:1555@server-01.example.org;dst=+15083@139.59.165.83:5060;x;y=a=b",
            from_user="+1508@",
            to_user="call%20test",
        ),
        "method=INVITE&domain=server-01.example.org&protocol=udp&source_address=127.0.0.1&fromUser=%2b1508"
        "&toUser=call%2520test&uriUser=1555&contentType=&uri=sip%3a1555%40server-01.example.org%3bdst%3d%2b15083%40"
        "139.59.165.83%3a5060%3bx%3by%3da%3db&dst=%2b15083%40139.59.165.83%3a5060&x=&y=",
    ),
    (
        question("sip:127.0.0.1"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=&contentType=&uri=sip%3a127.0.0.1",
    ),
    (
        question("sip:bob@example.com:5090;transport=udp"),
        "method=INVITE&domain=example.com&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bob&contentType=&uri=sip%3abob%40example.com%3a5090%3btransport%3dudp&transport=udp",
    ),
    (
        question("sip:bob@example.com?Subject=x&a=b"),
        "method=INVITE&domain=example.com&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bob&contentType=&uri=sip%3abob%40example.com%3fSubject%3dx%26a%3db",
    ),
    (
        question("sips:bob@example.com"),
        "method=INVITE&domain=example.com&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bob&contentType=&uri=sips%3abob%40example.com",
    ),
    (
        question("tel:+15551212;phone-context=example.com"),
        "method=INVITE&domain=&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=%2b15551212&contentType=&uri=tel%3a%2b15551212%3bphone-context%3dexample.com"
        "&phone-context=example.com",
    ),
    (
        question("sip:15551234@127.0.0.1:21060", content_type="multipart/mixed; boundary=x"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=15551234&contentType=multipart%2fmixed&uri=sip%3a15551234%40127.0.0.1%3a21060",
    ),
    (
        question("sip:bj%C3%B6rn@127.0.0.1:21060"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bj%25C3%25B6rn&contentType=&uri=sip%3abj%25C3%25B6rn%40127.0.0.1%3a21060",
    ),
    (
        question("sip:a-b_c.d!e~f*g'h(i)j&k=l+m$n,o;p?q/r@127.0.0.1:21060"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=a-b_c.d%21e~f%2ag%27h%28i%29j%26k%3dl%2bm%24n%2co%3bp%3fq%2fr&contentType="
        "&uri=sip%3aa-b_c.d%21e~f%2ag%27h%28i%29j%26k%3dl%2bm%24n%2co%3bp%3fq%2fr%40127.0.0.1%3a21060",
    ),
    (
        question("sip:bob@[::1]:21060"),
        "method=INVITE&domain=%5b%3a%3a1%5d&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bob&contentType=&uri=sip%3abob%40%5b%3a%3a1%5d%3a21060",
    ),
    (
        question("sip:bob:secret@127.0.0.1:21060"),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=alice&toUser=15551234"
        "&uriUser=bob&contentType=&uri=sip%3abob%3asecret%40127.0.0.1%3a21060",
    ),
    (
        question("sip:15551234@127.0.0.1:21060", from_user=""),
        "method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=&toUser=15551234"
        "&uriUser=15551234&contentType=&uri=sip%3a15551234%40127.0.0.1%3a21060",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "query"), RECORDED)
def test_as_recorded(asked: HandlerQuestion, query: str) -> None:
    assert url_for("http://127.0.0.1:21500", asked) == f"http://127.0.0.1:21500/?{query}"


@pytest.mark.parametrize(
    ("base", "begins"),
    [
        ("http://h:1", "http://h:1/?method="),
        ("http://h:1/", "http://h:1//?method="),
        ("http://h:1/a/b", "http://h:1/a/b/?method="),
        ("http://h:1/a?x=1", "http://h:1/a?x=1&method="),
    ],
)
def test_the_path(base: str, begins: str) -> None:
    assert url_for(base, question("sip:a@b")).startswith(begins)


@pytest.mark.parametrize(("transport", "token"), [(TCP, "tcp"), (TLS, "tls"), (WS, "tcp"), (WSS, "tcp")])
def test_protocol_and_source(transport: Transport, token: str) -> None:
    flow = Flow(transport, "::1", 5080, TCP_ENDPOINT, connection=1)
    told = dict(arguments(question("sip:a@b", by=flow)))
    assert (told["protocol"], told["source_address"]) == (token, "::1")


def test_a_parameter_cannot_pass_for_another_argument() -> None:
    url = url_for("http://h", question("sip:a@b;x&method=FOO"))
    assert url.endswith("&x%26method=FOO")
    assert url.count("&method=") == 0


def test_nothing_is_cut() -> None:
    uri = f"sip:{'9' * 3000}@b"
    assert dict(arguments(question(uri)))["uri"] == uri


def test_every_octet_is_encoded() -> None:
    assert encoded("\x00 ä\xff") == "%00%20%e4%ff"


def test_what_is_no_uri_leaves_its_arguments_empty() -> None:
    told = dict(arguments(question("nonsense")))
    assert (told["domain"], told["uriUser"], told["uri"]) == ("", "", "nonsense")
