"""Frames, cut and joined in every way that a stream can do it."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.wire.framing import FrameDecoder, FramingError, encode_frame

LIMIT = 1000


def fed(pieces: list[bytes], limit: int = LIMIT) -> tuple[list[str], str]:
    """The payloads in ``pieces``, taken after each piece, and the error that ended them, if any."""
    decoder = FrameDecoder(limit)
    frames: list[str] = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            while (payload := decoder.next_frame()) is not None:
                frames.append(payload)
        except FramingError as error:
            return frames, str(error)
    return frames, ""


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in pieces, cut at ``places``."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def test_a_frame_in_one_piece() -> None:
    assert fed([b"8#id1|ping"]) == (["id1|ping"], "")


@pytest.mark.parametrize("place", range(1, 10))
def test_a_frame_cut_in_two(place: int) -> None:
    data = b"8#id1|ping"
    assert fed([data[:place], data[place:]]) == (["id1|ping"], "")


def test_a_frame_octet_by_octet() -> None:
    data = b"8#id1|ping0#00000010#id2|ping\r\n"
    assert fed([data[at : at + 1] for at in range(len(data))]) == (["id1|ping", "id2|ping\r\n"], "")


def test_many_frames_in_one_piece() -> None:
    assert fed([b"8#id1|ping8#id2|ping8#id3|ping"])[0] == ["id1|ping", "id2|ping", "id3|ping"]


def test_nothing_is_given_before_the_last_octet() -> None:
    decoder = FrameDecoder(LIMIT)
    data = b"8#id1|ping"
    for at in range(len(data) - 1):
        decoder.feed(data[at : at + 1])
        assert decoder.next_frame() is None
        assert decoder.incomplete
    decoder.feed(data[-1:])
    assert decoder.next_frame() == "id1|ping"
    assert decoder.next_frame() is None
    assert not decoder.incomplete


def test_hash_signs_in_a_payload_end_nothing() -> None:
    assert fed([b"10#" + b"#" * 10 + b"3#1#2"]) == (["#" * 10, "1#2"], "")


@pytest.mark.parametrize("digits", [b"8", b"08", b"008", b"00000008"])
def test_leading_zeros(digits: bytes) -> None:
    assert fed([digits + b"#id1|ping"]) == (["id1|ping"], "")


@pytest.mark.parametrize(
    "data", [b"0#8#id1|ping", b"0#0#0#8#id1|ping", b"00000000#8#id1|ping", b"8#id1|ping0#"]
)
def test_empty_frames_are_skipped(data: bytes) -> None:
    assert fed([data]) == (["id1|ping"], "")
    assert fed([data[at : at + 1] for at in range(len(data))]) == (["id1|ping"], "")


def test_after_an_empty_frame_nothing_is_incomplete() -> None:
    decoder = FrameDecoder(LIMIT)
    decoder.feed(b"0")
    assert decoder.next_frame() is None
    assert decoder.incomplete
    decoder.feed(b"#")
    assert decoder.next_frame() is None
    assert not decoder.incomplete


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"hello", "'hello'"),
        (b"\r\n", r"'\r\n'"),
        (b"-5#abc", "'-5#abc'"),
        (b"+8#abc", "'+8#abc'"),
        (b" 8#abc", "' 8#abc'"),
        (b"\t8#abc", r"'\t8#abc'"),
        (b"0x8#abc", "'0x8#abc'"),
        (b"8.0#abc", "'8.0#abc'"),
        (b"1,000#abc", "'1,000#abc'"),
        (b"8\r\n#abc", r"'8\r\n#abc'"),
        (b"8 #abc", "'8 #abc'"),
        (b"8_0#abc", "'8_0#abc'"),
        (b"\xd9\xa8#abc", r"'\xd9\xa8#abc'"),  # an Arabic digit in UTF-8
        (b"\xb2#abc", r"'\xb2#abc'"),  # a superscript two in latin-1: str.isdigit() would take it
        (b"#", "'#'"),
        (b"#id1|ping", "'#id1\\x7cping'"),
        (b"123456789", "'123456789'"),
        (b"000000008#id1|ping", "'000000008#id1\\x7cpi'"),
        (b"\x00", r"'\x00'"),
    ],
)
def test_what_is_no_count_is_an_error_that_shows_it(data: bytes, shown: str) -> None:
    expected = f"framing error: expected 1–8 digits and '#', got {shown} at byte 0"
    assert fed([data]) == ([], expected)


def test_octets_that_can_still_become_a_count_are_no_error() -> None:
    assert fed([b"12345678"]) == ([], "")


def test_frames_before_the_error_are_given_first() -> None:
    frames, error = fed([b"8#id1|ping\r\n8#id2|ping"])
    assert frames == ["id1|ping"]
    assert error.endswith(r"got '\r\n8#id2\x7cping' at byte 10")


@pytest.mark.parametrize(("length", "fits"), [(LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False)])
def test_the_limit_counts_the_payload(length: int, fits: bool) -> None:
    frames, error = fed([f"{length}#".encode() + b"x" * length])
    assert frames == (["x" * length] if fits else [])
    assert error == (
        "" if fits else "framing error: expected a payload of at most 1000 bytes, got 1001 bytes at byte 0"
    )


def test_too_large_a_count_is_an_error_before_any_payload_has_come() -> None:
    assert "at most 1000 bytes, got 99999999 bytes" in fed([b"99999999#"])[1]


def test_the_limit_may_change_between_frames() -> None:
    decoder = FrameDecoder(4)
    decoder.feed(b"4#abcd5#efghi")
    assert decoder.next_frame() == "abcd"
    decoder.limit = 5
    assert decoder.next_frame() == "efghi"


def test_the_error_stays() -> None:
    decoder = FrameDecoder(LIMIT)
    decoder.feed(b"x")
    for _ in range(2):
        with pytest.raises(FramingError):
            decoder.next_frame()


payloads = st.lists(
    st.binary(min_size=1, max_size=40).map(lambda octets: octets.decode("latin-1")), max_size=8
)
places = st.lists(st.integers(min_value=0), max_size=12)


@given(payloads, places)
@example(["a#b", "\r\n"], [1, 2, 3, 4, 5])
def test_any_payloads_cut_anywhere(expected: list[str], where: list[int]) -> None:
    data = b"".join(encode_frame(payload) for payload in expected)
    assert fed(cut(data, where)) == (expected, "")


@given(payloads, st.binary(min_size=1, max_size=12), places)
@example(["a"], b"0#x", [])
def test_where_the_stream_is_cut_changes_nothing(before: list[str], tail: bytes, where: list[int]) -> None:
    data = b"".join(encode_frame(payload) for payload in before) + tail
    frames, error = fed([data])
    cut_frames, cut_error = fed(cut(data, where))
    assert cut_frames == frames
    # An error is known no later in pieces, and at the same octet; only less of what came can be shown.
    assert bool(cut_error) == bool(error)
    assert cut_error.rpartition(" at byte ")[2] == error.rpartition(" at byte ")[2]


@given(st.lists(st.sampled_from([b"0", b"1", b"2", b"9", b"#", b"a", b"\r\n", b"\xb2"]), max_size=20))
def test_every_octet_is_in_a_frame_or_in_an_error_or_waits(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    frames, error = fed([data])
    rest = data
    for frame in frames:  # an independent reading of the same octets
        while match := re.match(rb"0{1,8}#", rest):
            rest = rest[match.end() :]
        match = re.match(rb"([0-9]{1,8})#", rest)
        assert match is not None
        end = match.end() + int(match[1])
        assert rest[match.end() : end].decode("latin-1") == frame
        rest = rest[end:]
    while match := re.match(rb"0{1,8}#", rest):
        rest = rest[match.end() :]
    match = re.match(rb"([0-9]{1,8})#", rest)
    if match is None:
        assert bool(error) == (re.fullmatch(rb"[0-9]{0,8}", rest) is None)
    elif int(match[1]) > LIMIT:
        assert error
    else:
        assert not error
        assert len(rest) < match.end() + int(match[1])


@pytest.mark.parametrize(
    ("payload", "frame"),
    [
        ("", b"0#"),
        ("id1|ping", b"8#id1|ping"),
        ("ид|ping".encode().decode("latin-1"), b"9#\xd0\xb8\xd0\xb4|ping"),
        ("\x00\xff", b"2#\x00\xff"),
    ],
)
def test_encoding_counts_octets(payload: str, frame: bytes) -> None:
    assert encode_frame(payload) == frame


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"12"], "expected a frame to be completed, got 2 bytes within 5 s at byte 0"),
        ([b"8#id1|ping20"], "expected a frame to be completed, got 2 bytes within 5 s at byte 10"),
        ([b"8#id1"], "expected 8 bytes of payload, got 3 within 5 s at byte 0"),
        ([b"8#id1|ping9#abc", b"de", b"f"], "expected 9 bytes of payload, got 6 within 5 s at byte 10"),
    ],
)
def test_a_frame_that_is_not_completed_in_time(pieces: list[bytes], expected: str) -> None:
    decoder = FrameDecoder(LIMIT)
    for piece in pieces:
        decoder.feed(piece)
        while decoder.next_frame() is not None:
            pass
    assert str(decoder.missing(5.0)) == f"framing error: {expected}"


@pytest.mark.parametrize(
    ("data", "shown"),
    [(b"a|auth|secret", "'a\\x7c…'"), (b"hello", "'hello'"), (b"5|s", "'5\\x7c…'")],
)
def test_a_stranger_is_shown_no_more_than_the_first_token(data: bytes, shown: str) -> None:
    decoder = FrameDecoder(LIMIT)
    decoder.feed(data)
    with pytest.raises(FramingError) as error:
        decoder.next_frame()
    assert error.value.of_a_stranger() == f"framing error: expected 1–8 digits and '#', got {shown} at byte 0"


def test_one_whole_frame_is_taken_without_a_copy_and_the_octets_are_counted() -> None:
    decoder = FrameDecoder(LIMIT)
    assert decoder.only_frame(b"8#id1|ping") == "id1|ping"
    assert decoder.only_frame(b"8#id2|ping") == "id2|ping"
    decoder.feed(b"x")
    with pytest.raises(FramingError, match="at byte 20"):
        decoder.next_frame()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"8#id1|pin",
        b"8#id1|ping8#id2|ping",
        b"0#",
        b"000000008#id1|ping",
        b"+8#id1|ping",
        b"#id1|ping",
        b"1001#" + b"x" * (LIMIT + 1),
    ],
)
def test_what_is_not_one_whole_frame_is_left_to_the_decoder(data: bytes) -> None:
    decoder = FrameDecoder(LIMIT)
    assert decoder.only_frame(data) is None
    decoder.feed(b"2#ok")
    assert decoder.next_frame() == "ok", "nothing of it was kept"


def test_a_frame_that_has_begun_is_not_overtaken() -> None:
    for begun in (b"8", b"8#id1"):
        decoder = FrameDecoder(LIMIT)
        decoder.feed(begun)
        assert decoder.next_frame() is None
        assert decoder.only_frame(b"2#ok") is None
