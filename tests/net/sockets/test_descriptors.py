"""The limit of descriptors: as it is, and raised as far as it may be."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from reference_server.net.sockets.descriptors import descriptor_limit, raise_descriptor_limit


@pytest.fixture
def hard() -> Iterator[int]:
    """The hard limit; the soft one is put back in the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_is_raised_to_what_is_allowed(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    assert descriptor_limit() == 256
    raise_descriptor_limit()
    assert descriptor_limit() == hard
