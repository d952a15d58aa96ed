"""SIGHUP: what of a new configuration holds at once, and what waits for a restart.

Whatever only concerns what begins from now on can change while calls are up. What is bound, opened or spoken since the
start cannot: addresses and ports, log and trace files, the dialect, the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from msgspec import Struct, structs

from reference_server.config.model import Configuration

_LIVE = (
    *("admin.secret", "admin.tcp_keepalive", "admin.hangup_on_application_loss", "admin.unread_timeout"),
    *("admin.authentication_delay",),
    *("admin.frame_limit", "admin.frame_limit_before_authentication"),
    *("admin.incomplete_frame_timeout", "admin.incomplete_frame_timeout_before_authentication"),
    *("transports.udp_mtu", "transports.most_consecutive_timeouts"),
    *("routing.outbound_proxy", "routing.local_domain"),
    *("routing.aggressive_nat_detection", "routing.disable_nat_detection"),
    *(
        "timers.",
        "screening.",
        "limits.",
        "tls.",
        "logging.level",
        "logging.stack_level",
        "process.drain",
        "cdrs",
        "handlers",
        "preserve_header_names",
    ),
)
"""What holds at once; all of a section if it ends with a dot."""

S = TypeVar("S", bound=Struct)


def changes(old: Configuration, new: Configuration) -> list[str]:
    """The names of what differs, such as ``admin.secret``, ``contacts``."""
    return list(_differences(old, new, ""))


def _differences(old: Struct, new: Struct, prefix: str) -> Iterator[str]:
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        sections = not prefix and isinstance(before, Struct) and type(before) is type(after)
        if sections:
            yield from _differences(before, after, f"{name}.")
        elif before != after:
            yield f"{prefix}{name}"


def is_live(name: str) -> bool:
    """Whether what :func:`changes` calls ``name`` can change while calls are up."""
    return any(name.startswith(live) if live.endswith(".") else name == live for live in _LIVE)


def effective(old: Configuration, new: Configuration) -> Configuration:
    """``old`` with all of ``new`` that holds at once."""
    return _taken_over(old, new, "")


def _taken_over(old: S, new: S, prefix: str) -> S:
    changed: dict[str, object] = {}
    for name in old.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if not prefix and isinstance(before, Struct) and type(before) is type(after):
            changed[name] = _taken_over(before, after, f"{name}.")
        elif is_live(f"{prefix}{name}"):
            changed[name] = after
    return structs.replace(old, **changed)


def told(old: Configuration, now: Configuration) -> Iterator[str]:
    """What the log says of what has changed; of values that are no secret, what they are now."""
    for name in changes(old, now):
        match name:
            case "logging.level":
                yield f"the log level is now {now.logging.level.name.lower()}"
            case "logging.stack_level":
                yield f"the level of the SIP stack is now {now.logging.stack_level}"
            case "admin.secret":
                yield "the secret has changed; applications that are connected stay"
            case "handlers":
                yield f"request handlers are now asked about {_asked_about(now)}"
            case "routing.outbound_proxy":
                yield f"the outbound proxy is now {now.routing.outbound_proxy or 'none'}"
            case _:
                yield f"changed: {name}"


def _asked_about(configuration: Configuration) -> str:
    methods = [one.sip_method for one in configuration.handlers]
    named = [one for one in methods if one != "*"]
    if len(named) < len(methods):
        named.append("everything else" if named else "everything")
    return ", ".join(named) or "nothing"


# Tested by tests/test_reload.py.
