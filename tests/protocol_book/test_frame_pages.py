"""Pages of frames."""

from __future__ import annotations

import pytest

from protocol_book import frame_pages, frames, suite
from protocol_book.grammar import Frame

SPECIFICATION = suite.load()
BY_NAME = {frame.name: frame for frame in frames.FRAMES}


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("authenticate", "id|authenticate|secret[|tags]"),
        ("ping", "id|ping"),
        ("send-in-dialog", "id|sip||dialog-id"),
        ("send-request", "id|sip||[|route-url]"),
        ("refused", "id|response|request-id|NO|text"),
        (
            "new-request",
            "id|sip|network|length|transport|address|port|time|transaction-id||local-address|local-port|",
        ),
        ("cdr:stop", "id|cdr:stop|source|time|reason"),
    ],
)
def test_syntax(name: str, syntax: str) -> None:
    assert frame_pages.syntax(BY_NAME[name]) == syntax


@pytest.mark.parametrize("frame", frames.FRAMES, ids=lambda frame: str(frame.name))
def test_a_page_has_every_token_and_an_example(frame: Frame) -> None:
    page = frame_pages.page(frame, SPECIFICATION)
    for number, token in enumerate(frame.tokens):
        assert f"\n| {number} | {token.name} | " in page
    assert f"Of {frame.clauses[0]}, {SPECIFICATION.clauses[frame.clauses[0]].title}:" in page


def test_a_page_tells_the_failures_of_its_frame() -> None:
    page = frame_pages.page(BY_NAME["proxy"], SPECIFICATION)
    assert "| NOK | `error proxying request to DESTINATION` |" in page
    assert "Remote endpoint does not support 100rel" not in page


def test_the_overview_names_every_frame() -> None:
    table = frame_pages.overview()
    assert all(
        f"[`{frame.name}`](guides/frames/{frame_pages.file_name(frame)})" in table for frame in frames.FRAMES
    )
