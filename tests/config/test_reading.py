"""The three sources together: precedence, contacts, what is named once, and every start that must not happen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reference_server.config.model import (
    CaptureConfiguration,
    Configuration,
    ContactConfiguration,
    Dialect,
    HandlerConfiguration,
    LogFileConfiguration,
    LogLevel,
    MetricsConfiguration,
    RoutingConfiguration,
    SyslogConfiguration,
    TimerConfiguration,
)
from reference_server.config.reading import Reading
from reference_server.config.reading import read as read_configuration
from reference_server.config.setting import Effect
from reference_server.config.table import TABLE

NONE = Path("/nonexistent/drachtio.conf.xml")


def read(*arguments: str, environment: Mapping[str, str] | None = None, default_file: Path = NONE) -> Reading:
    return read_configuration(arguments, environment or {}, default_file)


def configured(
    *arguments: str, environment: Mapping[str, str] | None = None, file: Path = NONE
) -> Configuration:
    """The configuration of a reading without any problem."""
    reading = read(*arguments, environment=environment, default_file=file)
    assert reading.problems == ()
    assert reading.configuration is not None
    return reading.configuration


def problems(*arguments: str, environment: Mapping[str, str] | None = None, file: Path = NONE) -> list[str]:
    reading = read(*arguments, environment=environment, default_file=file)
    return [str(problem).replace(str(file), "d.xml") for problem in reading.problems]


def written(tmp_path: Path, body: str, admin: str = "<admin>127.0.0.1</admin>") -> Path:
    path = tmp_path / "d.xml"
    path.write_text(f"<drachtio>{admin}\n{body}</drachtio>")
    return path


def test_without_anything_the_defaults_serve_loopback() -> None:
    configuration = configured()
    assert configuration == Configuration()
    assert configuration.admin.addresses == ("127.0.0.1",)
    assert configuration.contacts == (ContactConfiguration(host="127.0.0.1", transports=("udp", "tcp")),)


def test_every_setting_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    file.write_text(
        """<drachtio>
        <admin port="9000" secret="cymru" tcp-keepalive="0"> ::1 </admin>
        <sip>
          <contacts>
            <contact external-ip="203.0.113.7" local-net="10.0.0.0/8">
              <!-- the outside --> sip:10.1.2.3:5080;transport=tcp
            </contact>
            <contact>sip:*</contact>
          </contacts>
          <outbound-proxy>sip:10.9.9.9</outbound-proxy>
          <aggressive-nat-detection>yes</aggressive-nat-detection>
          <timers><t1> 200 </t1><t2>2000</t2><t4>2500</t4><t1x64>6000</t1x64></timers>
        </sip>
        <logging>
          <console/>
          <file>
            <name>/tmp/dr.log</name><archive>/tmp/old</archive><size>1</size><maxSize>20</maxSize>
            <minSize>3</minSize><maxFiles>2</maxFiles><auto-flush>false</auto-flush>
          </file>
          <loglevel> debug </loglevel>
        </logging>
        </drachtio>"""
    )
    configuration = configured("-f", str(file))
    admin = configuration.admin
    assert (admin.addresses, admin.port, admin.secret, admin.tcp_keepalive) == (("::1",), 9000, "cymru", 0.0)
    assert configuration.contacts == (
        ContactConfiguration(
            host="10.1.2.3",
            port=5080,
            transports=("tcp",),
            external_ip="203.0.113.7",
            local_net="10.0.0.0/8",
        ),
        ContactConfiguration(host="*"),
    )
    assert configuration.routing == RoutingConfiguration(
        outbound_proxy="sip:10.9.9.9", aggressive_nat_detection=True
    )
    assert configuration.timers == TimerConfiguration(t1=0.2, t2=2.0, t4=2.5, t1x64=6.0)
    assert configuration.logging.console
    assert configuration.logging.level is LogLevel.DEBUG
    assert configuration.logging.file == LogFileConfiguration(
        name="/tmp/dr.log", archive="/tmp/old", size=1, max_size=20, min_size=3, max_files=2, auto_flush=False
    )


def test_every_option_in_effect(tmp_path: Path) -> None:
    configuration = configured(
        *(
            "--address",
            "::1",
            "-p",
            "0",
            "-F",
            "s",
            "--tcp-keepalive-interval",
            "7",
            "-l",
            "notice",
            "--stdout",
        ),
        *("--globally-readable-logs", "--hangup-on-app-loss", "--frame-limit", "100"),
        *("--frame-limit-before-authentication", "64", "--incomplete-frame-timeout", "0.5"),
        *("--incomplete-frame-timeout-before-authentication", "2", "--emulate", "0.8"),
        *("--trace", "t.jsonl", "--show-frames", "--nameserver", "[::1]:5353"),
        *("--aggressive-nat-detection", "--disable-nat-detection"),
    )
    assert configuration.routing == RoutingConfiguration(
        aggressive_nat_detection=True, disable_nat_detection=True, nameserver=("::1", 5353)
    )
    admin = configuration.admin
    assert (admin.addresses, admin.port, admin.secret, admin.tcp_keepalive) == (("::1",), 0, "s", 7.0)
    assert admin.hangup_on_application_loss
    assert (admin.frame_limit, admin.frame_limit_before_authentication) == (100, 64)
    assert (admin.incomplete_frame_timeout, admin.incomplete_frame_timeout_before_authentication) == (
        0.5,
        2.0,
    )
    assert configuration.dialect is Dialect.V0_8
    assert (configuration.trace_file, configuration.show_frames) == ("t.jsonl", True)
    logging = configuration.logging
    assert (logging.level, logging.console, logging.globally_readable) == (LogLevel.NOTICE, True, True)


def test_every_variable_in_effect() -> None:
    configuration = configured(
        environment={
            "DRACHTIO_ADMIN_ADDRESS": "127.0.0.2",
            "DRACHTIO_ADMIN_TCP_PORT": "9100",
            "DRACHTIO_SECRET": "s",
            "DRACHTIO_TCP_KEEPALIVE_INTERVAL": "0",
            "DRACHTIO_LOGLEVEL": "error",
            "DRACHTIO_CONSOLE_LOGGING": "1",
            "DRACHTIO_PRESERVE_HEADER_NAMES": "x-a, y-b",
            "UNRELATED": "x",
        }
    )
    admin = configuration.admin
    assert (admin.addresses, admin.port, admin.secret, admin.tcp_keepalive) == (
        ("127.0.0.2",),
        9100,
        "s",
        0.0,
    )
    assert configuration.logging.level is LogLevel.ERROR
    assert configuration.logging.console
    assert configuration.preserve_header_names == ("x-a", "y-b")


def test_a_capture_server_of_each_source(tmp_path: Path) -> None:
    body = '<sip><capture-server port="9061" id="7" hep-version="2">homer</capture-server></sip>'
    file = written(tmp_path, body)
    of_file = CaptureConfiguration(host="homer", port=9061, agent_id=7, version=2)
    assert configured("-f", str(file)).capture == of_file
    variables = {
        "DRACHTIO_HOMER_ADDRESS": "10.0.0.1",
        "DRACHTIO_HOMER_PORT": "9062",
        "DRACHTIO_HOMER_ID": "8",
    }
    of_variables = CaptureConfiguration(host="10.0.0.1", port=9062, agent_id=8)
    assert configured("-f", str(file), environment=variables).capture == of_variables
    line = ("--homer", "[::1]", "--homer-id", "9")
    assert configured("-f", str(file), *line, environment=variables).capture == CaptureConfiguration(
        host="::1", port=9060, agent_id=9
    )
    assert configured("-y", "h:1", "-z", "2").capture == CaptureConfiguration(host="h", port=1, agent_id=2)
    assert configured("--homer-id", "9").capture is None
    del variables["DRACHTIO_HOMER_PORT"]
    without = configured(environment=variables).capture
    assert without is not None
    assert without.port == 9060


def test_a_capture_server_without_id(tmp_path: Path) -> None:
    file = written(tmp_path, "<sip><capture-server>homer</capture-server></sip>")
    assert problems(file=file) == [
        "warning: d.xml:2: <capture-server>: expected an id, found none; "
        "no messages are sent to the capture server"
    ]
    reading = read("-f", str(file))
    assert reading.configuration is not None
    assert reading.configuration.capture is None
    assert problems("--homer", "h") == [
        "error: option --homer: expected --homer-id (or its variable) beside it, found none"
    ]
    body = '<sip><capture-server id="65536" hep-version="2">h</capture-server></sip>'
    assert problems(file=written(tmp_path, body)) == [
        "error: d.xml:2: <capture-server>: expected an id of at most 65535, as HEP version 2 has it, got 65536"
    ]


def test_syslog_format_and_the_level_of_the_stack(tmp_path: Path) -> None:
    body = (
        "<logging><syslog><address>localhost</address><port>5514</port><facility>local6</facility></syslog>"
        "<sofia-loglevel>9</sofia-loglevel></logging>"
    )
    file = str(written(tmp_path, body))
    logging = configured("-f", file).logging
    assert logging.syslog == SyslogConfiguration(address="localhost", port=5514, facility=22)
    assert (logging.stack_level, logging.json, logging.console) == (9, False, False)
    without = configured("-f", file, "--noconfig", "--sofia-loglevel", "0", "--log-format", "json").logging
    assert (without.syslog, without.stack_level, without.json, without.console) == (None, 0, True, True)
    assert configured(environment={"DRACHTIO_SOFIA_LOGLEVEL": "5"}).logging.stack_level == 5
    file = str(written(tmp_path, "<logging><syslog><address>::1</address></syslog></logging>"))
    assert configured("-f", file).logging.syslog == SyslogConfiguration(address="::1", port=514, facility=16)


def test_where_prometheus_may_scrape(tmp_path: Path) -> None:
    file = str(written(tmp_path, '<monitoring><prometheus port="9090">127.0.0.1</prometheus></monitoring>'))
    assert configured("-f", file).metrics == MetricsConfiguration(host="127.0.0.1", port=9090)
    variables = {"DRACHTIO_PROMETHEUS_SCRAPE_PORT": "9091"}
    assert configured("-f", file, environment=variables).metrics == MetricsConfiguration(port=9091)
    door = ("--prometheus-scrape-port", "[::1]:0")
    assert configured(*door, environment=variables).metrics == MetricsConfiguration(host="::1", port=0)
    file = str(written(tmp_path, '<monitoring><prometheus port="9090"/></monitoring>'))
    assert configured("-f", file).metrics == MetricsConfiguration(host="0.0.0.0", port=9090)
    assert configured().metrics is None
    path = written(tmp_path, "<monitoring><prometheus>127.0.0.1</prometheus></monitoring>")
    assert problems(file=path) == [
        "warning: d.xml:2: <prometheus>: expected a port, found none; there are no figures to scrape"
    ]


def test_precedence_is_command_line_environment_file_default(tmp_path: Path) -> None:
    admin = '<admin port="1" secret="file" tcp-keepalive="1">127.0.0.1</admin>'
    file = written(tmp_path, "<logging><loglevel>error</loglevel></logging>", admin)
    variables = {"DRACHTIO_ADMIN_TCP_PORT": "2", "DRACHTIO_SECRET": "variable", "DRACHTIO_LOGLEVEL": ""}
    configuration = configured("--port", "4", "--port", "3", environment=variables, file=file)
    assert configuration.admin.port == 3
    assert configuration.admin.secret == "variable"
    assert configuration.admin.tcp_keepalive == 1.0
    assert configuration.logging.level is LogLevel.ERROR


def test_a_switch_is_on_if_any_source_says_so(tmp_path: Path) -> None:
    file = written(tmp_path, "<logging><console/></logging>")
    assert configured(environment={"DRACHTIO_CONSOLE_LOGGING": "0"}, file=file).logging.console


def test_contacts_of_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "<sip><contacts><contact>sip:*</contact></contacts></sip>")
    arguments = ["-c", "sip:127.0.0.2", "-x", "1.1.1.1", "--contact", "sip:127.0.0.3", "-n", "10.0.0.0/8"]
    assert configured(*arguments, file=file).contacts == (
        ContactConfiguration(host="127.0.0.2", external_ip="1.1.1.1"),
        ContactConfiguration(host="127.0.0.3", local_net="10.0.0.0/8"),
    )


def test_names_belong_to_the_contact_before_them() -> None:
    arguments = [
        "-c",
        "sip:*",
        "--dns-name",
        "a",
        "-c",
        "sip:127.0.0.1",
        "--dns-name",
        "b",
        "--dns-name",
        "c",
    ]
    configuration = read(*arguments).configuration
    assert configuration is not None
    assert [contact.dns_names for contact in configuration.contacts] == [("a",), ("b", "c")]


def test_call_detail_records_and_names_of_a_file(tmp_path: Path) -> None:
    text = "<sip><contacts><contact dns-names='a;b'>sip:*</contact></contacts></sip><cdrs>True</cdrs>"
    configuration = read(default_file=written(tmp_path, text)).configuration
    assert configuration is not None
    assert configuration.cdrs
    assert configuration.contacts[0].dns_names == ("a", "b")


def test_the_old_single_contact_wins_over_contacts(tmp_path: Path) -> None:
    text = "<sip><contact>sip:127.0.0.9</contact><contacts><contact>sip:*</contact></contacts></sip>"
    reading = read(default_file=written(tmp_path, text))
    assert reading.configuration is not None
    assert [contact.host for contact in reading.configuration.contacts] == ["127.0.0.9"]
    assert len(reading.problems) == 1


def test_the_file_of_the_option_wins_over_that_of_the_variable(tmp_path: Path) -> None:
    one, two = tmp_path / "one.xml", tmp_path / "two.xml"
    one.write_text('<drachtio><admin port="1">127.0.0.1</admin></drachtio>')
    two.write_text('<drachtio><admin port="2">127.0.0.1</admin></drachtio>')
    variables = {"DRACHTIO_CONFIG_FILE_PATH": str(two)}
    assert configured("-f", str(one), environment=variables).admin.port == 1
    assert configured(environment=variables).admin.port == 2


def test_noconfig_logs_to_the_console_only_but_keeps_the_level(tmp_path: Path) -> None:
    text = "<logging><file><name>/tmp/x.log</name></file><loglevel>debug</loglevel></logging>"
    logging = configured("--noconfig", file=written(tmp_path, text)).logging
    assert logging.file is None
    assert logging.console
    assert logging.level is LogLevel.DEBUG


def test_the_address_may_come_from_elsewhere_than_an_empty_admin_element(tmp_path: Path) -> None:
    file = written(tmp_path, "", '<admin port="9000"/>')
    assert configured("--address", "::1", file=file).admin.addresses == ("::1",)
    assert problems(file=file) == [
        "error: d.xml: expected the address where applications connect as the text of <admin>, got nothing"
    ]


# What prevents a start (the genuine server's answers differ: silent defaults, status 0, a crash).


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "<sip><contacts><contact>foo</contact></contacts></sip>",
            "d.xml:2: <contact>: expected a contact such as sip:127.0.0.1:5060;transport=udp,tcp, got 'foo'",
        ),
        (
            "<sip><contacts>\n<contact external-ip='1.2.3'>sip:*</contact></contacts></sip>",
            "d.xml:3: <contact external-ip>: expected an IPv4 address in dotted decimals, got '1.2.3'",
        ),
        (
            "<sip><contacts><contact local-net='10.0.0.0'>sip:*</contact></contacts></sip>",
            "d.xml:2: <contact local-net>: expected an IPv4 network in CIDR form such as 10.0.0.0/8, got '10.0.0.0'",
        ),
        (
            "<sip><contacts><contact external-ip='1.2.3.4'/></contacts></sip>",
            "d.xml:2: <contact>: expected a contact such as sip:127.0.0.1:5060;transport=udp,tcp, got nothing",
        ),
        (
            "<sip><timers><t1>abc</t1></timers></sip>",
            "d.xml:2: <t1>: expected milliseconds from 1 to 3600000, got 'abc'",
        ),
        (
            "<sip><timers><t2>-5</t2></timers></sip>",
            "d.xml:2: <t2>: expected milliseconds from 1 to 3600000, got '-5'",
        ),
        (
            "<logging><loglevel>loud</loglevel></logging>",
            "d.xml:2: <loglevel>: expected notice, error, warning, info or debug, got 'loud'",
        ),
        ("<cdrs>1</cdrs>", "d.xml:2: <cdrs>: expected true, yes, false or no (in any letter case), got '1'"),
        (
            "<logging><file><name>x</name><auto-flush>maybe</auto-flush></file></logging>",
            "d.xml:2: <auto-flush>: expected true, false, 1 or 0, got 'maybe'",
        ),
        (
            "<sip><capture-server id='0'>h</capture-server></sip>",
            "d.xml:2: <capture-server id>: expected a whole number from 1 to 4294967295, got '0'",
        ),
        (
            "<sip><capture-server hep-version='4'>h</capture-server></sip>",
            "d.xml:2: <capture-server hep-version>: expected a whole number from 1 to 3, got '4'",
        ),
        (
            "<logging><syslog><facility>user</facility></syslog></logging>",
            "d.xml:2: <facility>: expected local0, local1, local2",
        ),
    ],
)
def test_a_wrong_value_in_the_file(tmp_path: Path, body: str, problem: str) -> None:
    file = written(tmp_path, body)
    reading = read(default_file=file)
    assert reading.configuration is None
    errors = [text for text in problems(file=file) if text.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {problem}")


@pytest.mark.parametrize(
    ("admin", "problem"),
    [
        ('<admin port="99999">::1</admin>', "<admin port>: expected a port from 0 to 65535, got '99999'"),
        ('<admin port="abc">::1</admin>', "<admin port>: expected a port from 0 to 65535, got 'abc'"),
        (
            "<admin>localhost</admin>",
            "<admin>: expected a literal IPv4 or IPv6 address, without a port, or several separated by commas,"
            " got 'localhost'",
        ),
        (
            '<admin tcp-keepalive="-1">::1</admin>',
            "<admin tcp-keepalive>: expected seconds from 0 to 32767, got '-1'",
        ),
    ],
)
def test_a_wrong_admin_element(tmp_path: Path, admin: str, problem: str) -> None:
    assert problems(file=written(tmp_path, "", admin)) == [f"error: d.xml:1: {problem}"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--port", "x"], "option --port: expected a port from 0 to 65535, got 'x'"),
        (["-l", "foo"], "option -l: expected notice, error, warning, info or debug, got 'foo'"),
        (["--sofia-loglevel", "10"], "option --sofia-loglevel: expected a level from 0 to 9, got '10'"),
        (["--contact", "foo"], "option --contact: expected a contact such as"),
        (["-x", "1.2.3.4", "-c", "sip:*"], "option -x: 'public-ip' argument must follow a 'contact'"),
        (["-n", "10.0.0.0/8"], "option -n: 'local-net' argument must follow a 'contact'"),
        (["--dns-name", "a"], "option --dns-name: 'dns-name' argument must follow a 'contact'"),
        (
            ["-c", "sip:*", "-x", "1.2.3.4", "-x", "1.2.3.5"],
            "option -x: multiple 'public-ip' arguments provided for a single contact",
        ),
        (
            ["-c", "sip:*", "-n", "10.0.0.0/8", "-n", "11.0.0.0/8"],
            "option -n: multiple 'local-net' arguments provided for a single contact",
        ),
        (["--homer-id", "0"], "option --homer-id: expected a whole number from 1 to 4294967295, got '0'"),
        (["--prometheus-scrape-port", "x"], "option --prometheus-scrape-port: expected a port, or host:port"),
        (["--emulate", "1.0"], "option --emulate: expected 0.8, 0.9.5, 0.9 or reference, got '1.0'"),
        (["--file", "/nonexistent"], "/nonexistent: cannot read the configuration file: No such file"),
        (["--file", ""], "option --file: expected the path of a file, got nothing"),
        (["--frame-limit", "1e9"], "option --frame-limit: expected a number of bytes from 64 to 99999999"),
        (["--loop", "trio"], "option --loop: expected auto, asyncio or uvloop, got 'trio'"),
    ],
)
def test_a_wrong_option(arguments: list[str], problem: str) -> None:
    reading = read(*arguments)
    assert reading.configuration is None
    assert [str(item) for item in reading.errors if str(item).startswith(f"error: {problem}")] != []
    assert len(reading.errors) == 1


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("LOGLEVEL", "loud", "notice, error, warning, info or debug, got 'loud'"),
        ("ADMIN_TCP_PORT", "x", "a port from 0 to 65535, got 'x'"),
        ("CONSOLE_LOGGING", "true", "1 or 0, got 'true'"),
        ("REJECT_REGISTER_WITH_NO_REALM", "true", "1 or 0, got 'true'"),
        ("BLACKLIST_REDIS_PORT", "x", "a port from 1 to 65535, got 'x'"),
    ],
)
def test_a_wrong_variable(name: str, text: str, expected: str) -> None:
    found = problems(environment={f"DRACHTIO_{name}": text})
    assert found == [f"error: variable DRACHTIO_{name}: expected {expected}"]


def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    assert problems(environment={"DRACHTIO_AGGRESSIVE_NAT_DETECTION": "1", "DRACHTIO_QQQ": "1"}) == [
        "warning: variable DRACHTIO_AGGRESSIVE_NAT_DETECTION: unknown variable, ignored, "
        "did you mean DRACHTIO_AGRESSIVE_NAT_DETECTION?",
        "warning: variable DRACHTIO_QQQ: unknown variable, ignored",
    ]


def test_what_has_no_effect_is_named_once(tmp_path: Path) -> None:
    file = written(tmp_path, "<sip/>", admin='<admin tls="true">127.0.0.1</admin>')
    assert problems("--memory-debug", "--memory-debug", file=file) == [
        "warning: option --memory-debug: has no effect in this server: memory is managed by Python",
        "warning: d.xml:1: <admin tls>: has no effect in this server: the genuine server does not heed it either",
    ]


def test_a_port_of_syslog_without_an_address_is_named(tmp_path: Path) -> None:
    text = """<sip>
        <contacts><contact dns-names="a">sip:*</contact></contacts></sip>
        <logging><syslog><port>1</port><facility>local6</facility></syslog></logging>"""
    assert problems(file=written(tmp_path, text)) == [
        "warning: d.xml:4: <port>: expected an <address> beside it, found none; nothing is logged to syslog",
    ]


_VALUES = ("1", "2", "local0", "1.2", "get", "yes", "text")


@pytest.mark.parametrize("name", [s.option for s in TABLE if s.option and s.effect is not Effect.NOW])
def test_every_option_without_effect_says_so(name: str) -> None:
    setting = next(setting for setting in TABLE if setting.option == name)
    readings = [read("-c", "sip:*", f"--{name}", *([value] if setting.argument else [])) for value in _VALUES]
    accepted = [reading for reading in readings if reading.configuration is not None]
    assert accepted
    assert all("has no effect in this" in reading.problems[0].text for reading in accepted)


@pytest.mark.parametrize("name", [s.variable for s in TABLE if s.variable and s.effect is not Effect.NOW])
def test_every_variable_without_effect_says_so(name: str) -> None:
    readings = [read(environment={f"DRACHTIO_{name}": value}) for value in _VALUES]
    accepted = [reading for reading in readings if reading.configuration is not None]
    assert accepted
    assert all("has no effect in this" in reading.problems[0].text for reading in accepted)


def test_check_makes_warnings_errors_but_of_known_settings_without_effect_only_if_it_is_strict() -> None:
    assert not read("--memory-debug").errors
    assert not read("--memory-debug", "--check").errors
    assert read("--memory-debug", "--check=strict").errors
    assert not read("--check=strict").errors
    unknown = {"DRACHTIO_SECRETS": "x"}
    assert not read(environment=unknown).errors
    assert read("--check", environment=unknown).errors
    assert problems("--check=lax") == ["error: option --check: expected the word strict or none, got 'lax'"]


def test_what_samples_of_the_genuine_server_have_is_known(tmp_path: Path) -> None:
    text = """<request-handlers><request-handler sip-method="INVITE" http-method="GET">http://a/b</request-handler>
        </request-handlers><monitoring><prometheus port="9090">127.0.0.1</prometheus></monitoring><sip>
        <contacts><contact>sip:*:5060;transport=udp,tcp</contact></contacts><udp-mtu>4096</udp-mtu>
        <session-timers default-refresher="uas"/><udp-buffer-size>4194304</udp-buffer-size>
        <user-agent-options-auto-respond>sipvicious</user-agent-options-auto-respond>
        <spammers action="reject" tcp-action="discard"><header name="User-Agent"><value>sipvicious</value></header>
        </spammers></sip><cdrs>true</cdrs><logging><console/><sofia-loglevel>3</sofia-loglevel></logging>"""
    file = str(written(tmp_path, text))
    reading = read("--check", "-f", file)
    assert not reading.errors
    assert reading.problems == ()


def test_a_refresher_that_is_none_is_an_error(tmp_path: Path) -> None:
    text = '<sip><session-timers default-refresher="both"/></sip>'
    assert problems(file=written(tmp_path, text))[-1].startswith(
        "error: d.xml:2: <session-timers default-refresher>: expected none, uac"
    )


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    admin = '<admin secret="hidden|1">127.0.0.1</admin>'
    text = "<sip><blacklist><redis-password></redis-password></blacklist></sip>"
    environment = {"DRACHTIO_SECRET": "hidden\n2", "DRACHTIO_BLACKLIST_REDIS_PASSWORD": "hidden3"}
    found = problems("--secret", "hidden|4", environment=environment, file=written(tmp_path, text, admin))
    assert len([text for text in found if text.startswith("error: ")]) == 4
    assert "hidden" not in "".join(found)


def test_version_help_and_loop_are_told() -> None:
    assert read("-v").show_version
    assert read("--he").show_help
    assert read("--loop", "asyncio").loop == "asyncio"


def handlers(
    *arguments: str, file: Path | None = None, **environment: str
) -> tuple[HandlerConfiguration, ...]:
    configuration = read(
        *arguments, *(["-f", str(file)] if file else []), environment=environment
    ).configuration
    assert configuration is not None
    return configuration.handlers


_HANDLERS = """<request-handlers>
    <request-handler sip-method="invite" http-method="post" verify-peer="yes">https://u:p@a</request-handler>
    <request-handler> http://b </request-handler>
    <request-handler sip-method="INVITE">http://c</request-handler></request-handlers>"""


