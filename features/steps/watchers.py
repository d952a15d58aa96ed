"""Who watches a server: a capture server, a syslog server, and who reads its log."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from features.steps.processes import DEADLINE, Alice, ServerProcess, Start, closed_port


class Receiver:
    """A UDP port of 127.0.0.1 that keeps what it gets."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(DEADLINE)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.hep = 3
        self.copies: list[Copy] = []

    def next(self) -> bytes:
        """The next datagram."""
        return self._socket.recv(65_535)

    def next_copy(self) -> Copy:
        """The next datagram, as the capture server reads it."""
        self.copies.append(Copy(self.hep, self.next()))
        return self.copies[-1]

    def close(self) -> None:
        """Get nothing any more."""
        self._socket.close()


class Copy:
    """One message as a capture server reads it: an own reader, written after the descriptions of HEP 1 to 3."""

    def __init__(self, version: int, datagram: bytes) -> None:
        self.agent: int | None = None
        if version == 3:
            self._read_chunks(datagram)
        else:
            self._read_header(version, datagram)

    def _read_chunks(self, datagram: bytes) -> None:
        assert datagram[:4] == b"HEP3"
        assert struct.unpack_from(">H", datagram, 4) == (len(datagram),)
        chunks: dict[int, bytes] = {}
        at = 6
        while at < len(datagram):
            vendor, kind, length = struct.unpack_from(">HHH", datagram, at)
            assert vendor == 0
            chunks[kind] = datagram[at + 6 : at + length]
            at += length
        family, first = (socket.AF_INET, 3) if chunks[1] == b"\2" else (socket.AF_INET6, 5)
        self.source = socket.inet_ntop(family, chunks[first]), int.from_bytes(chunks[7])
        self.destination = socket.inet_ntop(family, chunks[first + 1]), int.from_bytes(chunks[8])
        self.protocol = chunks[2][0]
        self.agent = int.from_bytes(chunks[12])
        self.text = chunks[15].decode()

    def _read_header(self, version: int, datagram: bytes) -> None:
        given, length, family, self.protocol, source, destination = struct.unpack_from(">BBBBHH", datagram)
        assert (given, family) == (version, 2)
        self.source = socket.inet_ntop(socket.AF_INET, datagram[8:12]), source
        self.destination = socket.inet_ntop(socket.AF_INET, datagram[12:16]), destination
        if version == 2:
            self.agent = struct.unpack_from("<H", datagram, length - 4)[0]
        self.text = datagram[length:].decode()


class Scene:
    """What a scenario has so far."""

    def __init__(self) -> None:
        self.server: ServerProcess | None = None
        self.alice: Alice | None = None
        self.receiver: Receiver | None = None
        self.answers: list[str] = []
        self.log = ""
        self.page = ""

    def ask(self, *requests: bytes, answers: int | None = None) -> None:
        """Alice sends these, and reads the answers."""
        assert self.alice is not None
        for request in requests:
            self.alice.send(request)
            if answers is None:
                self.answers.append(self.alice.answer())
        for _ in range(answers or 0):
            self.answers.append(self.alice.answer())

    def begin(self, server: ServerProcess) -> None:
        """This is the server, and Alice its caller."""
        self.server = server
        self.alice = Alice(server)

    def close(self) -> None:
        """Put the sockets away."""
        for one in (self.alice, self.receiver):
            if one is not None:
                one.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    """The scenario's own."""
    opened = Scene()
    yield opened
    opened.close()


# Capture.


@given(parsers.parse("a capture server that awaits HEP {version:d}"))
def a_capture_server(scene: Scene, version: int) -> None:
    scene.receiver = Receiver()
    scene.receiver.hep = version


