"""``drachtio-reference-server`` as a user meets it: a process, its two streams, its signals and its status."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsonschema
import pytest

from reference_server.cli import main
from tests.tls.openssl import Authority

ROOT = Path(__file__).parents[1]
DEADLINE = 20.0  # seconds that anything may take before a test fails
ANYWHERE = ("--port", "0", "--contact", "sip:127.0.0.1:0")

COMMAND = (sys.executable, "-m", "reference_server.cli")


class Process:
    """A server process; its standard error is read line by line as it comes."""

    def __init__(self, arguments: Sequence[str], directory: Path, command: Sequence[str] = COMMAND) -> None:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("DRACHTIO_")}
        environment["PYTHONPATH"] = str(ROOT)
        self._process = subprocess.Popen(
            [*command, *arguments],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.ready: dict[str, object] = {}
        self._reader = threading.Thread(target=self._read_errors)
        self._reader.start()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.put(line.decode("utf-8", "backslashreplace").rstrip("\n"))

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        self.ready = json.loads(self._process.stdout.readline())

    @property
    def admin(self) -> tuple[str, int]:
        host, _, port = str(self.ready["admin"]).rpartition(":")
        return host.strip("[]"), int(port)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_for(self, text: str) -> str:
        """The next line of standard error that contains ``text``."""
        while True:
            line = self._lines.get(timeout=DEADLINE)
            if text in line:
                return line

    def end(self) -> tuple[int, str]:
        """The status when it ends by itself, and the rest of standard error."""
        status = self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        rest: list[str] = []
        while not self._lines.empty():
            rest.append(self._lines.get())
        return status, "\n".join(rest)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


class Starter:
    """Starts servers that end with the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.processes: list[Process] = []

    def __call__(self, *arguments: str, command: Sequence[str] = COMMAND) -> Process:
        process = Process(arguments, self.directory, command)
        self.processes.append(process)
        return process

    def ready(self, *arguments: str, command: Sequence[str] = COMMAND) -> Process:
        process = self(*ANYWHERE, *arguments, command=command)
        process.wait_until_ready()
        return process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    for process in starter.processes:
        process.close()


def ask(process: Process, *payloads: str) -> list[str]:
    """Send frames one after another over one connection; the answers' tokens behind the id of the question."""
    answers: list[str] = []
    with socket.create_connection(process.admin, timeout=DEADLINE) as connection:
        stream = connection.makefile("rb")
        for payload in payloads:
            octets = payload.encode()
            connection.sendall(b"%d#%b" % (len(octets), octets))
            count = b""
            while (octet := stream.read(1)) != b"#":
                assert octet, "the server has closed the connection"
                count += octet
            answers.append(stream.read(int(count)).decode().split("|", 3)[3])
    return answers


# What needs no server.


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("v0.9.9-ref.")
    assert output.err == ""


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-h"]) == 0
    assert "--contact URI" in capsys.readouterr().out


def test_help_where_the_encoding_knows_no_ellipsis() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([*COMMAND, "-h"], env=environment, capture_output=True, check=True)
    assert ended.stdout.startswith(b"usage: drachtio-reference-server [OPTION]?")
    assert not ended.stderr


def test_check_of_a_good_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    file.write_text('<drachtio><admin port="9022" secret="cymru">127.0.0.1</admin></drachtio>')
    assert main(["--check", "-f", str(file)]) == 0
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert f"admin@port: 9022 ({file}:1: <admin port>)" in lines
    assert f"admin@secret: *** ({file}:1: <admin secret>)" in lines
    assert "logging/loglevel: info (default)" in lines
    assert "sip/contacts/contact: sip:127.0.0.1;transport=udp,tcp (default)" in lines
    assert (lines[-1], output.err) == ("configuration ok", "")
    assert "cymru" not in output.out


