"""What of a frame nobody sees."""

from __future__ import annotations

import pytest

from reference_server.wire.redaction import without_secret


@pytest.mark.parametrize(
    "payload",
    [
        "i|authenticate|hidden",
        "i|authenticate|hidden|",
        "i|AUTHENTICATE|hidden|tag",
        "i| authenticate |hidden",
        "authenticate|hidden|",
        "i|authenticate||\r\nhidden",
    ],
)
def test_no_form_of_authenticate_shows_the_secret(payload: str) -> None:
    assert "hidden" not in without_secret(payload)


@pytest.mark.parametrize(
    "payload", ["", "i", "i|authenticate", "i|sip|t\r\nX: a|authenticate|b", "i|route|authenticate"]
)
def test_other_frames_stay_as_they_are(payload: str) -> None:
    assert without_secret(payload) == payload


@pytest.mark.parametrize(
    "payload",
    ["a|auth|hidden", "a|authenticat|hidden", "a||authenticate|hidden", "a,authenticate,hidden", "hidden"],
)
def test_a_secret_that_is_known_is_found_wherever_it_stands(payload: str) -> None:
    assert without_secret(payload, "hidden") == payload.replace("hidden", "***")
