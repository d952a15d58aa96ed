"""The tolerant frame decoder: units, pieces, damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.frames import Damage, DamageKind, Frame, FrameDecoder, LengthUnit, decode

ALL = {LengthUnit.BYTES, LengthUnit.CODE_POINTS, LengthUnit.UTF16}


def frames(data: bytes) -> list[str]:
    return [item.payload for item in decode(data) if isinstance(item, Frame)]


def damages(data: bytes) -> list[tuple[DamageKind, str]]:
    return [(item.kind, item.octets) for item in decode(data) if isinstance(item, Damage)]


def test_frames_stand_behind_one_another() -> None:
    assert frames(b"8#id1|ping8#id2|ping") == ["id1|ping", "id2|ping"]


def test_ascii_fits_every_unit() -> None:
    (frame,) = decode(b"8#id1|ping")
    assert isinstance(frame, Frame)
    assert set(frame.units) == ALL


@pytest.mark.parametrize(
    ("count", "units"),
    [
        (lambda text: len(text.encode()), {LengthUnit.BYTES}),
        (lambda text: len(text), {LengthUnit.CODE_POINTS}),
        (lambda text: len(text.encode("utf-16-le")) // 2, {LengthUnit.UTF16}),
    ],
    ids=["bytes", "code-points", "utf-16"],
)
@pytest.mark.parametrize("behind", ["", "8#id1|ping"], ids=["end", "frame"])
def test_the_unit_is_found(count: object, units: set[LengthUnit], behind: str) -> None:
    text = "id|sip|\r\nMESSAGE sip:x SIP/2.0\r\nSubject: é😀ü😀\r\n\r\n"
    assert callable(count)
    first = decode(f"{count(text)}#{text}{behind}".encode())[0]
    assert isinstance(first, Frame)
    assert first.text == text
    assert set(first.units) == units


def test_replacement_characters_made_it_longer() -> None:
    text = 'id|sip|\r\nMESSAGE sip:x SIP/2.0\r\nFrom: "José �" <sip:a@b>\r\n\r\n'
    original = text.replace("�", "😀").encode()
    lossy = text.replace("�", "���")
    first, second = decode(f"{len(original)}#{lossy}8#id1|ping".encode())
    assert isinstance(first, Frame)
    assert first.units == (LengthUnit.INFLATED,)
    assert first.text == lossy
    assert isinstance(second, Frame)
    assert second.payload == "id1|ping"


def test_an_empty_frame_is_a_frame() -> None:
    assert frames(b"0#8#id1|ping") == ["", "id1|ping"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", [(DamageKind.NO_LENGTH, "hello")]),
        (b"#id1|ping", [(DamageKind.NO_LENGTH, "#id1|ping")]),
        (b"8.x#id1|p", [(DamageKind.NO_LENGTH, "8.x#id1|p")]),
        (b"\r\n", [(DamageKind.STRAY_WHITESPACE, "\r\n")]),
        (b"50#abc", [(DamageKind.TRUNCATED, "50#abc")]),
        (b"123", [(DamageKind.TRUNCATED, "123")]),
    ],
)
def test_damage_is_named(data: bytes, expected: list[tuple[DamageKind, str]]) -> None:
    assert damages(data) == expected
    assert frames(data) == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"garbage 8#id1|ping", DamageKind.NO_LENGTH),
        (b"50#id0|route|invite8#id1|ping", DamageKind.LENGTH_MISMATCH),
        (b"\r\n8#id1|ping", DamageKind.STRAY_WHITESPACE),
    ],
)
def test_decoding_goes_on_behind_damage(data: bytes, kind: DamageKind) -> None:
    assert frames(data)[-1] == "id1|ping"
    assert damages(data)[0][0] is kind


def test_an_explanation_says_where_and_what() -> None:
    (damage,) = decode(b"8.x#id1|ping")
    assert isinstance(damage, Damage)
    assert damage.explanation == "expected digits and '#' at octet 0, got '8.x#id1|ping'"


def test_what_is_no_frame_is_told_at_once() -> None:
    decoder = FrameDecoder()
    assert [type(item) for item in decoder.feed(b"hello")] == [Damage]
    assert decoder.pending() == 0


PAYLOADS = st.lists(
    st.tuples(
        st.uuids(), st.sampled_from(["ping", "route|invite", "sip|t|\r\nSIP/2.0 200 OK\r\n\r\nbody"])
    ).map(lambda pair: f"{pair[0]}|{pair[1]}"),
    max_size=5,
)


@given(PAYLOADS, st.data())
def test_pieces_of_any_size_give_the_same_frames(payloads: list[str], data: st.DataObject) -> None:
    stream = "".join(f"{len(payload)}#{payload}" for payload in payloads).encode()
    decoder = FrameDecoder()
    found: list[Frame | Damage] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.feed(stream[:size])
        stream = stream[size:]
    found += decoder.close()
    assert [item.payload if isinstance(item, Frame) else item for item in found] == payloads


@given(st.binary(max_size=60))
def test_nothing_is_lost_and_nothing_raises(stream: bytes) -> None:
    rebuilt = b""
    for item in decode(stream):
        assert item.offset == len(rebuilt)
        if isinstance(item, Frame):
            head = stream[item.offset : stream.index(b"#", item.offset) + 1]
            rebuilt += head + item.payload.encode("latin-1")
        else:
            rebuilt += item.octets.encode("latin-1")
    assert rebuilt == stream


TRACES = Path(__file__).parents[3] / "shared" / "traces"


@pytest.mark.skipif(not TRACES.is_dir(), reason="the recorded traces are not part of the repository")
def test_the_server_side_of_a_recording_has_no_damage() -> None:
    """Stands behind the synthetic streams above; what it needs is no part of a clone."""
    for path in sorted(TRACES.glob("*.log")):
        for record in path.read_bytes().split(b"<===")[1:]:
            start = record.index(b"\r\n") + 2
            stream = record[start:].split(b"===>")[0].removesuffix(b"\r\n")
            if stream[:1].isdigit():
                assert [item for item in decode(stream) if isinstance(item, Damage)] == [], path.name