@given(
    parsers.re(
        r"a server (?P<v6>on IPv6 )?that copies to it as agent (?P<agent>\d+)(?P<hides> and hides .*)?"
    )
)
def a_copying_server(
    scene: Scene,
    start_server: Start,
    tmp_path_factory: pytest.TempPathFactory,
    v6: str,
    agent: str,
    hides: str,
) -> None:
    assert scene.receiver is not None
    file = tmp_path_factory.mktemp("capture") / "drachtio.conf.xml"
    file.write_text(
        f'<drachtio><admin>127.0.0.1</admin><sip><capture-server port="{scene.receiver.port}" id="{agent}" '
        f'hep-version="{scene.receiver.hep}">127.0.0.1</capture-server></sip></drachtio>'
    )
    options = ["-f", str(file), *(["--hide-credentials"] if hides else [])]
    scene.begin(start_server(*options, host="::1" if v6 else "127.0.0.1"))


@given("a server whose capture server is not there")
def no_capture_server(scene: Scene, start_server: Start) -> None:
    scene.begin(start_server("--homer", f"127.0.0.1:{closed_port()}", "--homer-id", "7"))


@when("Alice asks for options")
def alice_asks(scene: Scene) -> None:
    assert scene.alice is not None
    scene.ask(scene.alice.request())


@when(parsers.parse("Alice asks for options {times:d} times"))
def alice_asks_often(scene: Scene, times: int) -> None:
    assert scene.alice is not None
    for _ in range(times):
        scene.ask(scene.alice.request())


@when("Alice asks for options twice with the same message")
def alice_asks_twice(scene: Scene) -> None:
    assert scene.alice is not None
    request = scene.alice.request()
    scene.ask(request, request)


@when(parsers.parse('Alice asks for options with the credentials "{credentials}"'))
def alice_asks_with_credentials(scene: Scene, credentials: str) -> None:
    assert scene.alice is not None
    scene.ask(scene.alice.request(header=f"Authorization: Digest {credentials}\r\n"))


@then("the capture server gets her request, from her to the server")
def the_request_is_copied(scene: Scene) -> None:
    assert scene.receiver is not None
    assert scene.server is not None
    assert scene.alice is not None
    copy = scene.receiver.next_copy()
    assert copy.text.startswith("OPTIONS sip:bob@")
    assert (copy.source, copy.destination) == (
        (scene.alice.host, scene.alice.port),
        (scene.server.host, scene.server.sip_port),
    )
    assert copy.protocol == 17


@then(parsers.parse('it gets the answer "{status}", from the server to her'))
def the_answer_is_copied(scene: Scene, status: str) -> None:
    assert scene.receiver is not None
    assert scene.server is not None
    assert scene.alice is not None
    copy = scene.receiver.next_copy()
    assert copy.text == scene.answers[-1]
    assert copy.text.startswith(f"SIP/2.0 {status}\r\n")
    assert (copy.source, copy.destination) == (
        (scene.server.host, scene.server.sip_port),
        (scene.alice.host, scene.alice.port),
    )


@then(parsers.parse("both are of agent {agent}"))
def both_are_of(scene: Scene, agent: str) -> None:
    assert scene.receiver is not None
    assert [str(copy.agent).lower() for copy in scene.receiver.copies] == [agent, agent]


@then(parsers.parse('nothing that it gets has "{secret}"'))
def nothing_has(scene: Scene, secret: str) -> None:
    assert scene.receiver is not None
    scene.receiver.next_copy()
    texts = [copy.text for copy in scene.receiver.copies]
    assert any("Authorization: Digest ****" in text for text in texts)
    assert secret not in "".join(texts)


@then(parsers.parse('each time she is answered "{status}"'))
def each_is_answered(scene: Scene, status: str) -> None:
    assert len(scene.answers) == 30
    assert {answer.partition("\r\n")[0] for answer in scene.answers} == {f"SIP/2.0 {status}"}


@when("the server ends")
def the_server_ends(scene: Scene) -> None:
    assert scene.server is not None
    scene.log = scene.server.end()


@then("its log tells how many messages the capture server has not got")
def lost_copies_are_told(scene: Scene) -> None:
    counts = [int(count) for count in re.findall(r"capture-lost: messages=(\d+), server=127", scene.log)]
    assert 50 <= sum(counts) <= 60, scene.log  # of the last one, ICMP may say nothing in time


# Logging.


@given("a syslog server")
def a_syslog_server(scene: Scene) -> None:
    scene.receiver = Receiver()


