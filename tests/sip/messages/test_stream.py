"""Cutting SIP messages out of a stream, whole, octet by octet and at any split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.stream import StreamError, StreamFramer

OPTIONS = "OPTIONS sip:a@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
INFO = "INFO sip:a@h SIP/2.0\r\nl : 10\r\nCall-ID: 2\r\n\r\nab\r\n\r\ncd\xff\x00"
LF_ONLY = "BYE sip:a@h SIP/2.0\ncontent-LENGTH:3\nCall-ID: 3\n\n\n\nx"
FOLDED = "BYE sip:a@h SIP/2.0\r\nContent-Length\t:\r\n  4 \r\nSubject: content\r\n length: 9\r\n\r\nl: 7"
ALL = [OPTIONS, INFO, LF_ONLY, FOLDED]


def _take(framer: StreamFramer) -> list[str]:
    messages: list[str] = []
    while (message := framer.next_message()) is not None:
        messages.append(message)
    return messages


def _failure(stream: str, **limits: int) -> StreamError:
    framer = StreamFramer(**limits)
    framer.feed(stream.encode("latin-1"))
    with pytest.raises(StreamError) as error:
        _take(framer)
    return error.value


@pytest.mark.parametrize("message", ALL)
def test_one_message_in_one_portion(message: str) -> None:
    framer = StreamFramer()
    framer.feed(message.encode("latin-1"))
    assert _take(framer) == [message]


def test_octet_by_octet_each_message_comes_with_its_last_octet() -> None:
    framer = StreamFramer()
    for message in ALL:
        data = message.encode("latin-1")
        for octet in data[:-1]:
            framer.feed(bytes([octet]))
            assert framer.next_message() is None
        framer.feed(data[-1:])
        assert _take(framer) == [message]


@given(
    st.lists(st.sampled_from([*ALL, "\r\n", "\r\n\r\n"]), max_size=8),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_the_split_does_not_matter(parts: list[str], cuts: list[int]) -> None:
    stream = "".join(parts).encode("latin-1")
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    framer = StreamFramer()
    messages: list[str] = []
    for begin, end in pairwise(edges):
        framer.feed(stream[begin:end])
        messages += _take(framer)
    assert messages == [part for part in parts if part.strip()]
    pings = line_ends = 0
    for part in parts:
        if part.strip():
            pings += line_ends // 2
            line_ends = 0
        else:
            line_ends += part.count("\n")
    assert framer.pings == pings + line_ends // 2


@pytest.mark.parametrize(
    ("stream", "pings"),
    [("\r\n", 0), ("\r\n\r\n", 1), ("\r\n" * 5, 2), ("\n\n", 1), ("\r\n" + OPTIONS + "\r\n", 0)],
)
def test_pings(stream: str, pings: int) -> None:
    framer = StreamFramer()
    for octet in stream.encode():
        framer.feed(bytes([octet]))
        framer.next_message()
    assert framer.pings == pings


def test_equal_content_lengths_are_one() -> None:
    framer = StreamFramer()
    framer.feed(b"BYE sip:a@h SIP/2.0\r\nl:1\r\nContent-Length: 1\r\n\r\nx")
    assert framer.next_message() is not None


@pytest.mark.parametrize(
    ("headers", "expected", "came"),
    [
        ("", "a Content-Length", "none"),
        ("Call-ID: Content-Length: 1", "a Content-Length", "none"),
        ("Content-Length:", "a Content-Length of decimal digits", "''"),
        ("Content-Length: -999", "a Content-Length of decimal digits", "'-999'"),  # RFC 4475 §3.1.2.3 ncl
        ("Content-Length: +1", "a Content-Length of decimal digits", "'+1'"),
        ("Content-Length: 1, 1", "a Content-Length of decimal digits", "'1, 1'"),
        ("Content-Length: 0x10", "a Content-Length of decimal digits", "'0x10'"),
        ("Content-Length: 1\r\n 2", "a Content-Length of decimal digits", "'1\\r\\n 2'"),
        ("Content-Length: \xb2", "a Content-Length of decimal digits", "'²'"),
        ("Content-Length: 1\r\nl: 2", "one Content-Length", "1, 2"),
        ("Content-Length: 1048577", "a Content-Length of at most 1048576", "1048577"),
        ("Content-Length: " + "9" * 5000, "a Content-Length of decimal digits", "'" + "9" * 77 + "…'"),
    ],
)
def test_bad_content_length(headers: str, expected: str, came: str) -> None:
    error = _failure(OPTIONS + f"\r\nBYE sip:a@h SIP/2.0\r\n{headers}\r\n\r\n")
    assert (error.expected, error.came, error.offset) == (expected, came, len(OPTIONS) + 2)


def test_headers_without_end() -> None:
    error = _failure("x" * 101, limit_headers=100)
    assert (error.expected, error.came) == ("an empty line within 100 octets", "101 octets")


def test_headers_too_large_in_one_portion() -> None:
    error = _failure("BYE sip:a@h SIP/2.0\r\nl: 0\r\nx: " + "x" * 100 + "\r\n\r\n", limit_headers=100)
    assert error.expected == "at most 100 octets of headers"


def test_limits_are_inclusive() -> None:
    framer = StreamFramer(limit_headers=len(OPTIONS), limit_body=0)
    framer.feed(OPTIONS.encode() * 3)
    assert _take(framer) == [OPTIONS] * 3


def test_an_error_is_final_and_nothing_more_is_kept() -> None:
    framer = StreamFramer()
    framer.feed(b"x\r\n\r\n")
    with pytest.raises(StreamError):
        framer.next_message()
    framer.feed(OPTIONS.encode())
    with pytest.raises(StreamError, match="expected a Content-Length, got none in the message at octet 0"):
        framer.next_message()


def test_a_large_body_in_small_portions() -> None:
    framer = StreamFramer()
    framer.feed(b"MESSAGE sip:a@h SIP/2.0\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(999):
        framer.feed(b"\n" * 1000)
        assert framer.next_message() is None
    framer.feed(b"\n" * 1000)
    message = framer.next_message()
    assert message is not None
    assert message.endswith("\r\n\r\n" + "\n" * 1_000_000)


def test_what_is_unfinished_is_counted() -> None:
    """By it a connection knows that somebody sends slowly, and how much waits."""
    framer = StreamFramer()
    assert framer.unfinished == 0
    framer.feed(b"\r\n\r\nOPTIONS sip:a")
    assert framer.next_message() is None
    assert framer.unfinished == len("OPTIONS sip:a")
    framer.feed(b" SIP/2.0\r\nContent-Length: 2\r\n\r\nxyINV")
    assert framer.next_message() is not None
    assert framer.next_message() is None
    assert framer.unfinished == len("INV")
