"""Types that many steps share: names, durations, tokens, header fields."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

Name: TypeAlias = Annotated[
    str, Meta(pattern="^[A-Za-z][A-Za-z0-9_-]*$", description="name of an application, peer or variable")
]
Duration: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(ms|s)$", description="like 500ms or 32s")
]
Tokens: TypeAlias = str | list[str]
"""The tokens of a meta line: a list, or one text that is cut at each ``|``."""
HeaderFields: TypeAlias = dict[str, str | list[str]]
"""Header name to value, or to one value for each line of that name in order."""


def seconds(duration: str) -> float:
    """``500ms`` → 0.5, ``32s`` → 32.0."""
    if duration.endswith("ms"):
        return float(duration[:-2]) / 1000
    return float(duration[:-1])
