"""Descriptions that are turned: direction, version, and nothing else."""

from __future__ import annotations

import pytest

from drachtio_conformance.peers.sip_compose import SDP
from drachtio_conformance.telephone.session_description import Direction, direction, mirrored, turned


def test_turning_changes_direction_and_version_alone() -> None:
    held = turned(SDP, "sendonly")
    assert held == SDP.replace("o=- 1 1 ", "o=- 1 2 ") + "a=sendonly\r\n"
    assert turned(held, "sendrecv") == SDP.replace("o=- 1 1 ", "o=- 1 3 ") + "a=sendrecv\r\n"


def test_each_medium_is_turned() -> None:
    two = "v=0\r\no=- 7 41 IN IP4 h\r\na=inactive\r\nm=audio 1 RTP/AVP 0\r\na=recvonly\r\nm=video 2 RTP/AVP 31\r\n"
    assert turned(two, "sendonly") == (
        "v=0\r\no=- 7 42 IN IP4 h\r\nm=audio 1 RTP/AVP 0\r\na=sendonly\r\nm=video 2 RTP/AVP 31\r\na=sendonly\r\n"
    )


@pytest.mark.parametrize(
    ("description", "told"),
    [
        (SDP, "sendrecv"),
        ("", "sendrecv"),
        ("v=0\r\na=inactive\r\nm=audio 1 RTP/AVP 0\r\n", "inactive"),
        ("v=0\r\na=inactive\r\nm=audio 1 RTP/AVP 0\r\na=recvonly\r\n", "recvonly"),
        ("v=0\nm=audio 1 RTP/AVP 0\na=sendonly\nm=video 1 RTP/AVP 0\na=recvonly\n", "sendonly"),
    ],
)
def test_directions_are_read(description: str, told: Direction) -> None:
    assert direction(description) == told


def test_an_answer_mirrors_the_offer() -> None:
    assert [mirrored(each) for each in ("sendrecv", "sendonly", "recvonly", "inactive")] == [
        "sendrecv",
        "recvonly",
        "sendonly",
        "inactive",
    ]
