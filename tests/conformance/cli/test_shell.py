"""The admin shell against a real server, driven as from a pipe, and as a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from drachtio_conformance.cli import call_command
from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.cli.call_command import Call
from drachtio_conformance.cli.shell import BadInput, Shell, completions, masked
from drachtio_conformance.cli.shell_connection import CannotConnect
from drachtio_conformance.cli.shell_terminal import coloured
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.telephone.acts import HangUp
from tests.conformance.conftest import Running


class Session:
    """A shell whose output is kept."""

    def __init__(self, running: Running, secret: str = "", *, brief: bool = True) -> None:
        self.printed: list[str] = []
        host, _, port = running.admin.rpartition(":")
        self.shell = Shell(
            AdminAddress(host, int(port), secure=False), secret, self.printed.append, brief=brief
        )
        self.shell.connect()
        self.shell.settle()

    def type(self, *lines: str) -> list[str]:
        """Type lines; returns what was printed since."""
        before = len(self.printed)
        typed = iter(lines)
        for line in typed:
            assert self.shell.execute(line, lambda: next(typed, None))
            self.shell.settle()
        return [line for text in self.printed[before:] for line in text.split("\n")]


@pytest.fixture
def session(running: Running) -> Iterator[Session]:
    """An authenticated shell, one line for each frame."""
    session = Session(running, running.secret)
    yield session
    session.shell.close()


def without_times(lines: list[str]) -> list[str]:
    """``lines`` with each duration as 0 ms."""
    return [re.sub(r"[0-9.]+ ms", "0 ms", line) for line in lines]


def test_a_secret_on_the_command_line_authenticates_at_once(session: Session, running: Running) -> None:
    assert without_times(session.printed) == [
        f"connected to {running.admin}",
        "--> authenticate",
        "<-- OK   answers authenticate after 0 ms",
    ]


def test_commands_become_frames_and_answers_are_matched(session: Session) -> None:
    assert without_times(session.type("ping", "route message info", "remove_route info", "proxy|t1|x")) == [
        "--> ping",
        "<-- OK pong   answers ping after 0 ms",
        "--> route message",
        "<-- OK   answers route message after 0 ms",
        "--> route info",
        "<-- OK   answers route info after 0 ms",
        "--> remove_route info",
        "<-- OK   answers remove_route info after 0 ms",
        "--> proxy to ",
        "<-- NO Invalid proxy request: not enough information provided   answers proxy to  after 0 ms",
        "the server closed the connection (type connect for a new one)",
    ]


def test_full_output_shows_the_frame_and_every_token_but_never_the_secret(running: Running) -> None:
    session = Session(running, brief=False)
    printed = session.type(f"authenticate {running.secret} blue,green", "ping")
    session.shell.close()
    text = "\n".join(printed)
    stars = r"\*" * len(running.secret)
    assert running.secret not in text
    assert re.search(
        rf"^ +{len(running.secret) + 61}#[0-9a-f-]{{36}}\|authenticate\|{stars}\|blue,green$",
        text,
        re.MULTILINE,
    )
    assert re.search(r"^ +3 tags +blue,green$", text, re.MULTILINE)
    assert re.search(r"^ +41#[0-9a-f-]{36}\|ping$", text, re.MULTILINE)
    assert re.search(r"^ +4 text +pong$", text, re.MULTILINE)


def test_octets_and_payloads_are_sent_as_typed(session: Session) -> None:
    lines = session.type(r"frame \xff|ping", r"raw 8#id1|ping7#", "wait", r"raw \x69\x64|ping", "wait")
    assert [line for line in lines if not line.startswith("-->")] == [
        line for line in lines if line.startswith("<-- OK pong")
    ]
    assert lines[0] == "--> ping"
    assert "--> 8#id1|ping7#   (12 octets)" in lines
    assert sum(line.startswith("<-- OK pong") for line in lines) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rout invite", "no command is called 'rout' (did you mean route"),
        ("route", "route needs a verb: route invite. To send it without one: frame ID|route"),
        ("ping pong", "ping takes fewer words than 'pong'"),
        ("respond", "respond needs a status: respond 486"),
        ("respond busy", "respond needs a status"),
        ("respond 486", "there is no request to respond to yet"),
        ("sip $t", "$t is empty, there is no transaction id"),
        ("sip - $d", "$d is empty, there is no dialog id"),
        ("sip a b c d", "sip takes fewer words than 'a b c d'"),
        ("frame", "frame needs a text: frame id1|ping"),
        ("wait long", "wait takes seconds, got 'long'"),
    ],
)
def test_bad_input_is_explained(session: Session, line: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        session.shell.execute(line, lambda: None)
    assert str(refused.value).startswith(message)


def test_authenticate_needs_a_secret_from_somewhere(running: Running) -> None:
    session = Session(running)
    with pytest.raises(BadInput, match="authenticate needs a secret"):
        session.shell.execute("authenticate", lambda: None)
    session.shell.close()
    with pytest.raises(BadInput, match="there is no connection: type connect"):
        session.shell.execute("ping", lambda: None)


def test_a_comment_and_an_empty_line_do_nothing_and_quit_ends(session: Session) -> None:
    assert session.type("", "# a comment") == []
    assert session.shell.execute("quit", lambda: None) is False


def test_a_call_by_hand(session: Session, running: Running) -> None:
    session.type("route invite")
    outcomes: list[ExitCode] = []
    call = Call(uri=f"sip:bob@{running.sip}", script=(HangUp(),))
    caller = threading.Thread(target=lambda: outcomes.append(asyncio.run(call_command.place(call)).exit_code))
    before = len(session.printed)
    caller.start()
    session.type(
        *("wait", "respond 180"),
        *("sip $t", "SIP/2.0 200 OK", "Content-Type: application/sdp", "", "v=0", "."),
        *("wait", "wait", "respond 200"),
    )
    caller.join()
    assert outcomes == [ExitCode.OK]
    printed = "\n".join(session.printed[before:])  # the INVITE may come before anything is typed
    kinds = [" ".join(line.split()[:3]) for line in printed.split("\n")]
    assert kinds == [
        "<-- sip INVITE",
        "--> sip 180",
        "<-- OK 180",
        "--> sip 200",
        "<-- OK 200",
        "<-- sip ACK",
        "<-- sip BYE",
        "--> sip 200",
        "<-- OK 200",
    ]


def test_a_message_inside_the_dialog_needs_its_id(session: Session) -> None:
    printed = session.type("sip - unknown-dialog", "BYE sip:placeholder SIP/2.0", ".")
    assert printed[-1].startswith("<-- NOK Server error: unable to find dialog")


def test_a_request_of_ones_own_is_cancelled_by_its_transaction_id(session: Session) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as callee:
        callee.bind(("127.0.0.1", 0))
        callee.settimeout(10)
        session.type("sip", f"INVITE sip:carol@127.0.0.1:{callee.getsockname()[1]} SIP/2.0", ".")
        invite, caller = callee.recvfrom(65536)
        kept = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
        head = [line for line in invite.split(b"\r\n") if line.split(b":")[0] in kept]
        before = len(session.printed)
        callee.sendto(b"\r\n".join([b"SIP/2.0 180 Ringing", *head, b"Content-Length: 0", b"", b""]), caller)
        session.type("wait")
        came = session.printed[before:]  # perhaps before anything was typed
        assert came[-1].startswith("<-- sip 180 Ringing")
        session.type("sip $t", "CANCEL sip:x SIP/2.0", ".")
        assert callee.recv(65536).startswith(b"CANCEL sip:carol@127.0.0.1")
    with pytest.raises(BadInput, match="there is no request to respond to yet"):
        session.shell.execute("respond 200", lambda: None)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", {"authenticate ", "ping ", "quit "}),
        ("ro", {"route "}),
        ("route in", {"invite ", "info "}),
        ("route invite pub", {"publish "}),
        ("respond 48", {"480 ", "481 ", "486 "}),
        ("sip $", {"$t ", "$d ", "$id "}),
        ("help p", set()),
    ],
)
def test_tab_offers_what_may_follow(line: str, offered: set[str]) -> None:
    word = line.rpartition(" ")[2]
    found = set(completions(line, word))
    assert offered <= found
    assert all(one.startswith(word) for one in found)
    assert bool(found) == bool(offered)


def test_secrets_are_as_long_as_they_are() -> None:
    assert masked("30#x|authenticate|secret|tag") == "30#x|authenticate|******|tag"
    assert masked("5#x|ping") == "5#x|ping"
    assert "***" in masked("Authorization: Digest response=1\r\n")


def test_nobody_listens() -> None:
    with pytest.raises(CannotConnect, match=r"no connection to 127\.0\.0\.1:1: Connection refused"):
        Shell(AdminAddress("127.0.0.1", 1, secure=False), "", print).connect()


def test_a_shell_by_tls(running: Running) -> None:
    printed: list[str] = []
    host, _, port = running.secure_admin.rpartition(":")
    shell = Shell(AdminAddress(host, int(port), secure=True), running.secret, printed.append, brief=True)
    shell.connect()
    shell.settle()
    assert shell.execute("ping", lambda: None)
    shell.settle()
    shell.close()
    assert printed[0] == f"connected to tls://{running.secure_admin}"
    assert without_times(printed)[-1] == "<-- OK pong   answers ping after 0 ms"


def test_a_shell_by_tls_where_none_is_spoken(running: Running) -> None:
    host, _, port = running.admin.rpartition(":")
    with pytest.raises(CannotConnect, match=rf"no connection to tls://{running.admin}: "):
        Shell(AdminAddress(host, int(port), secure=True), "", print).connect()


def test_what_is_not_answered_is_told_once() -> None:
    printed: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell = Shell(
            AdminAddress("127.0.0.1", silent.getsockname()[1], secure=False),
            "cymru",
            printed.append,
            brief=True,
            patience=0.1,
        )
        shell.connect()
        shell.settle()
        assert printed[-1] == "no answer to authenticate within 0.1 s"
        shell.settle()
        assert len(printed) == 3
        shell.close()


def test_words_of_the_server_are_shown_as_text(session: Session) -> None:
    lines = session.type("raw hello", "wait")
    assert any(line.startswith("<-- NO framing error: expected 1–8 digits") for line in lines)


def shell_process(running: Running, typed: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The command on a pipe."""
    command = [sys.executable, "-m", "drachtio_conformance.cli", "shell", running.admin, *options]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


