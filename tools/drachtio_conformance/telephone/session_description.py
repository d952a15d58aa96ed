"""Session descriptions (RFC 8866) as a telephone changes them: their direction (RFC 3264 §8.4), their version."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_MIRRORED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_ORIGIN = re.compile(r"^(o=\S+ \S+ )(\d+)( )", re.MULTILINE)


def turned(description: str, direction: Direction) -> str:
    """The description with all media in this direction, and the next version (RFC 3264 §8)."""
    kept = [
        line
        for line in description.replace("\r\n", "\n").rstrip("\n").split("\n")
        if line.removeprefix("a=") not in _DIRECTIONS
    ]
    lines: list[str] = []
    for line in kept:
        if line.startswith("m=") and any(before.startswith("m=") for before in lines):
            lines.append(f"a={direction}")
        lines.append(line)
    lines.append(f"a={direction}")
    text = "".join(f"{line}\r\n" for line in lines)
    return _ORIGIN.sub(lambda found: f"{found[1]}{int(found[2]) + 1}{found[3]}", text, count=1)


def direction(description: str) -> Direction:
    """That of the first medium; what is not said is ``sendrecv`` (RFC 8866 §6.7)."""
    session, _, media = description.replace("\r\n", "\n").partition("\nm=")
    for part in (media.partition("\nm=")[0], session):
        for line in part.split("\n"):
            for each in _DIRECTIONS:
                if line == f"a={each}":
                    return each
    return "sendrecv"


def mirrored(offered: Direction) -> Direction:
    """What an answer says to an offer (RFC 3264 §6.1)."""
    return _MIRRORED[offered]
