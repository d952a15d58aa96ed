"""What of a new configuration holds at once, and what waits for a restart."""

from __future__ import annotations

import pytest
from msgspec import Struct, structs

from reference_server.config.model import (
    AdminConfiguration,
    BlacklistConfiguration,
    Configuration,
    ContactConfiguration,
    Dialect,
    HandlerConfiguration,
    LoggingConfiguration,
    LogLevel,
    ProcessConfiguration,
    RoutingConfiguration,
    ScreeningConfiguration,
    SpamHeader,
    TimerConfiguration,
    TlsConfiguration,
    TransportConfiguration,
)
from reference_server.reload import changes, effective, is_live, told

OLD = Configuration()
NEW = Configuration(
    admin=AdminConfiguration(port=1, secret="hidden", unread_timeout=7.0),
    contacts=(ContactConfiguration(host="*"),),
    tls=TlsConfiguration(key_file="k"),
    transports=TransportConfiguration(udp_mtu=1300, udp_buffer_size=5000, most_consecutive_timeouts=3),
    routing=RoutingConfiguration(outbound_proxy="sip:a", nameserver=("127.0.0.1", 53)),
    screening=ScreeningConfiguration(
        spam=(SpamHeader("to", ("x",)),),
        blacklist=BlacklistConfiguration(address="a", key="k", password="hidden"),
    ),
    timers=TimerConfiguration(t1=1.0, timer_c=9.0),
    logging=LoggingConfiguration(level=LogLevel.DEBUG, console=True),
    process=ProcessConfiguration(drain=1.0, user="nobody"),
    cdrs=True,
    handlers=(
        HandlerConfiguration(url="http://h", sip_method="INVITE"),
        HandlerConfiguration(url="http://h"),
    ),
    dialect=Dialect.V0_8,
)
WAITING = {
    *("admin.port", "contacts", "transports.udp_buffer_size", "routing.nameserver", "logging.console"),
    *("process.user", "dialect"),
}


def test_each_change_holds_at_once_or_waits() -> None:
    everything = changes(OLD, NEW)
    assert {name for name in everything if not is_live(name)} == WAITING
    now = effective(OLD, NEW)
    assert set(changes(OLD, now)) == set(everything) - WAITING
    assert set(changes(now, NEW)) == WAITING
    assert changes(now, now) == []


def test_the_log_tells_what_has_changed_and_no_secret() -> None:
    lines = list(told(OLD, effective(OLD, NEW)))
    for line in (
        "the log level is now debug",
        "the secret has changed; applications that are connected stay",
        "the outbound proxy is now sip:a",
        "changed: screening.spam",
        "changed: timers.t1",
        "request handlers are now asked about INVITE, everything else",
    ):
        assert line in lines
    assert "hidden" not in "".join(lines)
    back = list(told(effective(OLD, NEW), OLD))
    assert "the outbound proxy is now none" in back
    assert "request handlers are now asked about nothing" in back


def leaves(struct: Struct, prefix: str = "") -> list[str]:
    found: list[str] = []
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        found += (
            leaves(value, f"{name}.") if not prefix and isinstance(value, Struct) else [f"{prefix}{name}"]
        )
    return found


@pytest.mark.parametrize("name", ["admin.secrets", "screening", "timers", "contacts.host", "tlsx"])
def test_what_is_no_setting_is_not_live(name: str) -> None:
    assert not is_live(name)
    assert name not in leaves(structs.replace(OLD))
