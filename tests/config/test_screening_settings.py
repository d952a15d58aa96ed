"""Screening as the three sources describe it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.config.model import BlacklistConfiguration, ScreeningConfiguration, SpamHeader
from tests.config.test_reading import configured, problems, written

DOCUMENT = """<sip><spammers action="reject" tcp-action="discard">
  <header name="User-Agent">
    <value>sip-cli</value>
    <value>sipcli</value>
    <value>friendly-scanner</value>
  </header>
  <header name="To">
    <value>sipvicious</value>
  </header>
</spammers></sip>"""


def of_file(tmp_path: Path, text: str) -> ScreeningConfiguration:
    return configured(file=written(tmp_path, text)).screening


def test_the_example_of_the_document(tmp_path: Path) -> None:
    assert of_file(tmp_path, DOCUMENT) == ScreeningConfiguration(
        spam=(
            SpamHeader("user-agent", ("sip-cli", "sipcli", "friendly-scanner")),
            SpamHeader("to", ("sipvicious",)),
        ),
        action="reject",
        tcp_action="discard",
    )


def test_as_the_document_prints_it_the_right_form_is_shown(tmp_path: Path) -> None:
    (found,) = problems(file=written(tmp_path, DOCUMENT.replace("tcp-action", "action")))
    assert found.startswith("error: d.xml:2: expected well-formed XML: duplicate attribute at column ")
    assert found.endswith(
        '(write <spammers action="reject" tcp-action="discard">: the second is for connections)'
    )


@pytest.mark.parametrize(
    ("attributes", "by_udp", "by_tcp"),
    [
        ("", "reject", "reject"),
        (' action="discard"', "discard", "discard"),
        (' tcp-action="discard"', "reject", "discard"),
        (' action="Discard" tcp-action="REJECT"', "discard", "reject"),
    ],
)
def test_actions(tmp_path: Path, attributes: str, by_udp: str, by_tcp: str) -> None:
    text = DOCUMENT.replace(' action="reject" tcp-action="discard"', attributes)
    screening = of_file(tmp_path, text)
    assert (screening.action, screening.tcp_action) == (by_udp, by_tcp)


def test_a_header_needs_a_name_and_an_action_is_one_of_two(tmp_path: Path) -> None:
    text = '<sip><spammers action="kill"><header><value>x</value></header></spammers></sip>'
    assert problems(file=written(tmp_path, text)) == [
        'error: d.xml:2: <header>: expected the attribute name in it, such as name="User-Agent"; found none',
        "error: d.xml:2: <spammers action>: expected reject or discard (in any letter case), got 'kill'",
    ]


def test_switches_of_each_source(tmp_path: Path) -> None:
    text = (
        "<sip><reject-register-with-no-realm>yes</reject-register-with-no-realm>"
        "<user-agent-options-auto-respond>monitor/1</user-agent-options-auto-respond></sip>"
    )
    expected = ScreeningConfiguration(
        reject_register_with_no_realm=True, answered_user_agent="monitor/1", always_send_180=True
    )
    assert configured("--always-send-180", file=written(tmp_path, text)).screening == expected
    environment = {
        "DRACHTIO_REJECT_REGISTER_WITH_NO_REALM": "1",
        "DRACHTIO_USER_AGENT_OPTIONS_AUTO_RESPOND": "monitor/1",
    }
    assert configured("--always-send-180", environment=environment).screening == expected
    line = ("--reject-register-with-no-realm", "--user-agent-options-auto-respond", "monitor/1")
    assert configured("--always-send-180", *line).screening == expected
    off = written(tmp_path, "<sip><reject-register-with-no-realm>no</reject-register-with-no-realm></sip>")
    assert not configured(file=off).screening.reject_register_with_no_realm


IN_FILE = """<sip><blacklist><redis-address>10.0.0.1</redis-address><redis-port>6380</redis-port>
<redis-key>bad</redis-key><redis-password>hidden</redis-password><refresh-secs>60</refresh-secs></blacklist></sip>"""


def test_the_blacklist_of_each_source(tmp_path: Path) -> None:
    file = written(tmp_path, IN_FILE)
    assert configured(file=file).screening.blacklist == BlacklistConfiguration(
        address="10.0.0.1", port=6380, key="bad", password="hidden", refresh=60.0
    )
    line = ("--blacklist-redis-address", "10.0.0.2", "--blacklist-redis-key", "worse")
    # named outside, the section of the file does not count
    assert configured(*line, file=file).screening.blacklist == BlacklistConfiguration(
        address="10.0.0.2", key="worse"
    )
    environment = {
        "DRACHTIO_BLACKLIST_REDIS_SENTINELS": "a:1, [::1],b",
        "DRACHTIO_BLACKLIST_REDIS_MASTER": "main",
        "DRACHTIO_BLACKLIST_REDIS_KEY": "bad",
        "DRACHTIO_BLACKLIST_REDIS_PASSWORD": "hidden",
        "DRACHTIO_BLACKLIST_REFRESH_SECS": "5",
        "DRACHTIO_BLACKLIST_REDIS_PORT": "6381",
        "DRACHTIO_BLACKLIST_REDIS_ADDRESS": "",
    }
    assert configured(environment=environment).screening.blacklist == BlacklistConfiguration(
        sentinels=(("a", 1), ("::1", 26379), ("b", 26379)),
        master="main",
        key="bad",
        password="hidden",
        refresh=5.0,
        port=6381,
    )


@pytest.mark.parametrize(
    ("line", "lacks"),
    [
        (("--blacklist-redis-address", "a"), "expected a redis-key beside it"),
        (("--blacklist-redis-key", "k"), "expected a redis-address or redis-sentinels beside it"),
        (("--blacklist-redis-key", "k", "--blacklist-redis-sentinels", "a"), "expected a redis-master"),
    ],
)
def test_a_blacklist_that_lacks_something_is_named_and_left_out(line: tuple[str, ...], lacks: str) -> None:
    (found,) = problems(*line)
    assert found.startswith("warning: option --blacklist-redis-")
    assert lacks in found
