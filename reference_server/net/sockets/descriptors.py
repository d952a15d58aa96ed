"""How many file descriptors this process may have open: strangers must not be able to use them all up."""

from __future__ import annotations

import resource
from contextlib import suppress

_UNLIMITED = 1_048_576

SET_ASIDE = 48
"""Descriptors for the server's own sockets and files, for applications, and for questions to the DNS."""


def raise_descriptor_limit() -> None:
    """Take all that the system grants; the usual soft limit of 1,024 is for programs that call ``select``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit() -> int:
    """The limit that holds now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else min(soft, _UNLIMITED)


def for_strangers() -> int:
    """How many the connections that others open may use up; where there are few, a quarter of all."""
    limit = descriptor_limit()
    return max(limit - SET_ASIDE, limit // 4)
