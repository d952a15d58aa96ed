"""Signs of spam, bare registrations and monitors, as the rules see them in a message."""

from __future__ import annotations

import pytest

from reference_server.core.screening import Screening, SpamRule
from reference_server.sip.messages.message import Request, parse_message


def request(*lines: str, method: str = "INVITE", uri: str = "sip:bob@example.com") -> Request:
    fields = "".join(f"{line}\r\n" for line in lines)
    message = parse_message(f"{method} {uri} SIP/2.0\r\n{fields}\r\n")
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("header", "line", "seen"),
    [
        ("user-agent", "User-Agent: friendly-sipcli/1.8", True),
        ("user-agent", "User-Agent: friendly-SIPCLI/1.8", False),  # letter case counts
        ("user-agent", "Server: sipcli", False),
        ("to", "To: <sip:sipcli@example.com>", True),
        ("to", "t: sip:xsiPcli@example.com", False),
        ("to", "t: sips:xsipcli@example.com;tag=1", True),
        ("to", 'To: "sipcli" <sip:bob@sipcli.example.com>;tag=sipcli', False),  # the user part alone counts
        ("to", "To: sip:sipcli", False),  # that is a host
        ("from", "From: <sip:100sipcli:secret@example.com>;tag=1", True),
        ("contact", "Contact: <sip:a@example.com>, <sip:sipcli@example.com>", True),
        ("contact", "Contact: *", False),
        ("x-tool", "X-Tool: sipcli", True),
    ],
)
def test_a_sign_of_spam(header: str, line: str, seen: bool) -> None:
    screening = Screening(spam=(SpamRule("subject", ("never",)), SpamRule(header, ("nothing", "sipcli"))))
    sign = screening.sign_of_spam(request(line))
    assert sign == (line.partition(": ")[2] if seen else "")


def test_every_line_of_a_header_counts() -> None:
    screening = Screening(spam=(SpamRule("contact", ("sipcli",)),))
    lines = ("Contact: <sip:a@example.com>", "Contact: <sip:sipcli@example.com>")
    assert screening.sign_of_spam(request(*lines)) == "<sip:sipcli@example.com>"


@pytest.mark.parametrize(
    ("uri", "method", "lacks"),
    [
        ("sip:127.0.0.1", "REGISTER", True),
        ("sip:127.0.0.1:5080;transport=tcp", "REGISTER", True),
        ("sip:999.1.2.3", "REGISTER", True),  # as the genuine server has it
        ("sip:example.com", "REGISTER", False),
        ("sip:[::1]", "REGISTER", False),
        ("sip:1.2.3", "REGISTER", False),
        ("no uri", "REGISTER", False),
        ("sip:127.0.0.1", "OPTIONS", False),
    ],
)
def test_a_registration_without_a_realm(uri: str, method: str, lacks: bool) -> None:
    asked = request(method=method, uri=uri)
    assert Screening(reject_register_without_realm=True).lacks_realm(asked) is lacks
    assert not Screening().lacks_realm(asked)


@pytest.mark.parametrize(
    ("method", "agent", "answered"),
    [
        ("OPTIONS", "monitor/1", True),
        ("OPTIONS", "monitor/1  ", True),
        ("OPTIONS", "Monitor/1", False),
        ("OPTIONS", "monitor/1.1", False),
        ("INVITE", "monitor/1", False),
    ],
)
def test_what_a_monitor_asks_is_answered(method: str, agent: str, answered: bool) -> None:
    asked = request(f"User-Agent: {agent}", method=method)
    assert Screening(answered_user_agent="monitor/1").answers_itself(asked) is answered


def test_nobody_is_a_monitor_where_none_is_configured() -> None:
    assert not Screening().answers_itself(request(method="OPTIONS"))