def test_check_of_a_configuration_with_a_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    file.write_text("<drachtio>\n<admin>127.0.0.1</admin>\n<cdr>yes</cdr></drachtio>")
    assert main(["--check", "-f", str(file)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"drachtio-reference-server: warning: {file}:3: <cdr>: unknown element, ignored, did you mean <cdrs>?\n"
    )


def test_check_of_a_setting_without_effect(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    file.write_text('<drachtio>\n<admin secret="x" tls="true">127.0.0.1</admin></drachtio>')
    assert main(["--check", "-f", str(file)]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[-1] == "configuration ok, but for 1 setting without effect here"
    assert output.err == (
        f"drachtio-reference-server: warning: {file}:2: <admin tls>: "
        "has no effect in this server: the genuine server does not heed it either\n"
    )
    assert main(["--check=strict", "-f", str(file)]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--port", "x"], "error: option --port: expected a port from 0 to 65535, got 'x'"),
        (["--nonsense"], "error: option --nonsense: unknown option"),
        (
            ["-f", "/nonexistent.xml"],
            "error: /nonexistent.xml: cannot read the configuration file: No such file",
        ),
        (["--contact", "sips:127.0.0.1;transport=udp"], "behind sips:, 'udp' is none"),
    ],
)
def test_a_wrong_configuration(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert expected in output.err
    assert output.err.startswith("drachtio-reference-server: error: ")
    assert output.err.count("\n") == 1
    assert output.out == ""


# Start, stop and signals.


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "auto"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_and_a_signal_ends_it(start: Starter, loop: str, number: signal.Signals) -> None:
    process = start.ready("--secret", "cymru", "--loop", loop)
    assert process.ready["ready"] is True
    assert str(process.ready["version"]).startswith("v0.9.9-ref.")
    assert isinstance(process.ready["pid"], int)
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    assert [entry.partition("/")[0] for entry in sip] == ["udp", "tcp"]
    assert ask(process, "1|authenticate|cymru|", "2|ping") == [
        f"OK|{','.join(sip)}|{process.ready['version']}|{','.join(sip)}",
        "OK|pong",
    ]
    process.signal(number)
    status, _ = process.end()
    assert status == 0


def test_a_call_may_end_first_unless_a_second_signal_comes(start: Starter) -> None:
    process = start.ready()
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    with (
        socket.create_connection(process.admin) as application,
        socket.socket(type=socket.SOCK_DGRAM) as caller,
    ):
        application.sendall(b"20#1|authenticate|admin14#2|route|invite")
        process.wait_for("admin-connected")
        application.settimeout(DEADLINE)
        received = b""
        while b"|2|OK" not in received:
            received += application.recv(65536)
        caller.bind(("127.0.0.1", 0))
        port = caller.getsockname()[1]
        request = (
            f"INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: 1\r\n"
            f"CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n"
        )
        caller.sendto(request.encode(), ("127.0.0.1", int(sip[0].rpartition(":")[2])))
        while b"INVITE sip:x" not in received:
            received += application.recv(65536)
        process.signal(signal.SIGTERM)
        process.wait_for("Received SIGTERM; ending what is under way")
        process.signal(signal.SIGTERM)
        process.wait_for("Received SIGTERM again; ending at once")
        assert process.end()[0] == 0


def test_ipv6(start: Starter) -> None:
    process = start("--address", "::1", "--port", "0", "--contact", "sip:[::1]:0;transport=udp")
    process.wait_until_ready()
    assert str(process.ready["admin"]).startswith("[::1]:")
    assert str(process.ready["sip"]).startswith("['udp/[::1]:")
    assert ask(process, "1|authenticate|admin")[0].startswith("OK|udp/[::1]:")


def test_the_admin_port_is_taken(start: Starter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, errors = start("--port", port, "--contact", "sip:127.0.0.1:0").end()
    assert status == 3
    assert errors.splitlines()[-1] == (
        f"drachtio-reference-server: error: cannot listen for applications on 127.0.0.1:{port}: Address already in use"
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_sip_port_is_taken(start: Starter, transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if transport == "tcp":
            taken.listen()
        port = str(taken.getsockname()[1])
        contact = f"sip:127.0.0.1:{port};transport={transport}"
        status, errors = start("--port", "0", "--contact", contact).end()
    assert status == 3
    last = errors.splitlines()[-1]
    assert last.startswith("drachtio-reference-server: error: ")
    assert "ddress already in use" in last
    assert port in last
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "0", "--contact", "sip:203.0.113.1:0"),
        ("--address", "203.0.113.1", "-c", "sip:127.0.0.1:0"),
    ],
)
def test_an_address_that_is_not_ours(start: Starter, arguments: Sequence[str]) -> None:
    status, errors = start(*arguments).end()
    assert status == 3
    last = errors.splitlines()[-1]
    assert "203.0.113.1" in last
    assert "annot assign requested address" in last
    assert "Traceback" not in errors


def test_a_log_or_trace_file_that_cannot_be_opened(start: Starter, tmp_path: Path) -> None:
    status, errors = start(*ANYWHERE, "--trace", "none/t.jsonl").end()
    assert status == 3
    assert errors.endswith("error: cannot open the trace file none/t.jsonl: No such file or directory")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "d.xml").write_text(
        "<drachtio><admin>127.0.0.1</admin><logging><file><name>file/x.log</name></file></logging></drachtio>"
    )
    status, errors = start("-f", "d.xml", *ANYWHERE).end()
    assert status == 3
    assert (
        errors
        == "drachtio-reference-server: error: cannot open the log file file/x.log: file is no directory"
    )


def test_the_default_secret_is_told_at_the_start_and_once_more_to_whom_it_is_news(start: Starter) -> None:
    process = start.ready("--loglevel", "notice")
    assert process.wait_for("secret").endswith(
        "The shared secret is the default, admin; --secret, DRACHTIO_SECRET or <admin secret> sets the one that "
        "applications must present"
    )
    for _ in range(2):
        assert ask(process, "1|authenticate|cymru") == ["NO|incorrect secret"]
    process.signal(signal.SIGTERM)
    _, said = process.end()
    assert (
        said.count("That application presents another secret than the default; --secret, DRACHTIO_SECRET")
        == 1
    )
    assert "cymru" not in said


def test_a_server_with_the_defects_of_a_genuine_one_says_so(start: Starter) -> None:
    process = start.ready("--emulate", "0.9", "--secret", "cymru", "--loglevel", "notice")
    assert ask(process, "1|ping") == ["OK|pong"]
    process.signal(signal.SIGTERM)
    _, said = process.end()
    assert "The defects of genuine servers are emulated, their holes in security, too" in said


def test_a_secret_of_ones_own_is_not_told(start: Starter) -> None:
    process = start.ready("--secret", "cymru", "--loglevel", "notice")
    assert ask(process, "1|authenticate|admin") == ["NO|incorrect secret"]
    process.signal(signal.SIGTERM)
    _, said = process.end()
    assert "secret" not in said


def test_the_help_tells_the_default_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--secret TEXT               shared secret that an application must present (default admin)" in (
        capsys.readouterr().out
    )


def test_hangup_changes_what_is_said_of_the_sip_stack(start: Starter, tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    text = (
        "<drachtio><admin>127.0.0.1</admin><logging><sofia-loglevel>%d</sofia-loglevel></logging></drachtio>"
    )
    file.write_text(text % 1)
    process = start.ready("-f", "d.xml")
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    port = int(sip[0].rpartition(":")[2])
    for number, level in enumerate((9, 1, 5), start=1):
        file.write_text(text % level)
        process.signal(signal.SIGHUP)
        process.wait_for(f"the level of the SIP stack is now {level}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.settimeout(DEADLINE)
            caller.bind(("127.0.0.1", 0))
            caller.connect(("127.0.0.1", port))
            caller.send(options(caller.getsockname()[1], number))
            assert caller.recv(65535).startswith(b"SIP/2.0 503 ")
    process.signal(signal.SIGTERM)
    status, rest = process.end()
    assert status == 0
    assert rest.count(": began, by OPTIONS") == 1, "that of level 9 was read already, level 1 says nothing"


def test_hangup_changes_secret_log_level_and_outbound_proxy(start: Starter, tmp_path: Path) -> None:
    file = tmp_path / "d.xml"
    text = """<drachtio><admin secret="{secret}" tls-port="{port}">127.0.0.1</admin>
    <logging><loglevel>{level}</loglevel></logging>{proxy}</drachtio>"""
    file.write_text(text.format(secret="old", port=0, level="notice", proxy=""))
    process = start.ready("-f", "d.xml")
    assert ask(process, "1|authenticate|old")[0].startswith("OK|")
    proxy = "<sip><outbound-proxy>sip:127.0.0.1:9</outbound-proxy></sip>"
    file.write_text(text.format(secret="new", port=7, level="info", proxy=proxy))
    process.signal(signal.SIGHUP)
    process.wait_for("the outbound proxy is now sip:127.0.0.1:9")
    line = process.wait_for("changed, but in effect only after a restart")
    assert line.endswith(": admin.tls_port")
    assert ask(process, "1|authenticate|old") == ["NO|incorrect secret"]
    assert ask(process, "1|authenticate|new")[0].startswith("OK|")
    process.wait_for("admin-connected: connection=3")  # at info, which notice hides

    file.write_text("<drachtio>")
    process.signal(signal.SIGHUP)
    process.wait_for("nothing is changed")
    assert ask(process, "1|authenticate|new")[0].startswith("OK|")


def test_the_log_file_gets_everything_and_the_console_nothing(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "d.xml").write_text(
        "<drachtio><admin secret='hidden'>127.0.0.1</admin><cdr/>"
        "<logging><file><name>log/dr.log</name></file></logging></drachtio>"
    )
    process = start.ready("-f", "d.xml")
    ask(process, "1|authenticate|hidden")
    process.signal(signal.SIGTERM)
    status, errors = process.end()
    assert status == 0
    warning = "warning: d.xml:1: <cdr>: unknown element, ignored, did you mean <cdrs>?"
    assert errors == f"drachtio-reference-server: {warning}"
    log = (tmp_path / "log" / "dr.log").read_text()
    for text in (
        warning,
        "Starting drachtio-reference-server v0.9.9",
        "Ready: ",
        "admin-connected",
        "Received SIGTERM",
    ):
        assert text in log
    assert "hidden" not in log


def test_the_trace_of_a_request_that_nobody_wants(start: Starter, tmp_path: Path) -> None:
    process = start.ready("--secret", "hidden", "--trace", "t.jsonl", "--show-frames")
    ask(process, "1|authenticate|hidden")
    process.wait_for("server → app 1  response id=")
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(DEADLINE)
        caller.bind(("127.0.0.1", 0))
        caller.connect(("127.0.0.1", int(sip[0].rpartition(":")[2])))
        port = caller.getsockname()[1]
        caller.send(
            f"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: 1\r\n"
            "CSeq: 1 OPTIONS\r\nSubject: caf\xe9\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
        )
        answer = caller.recv(65535)
    assert answer.startswith(b"SIP/2.0 503 ")
    process.wait_for(" bytes from udp/[127.0.0.1]:")  # the SIP trace is in the log, too
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0
    validator = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "trace.schema.json").read_text()))
    content = (tmp_path / "t.jsonl").read_text()
    records = [json.loads(line) for line in content.splitlines()]
    for record in records:
        validator.validate(record)
    kinds = [(record["kind"], record.get("direction")) for record in records]
    assert kinds[0] == ("start", None)
    assert ("frame", "received") in kinds
    assert kinds.index(("sip", "received")) < kinds.index(("sip", "sent"))
    assert "hidden" not in content


