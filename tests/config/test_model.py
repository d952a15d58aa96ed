"""The frozen value that configures a server: without anything it is safe and handy, and nobody changes it."""

from __future__ import annotations

import pytest

from reference_server.config.model import (
    AdminConfiguration,
    Configuration,
    ContactConfiguration,
    Dialect,
    LogLevel,
    TimerConfiguration,
)


def test_by_default_it_listens_on_loopback_only() -> None:
    configuration = Configuration()
    assert (configuration.admin.addresses, configuration.admin.port) == (("127.0.0.1",), 9022)
    (contact,) = configuration.contacts
    assert (contact.scheme, contact.host, contact.port, contact.transports) == (
        "sip",
        "127.0.0.1",
        None,
        ("udp", "tcp"),
    )


def test_by_default_64_t1_is_64_t1() -> None:
    timers = TimerConfiguration()
    assert timers.t1x64 == 64 * timers.t1


def test_who_has_not_authenticated_may_send_less_and_is_waited_for_shorter() -> None:
    admin = AdminConfiguration()
    assert admin.frame_limit_before_authentication < admin.frame_limit
    assert admin.incomplete_frame_timeout_before_authentication < admin.incomplete_frame_timeout


def test_nobody_changes_it() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Configuration().cdrs = True  # type: ignore[misc]  # that is the point
    with pytest.raises(AttributeError, match="immutable"):
        ContactConfiguration().host = "*"  # type: ignore[misc]  # that is the point


def test_levels_are_ordered_as_the_genuine_servers() -> None:
    assert [level.name for level in sorted(LogLevel)] == ["NOTICE", "ERROR", "WARNING", "INFO", "DEBUG"]
    assert [dialect.value for dialect in Dialect] == ["0.8", "0.9.5", "0.9", "reference"]
