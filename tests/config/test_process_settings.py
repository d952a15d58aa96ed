"""Settings of the process, of transports and of sessions, from the three sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.config.model import (
    ProcessConfiguration,
    TimerConfiguration,
    TransportConfiguration,
)
from tests.config.test_reading import configured, problems, read, written


def test_the_process() -> None:
    line = ("--daemon", "-u", "nobody", "--pid-file", "/run/d.pid", "--drain", "0")
    assert configured(*line).process == ProcessConfiguration(
        daemon=True, user="nobody", pid_file="/run/d.pid", drain=0.0
    )
    assert configured(environment={"DRACHTIO_DRAIN": "1.5"}).process.drain == 1.5
    assert problems("--drain", "-1") == [
        "error: option --drain: expected seconds from 0 to 86400, such as 10 or 0.5, got '-1'"
    ]


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


def test_two_hyphens_in_a_comment_are_a_warning_with_their_line(tmp_path: Path) -> None:
    text = """<!-- fine - so -->
    <sip><contacts>
      <!-- sip:192.0.2.1 -- listen on a specific address -->
      <contact>sip:127.0.0.1</contact><!--
      --- ---
      -->
    </contacts></sip><!-- so -- too --->"""
    file = written(tmp_path, text)
    place = "'--' stands inside a comment, which XML does not allow; read all the same"
    assert problems(file=file) == [f"warning: d.xml:{line}: comment: {place}" for line in (4, 6, 8)]
    reading = read(default_file=file)
    assert reading.configuration is not None
    assert [contact.host for contact in reading.configuration.contacts] == ["127.0.0.1"]
    assert problems(file=written(tmp_path, "<!-- never closed -- ->"))[-1].startswith("error: d.xml:2: ")


def test_hyphens_elsewhere_are_left_alone(tmp_path: Path) -> None:
    admin = '<admin secret="a--b&lt;!--">127.0.0.1</admin><![CDATA[<!-- -- -->]]>'
    assert configured(
        file=written(tmp_path, "", admin=admin.replace("<![CDATA[<!-- -- -->]]>", ""))
    ).admin.secret == ("a--b<!--")
