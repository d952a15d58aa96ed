"""Settings of transports, sessions and calls, from the three sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.config.model import TimerConfiguration, TransportConfiguration
from tests.config.test_reading import configured, problems, written


def test_transports(tmp_path: Path) -> None:
    text = "<sip><udp-mtu>4096</udp-mtu><udp-buffer-size>65536</udp-buffer-size></sip>"
    file = written(tmp_path, text)
    environment = {"DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS": "3"}
    expected = TransportConfiguration(udp_mtu=4096, udp_buffer_size=65536, most_consecutive_timeouts=3)
    assert configured(file=file, environment=environment).transports == expected
    assert configured("-D", "1", file=file, environment={"DRACHTIO_UDP_MTU": "2"}).transports.udp_mtu == 1
    assert configured(environment={"DRACHTIO_UDP_MTU": "2"}).transports.udp_mtu == 2


@pytest.mark.parametrize("number", ["1", "1001", "-2", "two"])
def test_time_outs_in_a_row(number: str) -> None:
    found = problems(environment={"DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS": number})
    assert found == [
        "error: variable DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS: "
        f"expected 0 or a number of requests from 2 to 1000, got {number!r}"
    ]


def test_sessions_and_calls(tmp_path: Path) -> None:
    file = written(tmp_path, '<sip><session-timers default-refresher="UAS"/></sip>')
    timers = configured("--ringing-timeout", "120", "--timer-c", "200", file=file).timers
    assert timers == TimerConfiguration(ringing=120.0, timer_c=200.0, default_refresher="uas")
    environment = {"DRACHTIO_RINGING_TIMEOUT": "7", "DRACHTIO_TIMER_C": "8"}
    assert configured(environment=environment).timers == TimerConfiguration(ringing=7.0, timer_c=8.0)


def test_the_local_domain() -> None:
    environment = {"DRACHTIO_LOCAL_DOMAIN": "Example.COM."}
    assert configured(environment=environment).routing.local_domain == "example.com"
    assert problems(environment={"DRACHTIO_LOCAL_DOMAIN": "no domain"})[0].startswith("error: ")