BLOCKED = """
import sys

class OnlyWhatTheServerNeeds:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in ("msgspec", "reference_server"):
            return None
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyWhatTheServerNeeds())
from reference_server.cli import main
sys.exit(main())
"""


def test_the_standard_library_and_msgspec_are_enough(start: Starter) -> None:
    process = start.ready(command=(sys.executable, "-c", BLOCKED))
    assert ask(process, "1|authenticate|admin", "2|route|invite")[1] == "OK"
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0


def test_figures_for_prometheus_need_a_library(start: Starter) -> None:
    process = start(*ANYWHERE, "--prometheus-scrape-port", "0", command=(sys.executable, "-c", BLOCKED))
    status, errors = process.end()
    assert status == 3
    assert errors.splitlines()[-1] == (
        "drachtio-reference-server: error: figures for Prometheus need prometheus_client: "
        "pip install 'drachtio-conformance[metrics]'"
    )


def test_capture_and_syslog_need_no_library(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "d.xml").write_text(
        "<drachtio><admin>127.0.0.1</admin><logging><syslog><address>127.0.0.1</address><port>9</port></syslog>"
        "<sofia-loglevel>9</sofia-loglevel></logging></drachtio>"
    )
    options = ("-f", "d.xml", "--homer", "127.0.0.1:9", "--homer-id", "1", "--log-format", "json")
    process = start.ready(*options, command=(sys.executable, "-c", BLOCKED))
    assert ask(process, "1|authenticate|admin", "2|route|invite")[1] == "OK"
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0