def test_the_handlers_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, _HANDLERS)
    assert handlers(file=file) == (
        HandlerConfiguration(url="https://u:p@a", sip_method="INVITE", http_method="POST", verify_peer=True),
        HandlerConfiguration(url="http://b"),
    )
    assert problems(file=file) == [
        "warning: d.xml:5: <request-handler>: is ignored, the first handler for INVITE counts"
    ]


def test_a_handler_from_elsewhere_replaces_those_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, _HANDLERS)
    line = ("-a", "tcp://x:1", "-m", "POST")
    variable = {"DRACHTIO_HTTP_HANDLER_URI": "http://y"}
    assert handlers(*line, file=file) == (HandlerConfiguration(url="tcp://x:1", http_method="POST"),)
    assert handlers(*line, file=file, **variable) == (HandlerConfiguration(url="http://y"),)
    assert problems(*line, file=file) == [
        f"warning: d.xml:{number}: <request-handler>: is ignored, because of option -a"
        for number in (3, 4, 5)
    ]


@pytest.mark.parametrize("word", ["post", "Post", "POST"])
def test_the_method_of_a_callback_in_any_letter_case(tmp_path: Path, word: str) -> None:
    text = f'<request-handlers><request-handler http-method="{word}">http://a</request-handler></request-handlers>'
    expected = (HandlerConfiguration(url="http://a", http_method="POST"),)
    assert handlers(file=written(tmp_path, text)) == expected
    assert handlers("-a", "http://a", "--http-method", word) == expected