def test_on_a_pipe_each_line_waits_for_its_answer(running: Running) -> None:
    ended = shell_process(running, "ping\nroute message\n", "--secret", running.secret, "--brief")
    assert without_times(ended.stdout.splitlines())[3:] == [
        "--> ping",
        "<-- OK pong   answers ping after 0 ms",
        "--> route message",
        "<-- OK   answers route message after 0 ms",
    ]
    assert (ended.returncode, ended.stderr) == (0, "")


def test_on_a_pipe_bad_input_is_the_status(running: Running) -> None:
    ended = shell_process(running, "pingg\n")
    assert ended.returncode == ExitCode.USAGE
    assert "?   no command is called 'pingg' (did you mean ping?); type help" in ended.stdout


def test_a_wrong_secret_is_the_status_and_says_what_to_do(running: Running) -> None:
    ended = shell_process(running, "", "--secret", "wrong")
    assert ended.returncode == ExitCode.USAGE
    assert "give the right secret by --secret or DRACHTIO_SECRET" in ended.stdout


def at_a_terminal(running: Running, typed: str, until: str) -> str:
    """What a person sees who types that, up to a text."""
    command = [
        sys.executable,
        "-m",
        "drachtio_conformance.cli",
        "shell",
        running.admin,
        "--secret",
        running.secret,
    ]
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        [*command, "--brief"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = ""
    try:
        while "help for the commands" not in seen:
            seen += os.read(ours, 4096).decode()
        os.write(ours, typed.encode())
        while until not in seen:
            seen += os.read(ours, 4096).decode()
        os.write(ours, b"quit\n")
        with contextlib.suppress(OSError):  # the end of the terminal
            while os.read(ours, 4096):
                pass
        shell.wait(20)
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    return seen


def test_at_a_terminal_tab_completes_and_answers_are_coloured(running: Running) -> None:
    seen = at_a_terminal(running, "pin\t\n", "pong")
    assert re.search(r"\x1b\[1m--> ping\x1b\[0m", seen)
    assert re.search(r"\x1b\[32m<-- OK pong", seen)


def test_colours_are_by_the_beginning_of_a_line() -> None:
    assert coloured("<-- NOK bad\nplain") == "\x1b[31m<-- NOK bad\x1b[0m\nplain"