@given(parsers.parse("a server that logs to it with the facility {facility}"))
def a_server_with_syslog(
    scene: Scene, start_server: Start, tmp_path_factory: pytest.TempPathFactory, facility: str
) -> None:
    assert scene.receiver is not None
    scene.begin(start_server("-f", _syslog(tmp_path_factory, scene.receiver.port, facility)))


@given("a server that logs to a syslog server that is not there")
def a_server_without_its_syslog(
    scene: Scene, start_server: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scene.begin(start_server("-f", _syslog(tmp_path_factory, closed_port(), "local6")))


def _syslog(folders: pytest.TempPathFactory, port: int, facility: str) -> str:
    file = folders.mktemp("syslog") / "drachtio.conf.xml"
    file.write_text(
        "<drachtio><admin>127.0.0.1</admin><logging><syslog><address>127.0.0.1</address>"
        f"<port>{port}</port><facility>{facility}</facility></syslog></logging></drachtio>"
    )
    return str(file)


_SYSLOG = re.compile(r"<(\d+)>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d \S+ (.*)", re.DOTALL)


def _next_record(scene: Scene, start: str) -> tuple[str, str]:
    """Priority and text of the next record that begins so."""
    assert scene.receiver is not None
    while True:
        matched = _SYSLOG.fullmatch(scene.receiver.next().decode())
        assert matched
        if matched[2].startswith(start):
            return matched[1], matched[2]


@then(parsers.parse('the syslog server gets "{start}" with the priority {priority}'))
def a_record_reaches_syslog(scene: Scene, start: str, priority: str) -> None:
    assert _next_record(scene, start)[0] == priority


@then(parsers.parse("it gets Alice's request with the priority {priority}"))
def the_request_reaches_syslog(scene: Scene, priority: str) -> None:
    given_priority, text = _next_record(scene, "recv ")
    assert given_priority == priority
    first, _, message = text.partition("\n")
    assert re.fullmatch(r"recv \d+ bytes from udp/\[127\.0\.0\.1\]:\d+ at \d\d:\d\d:\d\d\.\d{6}:", first)
    assert message.startswith("OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: ")
    assert message.endswith("\r\n\r\n ")


@then("standard error tells how many records are missing")
def missing_records_are_told(scene: Scene) -> None:
    told = re.search(
        r"syslog, 127\.0\.0\.1 port \d+: (\d+) records are missing here: nobody listens", scene.log
    )
    assert told, scene.log
    assert int(told[1]) > 0


@given("a server that logs as JSON")
def a_server_with_json(scene: Scene, start_server: Start) -> None:
    scene.begin(start_server("--log-format", "json"))


@then("each line of its log is a JSON object with time, level and message")
def each_line_is_json(scene: Scene) -> None:
    assert scene.server is not None
    scene.log = scene.server.end()
    lines = [json.loads(line) for line in scene.log.splitlines()]
    assert lines
    for line in lines:
        assert list(line) == ["time", "level", "message"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
        assert line["level"] in ("notice", "error", "warning", "info", "debug")


@then("one of them has Alice's request")
def one_line_has_the_request(scene: Scene) -> None:
    messages = [json.loads(line)["message"] for line in scene.log.splitlines()]
    (request,) = [text for text in messages if text.startswith("recv ")]
    assert ":\nOPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n" in request


@given(parsers.parse("a server whose sofia-loglevel is {level}"))
def a_server_with_stack_level(scene: Scene, start_server: Start, level: str) -> None:
    scene.begin(start_server("--sofia-loglevel", level))


@then(parsers.re(r"its log (?P<tells>tells|does not tell) that her transaction began"))
def the_beginning_is_told(scene: Scene, tells: str) -> None:
    assert scene.server is not None
    scene.log = scene.server.end()
    began = re.search(r"transaction z9hG4bK-1 [^\n]*: began, by OPTIONS sip:bob@127\.0\.0\.1", scene.log)
    assert (began is not None) is (tells == "tells"), scene.log


@then(parsers.re(r"its log (?P<tells>tells|does not tell) that her message came again"))
def the_repetition_is_told(scene: Scene, tells: str) -> None:
    assert ("the request came again" in scene.log) is (tells == "tells")