def test_a_method_that_is_neither_get_nor_post_is_an_error(tmp_path: Path) -> None:
    text = (
        '<request-handlers><request-handler http-method="PUT">http://a</request-handler></request-handlers>'
    )
    assert problems(file=written(tmp_path, text)) == [
        "error: d.xml:2: <request-handler http-method>: expected get or post (in any letter case), got 'PUT'"
    ]
    assert problems("-a", "http://a", "--http-method", "PUT") == [
        "error: option --http-method: expected get or post (in any letter case), got 'PUT'"
    ]


def test_a_wrong_handler_is_an_error_that_shows_no_password(tmp_path: Path) -> None:
    assert problems("--http-handler", "http://user:password@h/ x") == [
        "error: option --http-handler: expected a URL of printable ASCII characters without blanks, "
        "got something else"
    ]
    text = (
        '<request-handlers><request-handler sip-method="REFER">http://a</request-handler></request-handlers>'
    )
    (problem,) = problems(file=written(tmp_path, text))
    assert problem.startswith("error: d.xml:2: <request-handler sip-method>: expected *, invite, register")


@pytest.mark.parametrize(
    ("admin", "port"),
    [
        ('<admin port="0" tls-port="9023">127.0.0.1</admin>', None),
        ('<admin port="0">127.0.0.1</admin>', 0),
        ('<admin tls-port="9023">127.0.0.1</admin>', 9022),
        ('<admin port="9022" tls-port="0">127.0.0.1</admin>', 9022),
    ],
)
def test_applications_may_be_awaited_by_tls_only(tmp_path: Path, admin: str, port: int | None) -> None:
    file = written(tmp_path, "", admin=admin)
    assert configured(file=file).admin.port == port
    assert configured("--port", "0", file=file).admin.port == 0, "a free one, whatever the file says"


def test_applications_may_be_awaited_on_several_addresses(tmp_path: Path) -> None:
    file = written(tmp_path, "", admin="<admin>127.0.0.1, ::1,10.0.0.1</admin>")
    assert configured(file=file).admin.addresses == ("127.0.0.1", "::1", "10.0.0.1")


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
