"""An administrator: writes the file, sets the environment, starts the server, looks at what it says, sends SIGHUP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when

from features.steps.processes import DEADLINE, NotStarted, ServerProcess, Start
from msgtrace.frames import Frame, FrameDecoder


class Application:
    """A connection to the admin port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE)

    def ask(self, tokens: str) -> str:
        """The answer to a frame, without its ids."""
        payload = f"id1|{tokens}"
        self._socket.sendall(f"{len(payload)}#{payload}".encode())
        decoder = FrameDecoder()
        while data := self._socket.recv(65_536):
            for item in decoder.feed(data):
                assert isinstance(item, Frame)
                return item.payload.partition("|response|id1|")[2]
        return "closed"

    def close(self) -> None:
        """Leave."""
        self._socket.close()


class Office:
    """What the administrator has set and started so far."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "drachtio.conf.xml"
        self.environment: dict[str, str] = {}
        self.options: list[str] = []
        self.server: ServerProcess | None = None
        self.applications: list[Application] = []
        self.status: int | None = None
        self.said = ""

    @property
    def running(self) -> ServerProcess:
        """The server, which must have come up."""
        assert self.server is not None, f"status {self.status}: {self.said}"
        return self.server

    def application(self, secret: str) -> str:
        """The answer that one gets which gives this secret; it stays connected."""
        self.applications.append(Application(self.running.admin_port))
        return self.applications[-1].ask(f"authenticate|{secret}|")


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The scenario's own."""
    opened = Office(tmp_path_factory.mktemp("etc"))
    yield opened
    for application in opened.applications:
        application.close()


@given("the configuration file")
@when("the configuration file becomes")
def the_file(office: Office, docstring: str) -> None:
    office.file.write_text(docstring)


@given(parsers.parse("a configuration file whose third line is {line}"))
def a_file_with(office: Office, line: str) -> None:
    office.file.write_text(f'<drachtio><admin port="0">127.0.0.1</admin>\n<sip>\n{line}\n</sip></drachtio>')


@given(parsers.parse("the environment says {what}"))
def the_environment(office: Office, what: str) -> None:
    if what != "nothing":
        name, _, value = what.partition("=")
        office.environment[name] = value


@given(parsers.parse("the command line says {what}"))
def the_command_line(office: Office, what: str) -> None:
    if what != "nothing":
        office.options.append(what)


@when("the server starts")
def the_server_starts(office: Office, start_server: Start) -> None:
    contact = [] if "<contacts>" in office.file.read_text() else ["--contact", "sip:127.0.0.1:0"]
    options = ["-f", str(office.file), *contact, *office.options]
    try:
        office.server = start_server(*options, bare=True, environment=office.environment)
    except NotStarted as ended:
        office.status, office.said = ended.status, ended.said


@when("the administrator sends SIGHUP")
def sighup(office: Office) -> None:
    office.running.hang_up()


@then(parsers.parse('an application that gives the secret "{secret}" is let in'))
def it_is_let_in(office: Office, secret: str) -> None:
    assert office.application(secret).startswith("OK|")


@then(parsers.parse('an application that gives the secret "{secret}" is refused'))
def it_is_refused(office: Office, secret: str) -> None:
    assert office.application(secret) == "NO|incorrect secret"


@then("the application that was let in first is still there")
def it_is_still_there(office: Office) -> None:
    assert office.applications[0].ask("ping") == "OK|pong"


@then(parsers.parse("SIP is awaited by {transports}"))
def sip_is_awaited(office: Office, transports: str) -> None:
    assert [contact.partition("/")[0] for contact in office.running.sip] == transports.split(", ")


@then(parsers.parse('the log says "{text}"'))
def the_log_says(office: Office, text: str) -> None:
    office.running.wait_for(text)


@then(parsers.parse('it ends with status {status:d}, and the last line that it says has "{text}"'))
def it_ends_with_a_line(office: Office, status: int, text: str) -> None:
    assert (office.server, office.status) == (None, status), office.said
    assert text in office.said.splitlines()[-1]
    assert "Traceback" not in office.said


@then(parsers.parse('it ends with status {status:d}, and says "{text}"'))
def it_ends_and_says(office: Office, status: int, text: str) -> None:
    assert (office.server, office.status) == (None, status), office.said
    assert text in office.said.splitlines()


@then(parsers.parse('it tells "{text}", from {origin}'))
def it_tells_the_origin(office: Office, text: str, origin: str) -> None:
    (line,) = (line for line in office.said.splitlines() if line.startswith(f"{text} ("))
    assert origin in line.partition("(")[2]


@then(parsers.parse('nothing of what it says has "{secret}"'))
def nothing_tells(office: Office, secret: str) -> None:
    assert secret not in office.said
