"""What ``--check`` prints: each value with its origin, secrets masked."""

from __future__ import annotations

from pathlib import Path

from reference_server.config.effective import effective_text
from tests.config.test_reading import read, written


def test_each_value_has_its_origin(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "<sip><contacts><contact external-ip='192.0.2.1'>sip:*</contact><contact>sip:[::1]</contact></contacts>"
        "<timers><t1>\n400 </t1><t2>3000</t2></timers><outbound-proxy>sip:10.0.0.1</outbound-proxy>"
        "<blacklist><redis-address>a</redis-address><redis-key>k</redis-key>"
        "<redis-password>hidden</redis-password></blacklist></sip>",
        admin="<admin secret='hidden'>127.0.0.1</admin>",
    )
    environment = {
        "DRACHTIO_LOGLEVEL": "debug",
        "DRACHTIO_ADMIN_TCP_PORT": "1",
        "DRACHTIO_CONSOLE_LOGGING": "0",
    }
    reading = read("--port", "9", "--show-frames", environment=environment, default_file=file)
    text = effective_text(reading.sources)
    lines = text.replace(str(file), "d.xml").splitlines()
    for line in (
        "admin@port: 9 (option --port)",
        "admin@secret: *** (d.xml:1: <admin secret>)",
        "sip/contacts/contact: sip:* (d.xml:2: <contact>)",
        "sip/contacts/contact: sip:[::1] (d.xml:2: <contact>)",
        "sip/contacts/contact@external-ip: 192.0.2.1 (d.xml:2: <contact external-ip>)",
        "sip/timers/t1: 400 (d.xml:2: <t1>)",
        "sip/timers/t4: 5000 (default)",
        "sip/blacklist/redis-password: *** (d.xml:3: <redis-password>)",
        "logging/loglevel: debug (variable DRACHTIO_LOGLEVEL)",
        "--show-frames: yes (option --show-frames)",
        "DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS: 0 (default)",
    ):
        assert line in lines
    assert "hidden" not in text


def test_contacts_of_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "<sip><contacts><contact>sip:*</contact></contacts></sip>")
    text = effective_text(read("-c", "sip:a", "-x", "192.0.2.9", default_file=file).sources)
    assert "sip:*" not in text
    assert "sip/contacts/contact: sip:a (option -c)" in text
    assert "sip/contacts/contact@external-ip: 192.0.2.9 (option -x)" in text


def test_without_anything_it_tells_the_defaults() -> None:
    text = effective_text(read().sources)
    assert "sip/contacts/contact: sip:127.0.0.1;transport=udp,tcp (default)\n" in text
    assert "admin@port: 9022 (default)\n" in text