def test_a_loop_that_is_not_installed(start: Starter) -> None:
    status, errors = start("--loop", "uvloop", command=(sys.executable, "-c", BLOCKED)).end()
    assert status == 2
    assert errors == (
        "drachtio-reference-server: error: option --loop: expected a loop that is installed, got 'uvloop'"
    )


def test_a_console_that_nobody_reads_stops_neither_calls_nor_the_end(start: Starter, tmp_path: Path) -> None:
    """At info each message is a record of the log: after some calls the pipe is full."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    arguments = [*COMMAND, *ANYWHERE, "--loglevel", "info", "--show-frames", "--secret", "cymru"]
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        host, _, port = str(json.loads(process.stdout.readline())["sip"][0]).partition("/")[2].rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(DEADLINE)
            for number in range(500):
                phone.sendto(options(phone.getsockname()[1], number), (host, int(port)))
                assert phone.recv(4096).startswith(b"SIP/2.0 503 ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_each_message_is_shown_once(start: Starter) -> None:
    """In the log as it came, and of the frame about it the start line."""
    process = start.ready("--secret", "hidden", "--show-frames")
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    with socket.create_connection(process.admin, timeout=DEADLINE) as application:
        application.sendall(b"21#1|authenticate|hidden" + b"15#2|route|options")
        process.wait_for("request-id=2, outcome=OK")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.bind(("127.0.0.1", 0))
            request = options(caller.getsockname()[1], 1)
            caller.sendto(request, ("127.0.0.1", int(sip[0].rpartition(":")[2])))
            process.wait_for("Max-Forwards: 70")
            process.wait_for("    OPTIONS sip:bob@127.0.0.1 SIP/2.0 …")
    process.signal(signal.SIGTERM)
    _, rest = process.end()
    assert "Max-Forwards: 70" not in rest


def options(port: int, number: int) -> bytes:
    """A request that nobody wants; its records fill a pipe of 64 KiB in less than 200."""
    return (
        f"OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {number}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def test_no_log_holds_credentials_if_they_are_to_be_hidden(start: Starter, tmp_path: Path) -> None:
    process = start.ready("--loglevel", "info", "--trace", "t.jsonl", "--show-frames", "--hide-credentials")
    host, _, port = str(process.ready["sip"]).partition("/")[2].partition("'")[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(DEADLINE)
        authorization = b'Authorization: Digest username="bob", response="5ec7e7"\r\nContent-Length'
        request = options(phone.getsockname()[1], 1).replace(b"Content-Length", authorization)
        phone.sendto(request, (host, int(port)))
        assert phone.recv(4096).startswith(b"SIP/2.0 503 ")
    process.signal(signal.SIGTERM)
    status, errors = process.end()
    assert status == 0
    assert f"recv {len(request)} bytes from udp/" in errors
    hidden = f"Authorization: Digest {'*' * 15} {'*' * 17}"
    assert hidden in errors
    assert hidden in (trace := (tmp_path / "t.jsonl").read_text())
    assert "5ec7e7" not in errors + trace


def test_tls_on_both_doors_and_certificates_read_again(start: Starter, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    live = tmp_path / "live.pem", tmp_path / "live-key.pem"

    def put(name: str) -> None:
        for source, target in zip(authority.signed(name), live, strict=True):
            target.write_bytes(source.read_bytes())

    def name_shown(address: tuple[str, int]) -> str:
        context = ssl.create_default_context(cafile=str(authority.root))
        with (
            socket.create_connection(address, DEADLINE) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            certificate = secured.getpeercert()
            assert certificate is not None
            return str(certificate["subject"][0][0][1])

    put("first.test")
    with socket.socket() as free:  # 0 means no TLS port, as in the genuine server
        free.bind(("127.0.0.1", 0))
        tls_port = free.getsockname()[1]
    process = start(
        *(
            "--port",
            "0",
            "--tls-port",
            str(tls_port),
            "--key-file",
            str(live[1]),
            "--cert-file",
            str(live[0]),
        ),
        *("--contact", "sips:127.0.0.1:0;transport=tls", "--contact", "sip:127.0.0.1:0;transport=udp,tcp"),
    )
    process.wait_until_ready()
    assert process.ready["adminTls"] == f"127.0.0.1:{tls_port}"
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    doors = [("127.0.0.1", tls_port), ("127.0.0.1", int(sip[0].rpartition(":")[2]))]
    assert sip[0].startswith("tls/")
    assert [name_shown(door) for door in doors] == ["first.test", "first.test"]
    put("second.test")
    process.signal(signal.SIGHUP)
    process.wait_for("new connections over TLS get what key and certificate files hold now")
    assert [name_shown(door) for door in doors] == ["second.test", "second.test"]
    live[1].write_text("garbage")
    process.signal(signal.SIGHUP)
    line = process.wait_for("the former certificates stay")
    assert f"tls key-file {live[1]}: expected a private key in PEM form" in line
    assert [name_shown(door) for door in doors] == ["second.test", "second.test"]
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0


def test_wrong_certificates_are_said_in_one_line(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("garbage")
    certificate, _ = Authority(tmp_path).signed("a.test")
    status, errors = start(*ANYWHERE, "--key-file", "key.pem", "--cert-file", str(certificate)).end()
    assert status == 3
    expected = "error: tls key-file key.pem: expected a private key in PEM form, without a password"
    assert errors.splitlines()[-1].endswith(expected)
