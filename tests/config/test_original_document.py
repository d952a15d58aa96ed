"""Every XML example of the original document, as it is printed there, in a file of its own: it loads with its effect.

What the document prints wrong (an attribute twice, ``<console\\>``) is refused with words that help.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_server.config.model import (
    Configuration,
    ContactConfiguration,
    LogLevel,
    TimerConfiguration,
    TlsConfiguration,
)
from tests.config.test_reading import problems, read, written

ADMIN = '<admin port="9022" secret="cymru">127.0.0.1</admin>'


def loaded(tmp_path: Path, text: str) -> Configuration:
    """The configuration; settings that another release heeds may give warnings, errors none."""
    reading = read(default_file=written(tmp_path, text, admin=ADMIN))
    assert reading.configuration is not None, reading.problems
    assert all(problem.without_effect for problem in reading.problems)
    return reading.configuration


def test_admin(tmp_path: Path) -> None:
    admin = loaded(tmp_path, "").admin
    assert (admin.addresses, admin.port, admin.secret) == (("127.0.0.1",), 9022, "cymru")


def test_contacts(tmp_path: Path) -> None:
    text = """<sip><contacts>
      <contact external-ip="35.195.28.194" dns-names="server01.drachtio.org">sip:10.132.0.22;transport=udp,tcp</contact>
      <contact>sip:*;transport=udp,tcp</contact>
      <contact>sip:[::1];transport=udp</contact>
      <contact>sips:192.168.100.23:443;transport=wss</contact>
    </contacts></sip>"""
    assert loaded(tmp_path, text).contacts == (
        ContactConfiguration(
            host="10.132.0.22", external_ip="35.195.28.194", dns_names=("server01.drachtio.org",)
        ),
        ContactConfiguration(host="*"),
        ContactConfiguration(host="::1", transports=("udp",)),
        ContactConfiguration(scheme="sips", host="192.168.100.23", port=443, transports=("wss",)),
    )


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ("<contact>sip:*;transport=udp,tcp</contact>", [ContactConfiguration(host="*")]),
        (
            "<contact>sip:*;transport=udp,tcp</contact><contact>sip:*:5080;transport=udp,tcp</contact>",
            [ContactConfiguration(host="*"), ContactConfiguration(host="*", port=5080)],
        ),
        (
            "<contact>sip:192.168.100.23:443;transport=wss</contact>",
            [ContactConfiguration(host="192.168.100.23", port=443, transports=("wss",))],
        ),
        (
            '<contact external-ip="35.195.28.194">sip:10.132.0.22;transport=udp,tcp</contact>',
            [ContactConfiguration(host="10.132.0.22", external_ip="35.195.28.194")],
        ),
        (
            '<contact dns-names="server01.drachtio.org" external-ip="35.195.28.194">'
            "sip:10.132.0.22;transport=udp,tcp</contact>",
            [
                ContactConfiguration(
                    host="10.132.0.22", external_ip="35.195.28.194", dns_names=("server01.drachtio.org",)
                )
            ],
        ),
    ],
    ids=["all-addresses", "two-ports", "secure-websockets", "external-address", "dns-name"],
)
def test_each_example_of_contacts(
    tmp_path: Path, contacts: str, expected: list[ContactConfiguration]
) -> None:
    text = f"<!-- as printed --><sip>\n  <contacts>\n{contacts}\n</contacts></sip>"
    assert loaded(tmp_path, text).contacts == tuple(expected)


def test_admin_with_tls(tmp_path: Path) -> None:
    text = '<drachtio><admin port="9022" tls-port="9023" secret="cymru">0.0.0.0</admin></drachtio>'
    file = tmp_path / "drachtio.conf.xml"
    file.write_text(text)
    configuration = read(default_file=file).configuration
    assert configuration is not None
    admin = configuration.admin
    assert (admin.addresses, admin.port, admin.tls_port, admin.secret) == (("0.0.0.0",), 9022, 9023, "cymru")


def test_request_handlers(tmp_path: Path) -> None:
    text = """<request-handlers>
        <request-handler sip-method="INVITE">http://38.187.89.96:8080</request-handler>
    </request-handlers>"""
    (handler,) = loaded(tmp_path, text).handlers
    assert (handler.sip_method, handler.http_method, handler.url) == (
        "INVITE",
        "GET",
        "http://38.187.89.96:8080",
    )


def test_spammers_with_the_second_attribute_mended(tmp_path: Path) -> None:
    text = """<sip><spammers action="reject" tcp-action="discard">
      <header name="User-Agent">
        <value>sip-cli</value>
        <value>sipcli</value>
        <value>friendly-scanner</value>
      </header>
      <header name="To">
        <value>sipvicious</value>
      </header>
    </spammers></sip>"""
    screening = loaded(tmp_path, text).screening
    assert (screening.action, screening.tcp_action) == ("reject", "discard")
    assert [(one.name.lower(), one.texts) for one in screening.spam] == [
        ("user-agent", ("sip-cli", "sipcli", "friendly-scanner")),
        ("to", ("sipvicious",)),
    ]


def test_the_skeleton_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "drachtio.conf.xml"
    file.write_text(
        "<drachtio>\n  <admin/>\n  <request-handlers/>\n  <sip/>\n  <cdrs/>\n  <logging/>\n</drachtio>\n"
    )
    said = problems(file=file)
    assert any(
        "expected the address where applications connect as the text of <admin>" in line for line in said
    )
    assert any("<cdrs>: expected true, yes, false or no" in line for line in said)


def test_timers(tmp_path: Path) -> None:
    text = "<sip><timers><t1>500</t1><t2>4000</t2><t4>5000</t4><t1x64>32000</t1x64></timers></sip>"
    assert loaded(tmp_path, text).timers == TimerConfiguration()


def test_tls(tmp_path: Path) -> None:
    live = "/etc/letsencrypt/live/yourdomain"
    text = f"""<sip><tls>
      <key-file>{live}/privkey.pem</key-file>
      <cert-file>{live}/cert.pem</cert-file>
      <chain-file>{live}/chain.pem</chain-file>
      <dh-param>/var/local/private/dh4096.pem</dh-param>
    </tls></sip>"""
    assert loaded(tmp_path, text).tls == TlsConfiguration(
        key_file=f"{live}/privkey.pem",
        cert_file=f"{live}/cert.pem",
        chain_file=f"{live}/chain.pem",
        dh_param="/var/local/private/dh4096.pem",
    )


def test_outbound_proxy_and_udp_mtu(tmp_path: Path) -> None:
    text = "<sip><outbound-proxy>sip:10.10.10.1</outbound-proxy><udp-mtu>4096</udp-mtu></sip>"
    configuration = loaded(tmp_path, text)
    assert configuration.routing.outbound_proxy == "sip:10.10.10.1"
    assert configuration.transports.udp_mtu == 4096


def test_request_handlers_and_capture_server(tmp_path: Path) -> None:
    loaded(
        tmp_path,
        """<request-handlers>
          <request-handler sip-method="INVITE" http-method="GET">http://38.201.33.10:80</request-handler>
        </request-handlers>
        <sip><capture-server port="9060" hep-version="3" id="101">127.0.0.1</capture-server></sip>""",
    )


def test_logging(tmp_path: Path) -> None:
    text = """<logging><console/>
      <syslog><address>127.0.0.1</address><port>514</port><facility>local6</facility></syslog>
      <file>
        <name>/var/log/drachtio/drachtio.log</name>
        <archive>/var/log/drachtio/archive</archive>
        <size>50</size>
        <maxSize>100</maxSize>
        <minSize>2000</minSize>
        <auto-flush>true</auto-flush>
      </file>
      <loglevel>info</loglevel><sofia-loglevel>3</sofia-loglevel></logging><cdrs>true</cdrs>"""
    configuration = loaded(tmp_path, text)
    logging = configuration.logging
    assert (logging.console, logging.level, configuration.cdrs) == (True, LogLevel.INFO, True)
    assert logging.file is not None
    assert (logging.file.name, logging.file.max_size, logging.file.min_size) == (
        "/var/log/drachtio/drachtio.log",
        100,
        2000,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<logging><console\\></logging>", "expected well-formed XML: not well-formed (invalid token)"),
        ("<cdrs/>", "<cdrs>: expected true, yes, false or no (in any letter case), got nothing"),
        (
            '<sip><spammers action="reject" action="discard"></spammers></sip>',
            'duplicate attribute at column 32 (write <spammers action="reject" tcp-action="discard">',
        ),
    ],
)
def test_what_is_printed_wrong_is_refused_with_words_that_help(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert expected in problems(file=written(tmp_path, text, admin=ADMIN))[0]
