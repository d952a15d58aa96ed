"""What the server does to every message that an application gives it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reference_server.core.application_draft import default_content_type, drafted
from reference_server.core.context import Settings
from tests.core.world import SDP, UDP_ENDPOINT, World


def test_localhost_becomes_our_advertised_address(world: World) -> None:
    local = replace(UDP_ENDPOINT, advertised_host="192.0.2.1", port=5070)
    draft = drafted(world.core.context, "INVITE sip:x SIP/2.0\r\nContact: <sip:me@localhost>\r\n\r\n", local)
    assert draft.get("contact") == "<sip:me@192.0.2.1:5070>"


def test_names_that_are_kept_as_they_are_written(worlds: Callable[[Settings], World]) -> None:
    text = "INFO sip:x SIP/2.0\r\nodd-NAME: 1\r\n\r\n"
    world = worlds(Settings(preserved_header_names=frozenset({"odd-name"})))
    assert "odd-NAME: 1" in drafted(world.core.context, text, UDP_ENDPOINT).lines()
    assert "odd-NAME: 1" not in drafted(worlds(Settings()).core.context, text, UDP_ENDPOINT).lines()


@pytest.mark.parametrize(
    ("headers", "body", "known", "content_type"),
    [
        ("", SDP, True, "application/sdp"),
        ("", "", True, ""),
        ("", "hello", False, ""),
        ("Content-Type: text/plain\r\n", "hello", True, "text/plain"),
        ("Content-Type: text/plain\r\n", SDP, True, "text/plain"),
    ],
)
def test_a_body_is_a_session_description_if_it_begins_as_one(
    world: World, headers: str, body: str, known: bool, content_type: str
) -> None:
    draft = drafted(world.core.context, f"INFO sip:x SIP/2.0\r\n{headers}\r\n{body}", UDP_ENDPOINT)
    assert default_content_type(draft) is known
    assert draft.get("content-type") == content_type
