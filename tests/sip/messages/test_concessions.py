"""The table of concessions: each is needed, does what its example says, and leaves alone what is sound."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages import concessions
from reference_server.sip.messages.concessions import CONCESSIONS, Concession, Part, elements, mended
from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.messages.lenient import mended_address
from reference_server.sip.messages.uri import UriError, parse_address

OF_ADDRESSES = (Part.VALUE, Part.NAME, Part.URI, Part.PARAMETERS)
ROWS = pytest.mark.parametrize("row", CONCESSIONS, ids=[row.slip for row in CONCESSIONS])


def read(part: Part, text: str) -> str:
    return mended_address(text) if part in OF_ADDRESSES else mended(part, text)


def is_sound(part: Part, text: str) -> bool:
    match part:
        case Part.STATUS_LINE:
            return text.split(" ")[0] == "SIP/2.0" and text.split(" ")[1].isdigit()
        case Part.EXPIRES:
            return HEADERS["expires"].is_valid(text)
        case Part.LIST:
            return HEADERS["contact"].is_valid(text)
        case _:
            try:
                parse_address(text)
            except UriError:
                return False
            return True


@ROWS
def test_each_does_what_its_example_says(row: Concession) -> None:
    assert read(row.part, row.slip) == row.read_as
    assert not is_sound(row.part, row.slip), "the grammar allows it, so there is nothing to concede"
    assert is_sound(row.part, row.read_as)
    assert row.why


@ROWS
def test_each_is_needed(row: Concession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, its broken twin, the example is read otherwise or not at all."""
    monkeypatch.setattr(concessions, "CONCESSIONS", tuple(other for other in CONCESSIONS if other is not row))
    with suppress(UriError):
        assert read(row.part, row.slip) != row.read_as


SOUND = [
    "<sip:a@h>",
    "<sip:h>;tag=1",
    '"A, B" <sip:a@h:5060;lr?x=1>;q=0.5',
    "<tel:+1;phone-context=x>",
    "<sip:a@[::1]:5060>",
    '<sip:a%40b@h>;x="p;q"',
    "A B <sips:h>;lr",
]


@pytest.mark.parametrize("address", SOUND)
@ROWS
def test_none_changes_what_is_sound(row: Concession, address: str) -> None:
    if row.part in OF_ADDRESSES:
        assert mended_address(address) == address


@given(st.sampled_from(Part), st.text(st.characters(max_codepoint=255), max_size=40))
def test_mending_ends_and_what_is_mended_needs_no_more(part: Part, text: str) -> None:
    once = mended(part, text)
    assert mended(part, once) == mended(part, mended(part, once))


def test_elements() -> None:
    assert elements(',a, "b,c" <d,e>,,f ,') == ["a", '"b,c" <d,e>', "f"]
    assert elements("") == elements(" , ,") == []
