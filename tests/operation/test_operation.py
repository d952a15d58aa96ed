"""The process: pid file, user, service manager, background, and the signals, with real processes."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.operation.pid_file import PidFile, PidFileError
from reference_server.operation.systemd import READY, notify, reloading
from reference_server.operation.user import UserError, become, user_named
from tests.test_cli import ANYWHERE, COMMAND, DEADLINE, ROOT, Process, Starter, ask

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    for process in starter.processes:
        process.close()


def test_the_pid_file_of_a_server_that_runs_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("garbage")
    file = PidFile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    file.remove()
    assert not path.exists()
    path.write_text(f"{os.getppid()}\n")
    with pytest.raises(PidFileError, match=f"the server with pid {os.getppid()} runs already"):
        PidFile(str(path))
    file.remove()  # it is another's
    assert path.exists()
    with pytest.raises(PidFileError, match="No such file or directory"):
        PidFile(str(tmp_path / "none" / "pid"))


def test_users_by_name_and_number() -> None:
    me = pwd.getpwuid(os.getuid())
    assert user_named(me.pw_name) == user_named(str(me.pw_uid))
    become(user_named(me.pw_name))  # who one is already
    for name in ("no-such-user", "4294967299", ""):
        with pytest.raises(UserError, match="expected a user of this machine"):
            user_named(name)


def test_a_user_whose_group_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = pwd.struct_passwd(("orphan", "x", 4242, 4_000_000_000, "", "/", "/bin/false"))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: orphan)
    with pytest.raises(UserError, match="user: expected orphan's group 4000000000 on this machine, got none"):
        user_named("orphan")


def test_the_service_manager_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify(READY)
    for name in (str(tmp_path / "manager"), f"@drachtio-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name.replace("@", "\0"))
            monkeypatch.setenv("NOTIFY_SOCKET", name)
            notify(READY, "MAINPID=1")
            assert manager.recv(1000) == b"READY=1\nMAINPID=1"
            notify(reloading())
            assert manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


def test_ready_reloading_and_stopping_are_told(
    start: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(DEADLINE)
        manager.bind(str(tmp_path / "manager"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "manager"))
        process = start.ready("--pid-file", "server.pid")
        assert manager.recv(1000) == f"READY=1\nMAINPID={process.ready['pid']}".encode()
        assert (tmp_path / "server.pid").read_text() == f"{process.ready['pid']}\n"
        process.signal(signal.SIGHUP)
        assert manager.recv(1000).startswith(b"RELOADING=1\n")
        assert manager.recv(1000) == b"READY=1"
        process.signal(signal.SIGTERM)
        assert manager.recv(1000) == b"STOPPING=1"
        assert process.end()[0] == 0
        assert not (tmp_path / "server.pid").exists()


def in_background(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*COMMAND, "--daemon", *ANYWHERE, *arguments]
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=DEADLINE
    )


LOGGING = "<drachtio><admin>127.0.0.1</admin><logging><file><name>d.log</name></file></logging></drachtio>"


def wait_until_gone(pid: int) -> None:
    """The process is no child of ours, so that nobody tells when it ends."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    raise AssertionError(f"{pid} runs on")


def test_in_the_background_the_pid_is_told_when_it_is_ready(tmp_path: Path) -> None:
    (tmp_path / "d.xml").write_text(LOGGING)
    done = in_background(tmp_path, "-f", "d.xml", "--pid-file", "server.pid")
    assert (done.returncode, done.stderr) == (0, "")
    pid = int(done.stdout)
    assert (tmp_path / "server.pid").read_text() == f"{pid}\n"
    assert "Ready: " in (tmp_path / "d.log").read_text()
    assert os.getsid(pid) == pid
    for descriptor in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{descriptor}") == os.devnull
    os.kill(pid, signal.SIGTERM)
    wait_until_gone(pid)
    assert not (tmp_path / "server.pid").exists()


def test_a_start_in_the_background_that_fails_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = in_background(tmp_path, "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot listen for applications" in done.stderr
    assert "no log file is configured, so nothing is logged in the background" in done.stderr


def test_an_unknown_user_is_an_error(start: Starter) -> None:
    status, errors = start(*ANYWHERE, "--user", "no-such-user").end()
    assert status == 2
    assert errors.endswith("error: user: expected a user of this machine, got 'no-such-user'")


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that everybody can reach, as they cannot those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


@as_root
def test_the_server_becomes_the_user_with_its_groups_when_all_is_bound(public: Path) -> None:
    tmp_path, start = public, Starter(public)
    (tmp_path / "d.xml").write_text(LOGGING)
    process = start.ready("-f", "d.xml", "--user", "nobody", "--pid-file", "server.pid")
    status = Path(f"/proc/{process.ready['pid']}/status").read_text()
    nobody = pwd.getpwnam("nobody")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert fields["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert fields["Groups"].split() == [str(nobody.pw_gid)]
    assert (tmp_path / "d.log").stat().st_uid == nobody.pw_uid
    assert "|OK|" in "|" + "|".join(ask(process, "1|authenticate|admin"))
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0
    process.close()
    assert (tmp_path / "server.pid").read_text() == ""  # the directory is not the user's: emptied


@as_root
def test_who_is_not_root_becomes_nobody_else() -> None:
    code = (
        "import os; from reference_server.operation.user import *\n"
        "os.setuid(65534)\n"
        "try: become(user_named('root'))\n"
        "except UserError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "user: expected to be started by root to become root, started by 65534\n"


def calling(process: Process) -> socket.socket:
    """A phone whose INVITE an application has: the server is busy."""
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    phone.settimeout(DEADLINE)
    phone.bind(("127.0.0.1", 0))
    phone.connect(("127.0.0.1", int(sip[0].rpartition(":")[2])))
    send(phone, "1")
    assert phone.recv(65535).startswith(b"SIP/2.0 100 ")
    return phone


def send(phone: socket.socket, call: str) -> None:
    port = phone.getsockname()[1]
    phone.send(
        f"INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{call}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {call}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n".encode()
    )


def connected(process: Process) -> socket.socket:
    """An application that takes INVITE."""
    application = socket.create_connection(process.admin, timeout=DEADLINE)
    for payload in ("1|authenticate|admin", "2|route|invite"):
        application.sendall(f"{len(payload)}#{payload}".encode())
        assert b"|OK" in application.recv(65535)
    return application


def test_sigterm_frees_the_ports_of_connections_at_once_and_udp_when_the_call_is_over(start: Starter) -> None:
    process = start.ready("--drain", "60")
    sip = process.ready["sip"]
    assert isinstance(sip, list)
    with connected(process) as application, calling(process) as phone:
        assert b"INVITE sip:x" in application.recv(65535)
        process.signal(signal.SIGTERM)
        process.wait_for("Received SIGTERM")
        send(phone, "2")
        assert phone.recv(65535).startswith(b"SIP/2.0 503 ")  # nothing new begins
        for host, port in (process.admin, ("127.0.0.1", int(sip[1].rpartition(":")[2]))):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, port), timeout=DEADLINE)
        application.close()  # whereupon the call gets 480, and is over
        while not phone.recv(65535).startswith(b"SIP/2.0 480 "):
            pass
        assert process.end()[0] == 0


def test_a_second_sigterm_ends_at_once(start: Starter) -> None:
    process = start.ready("--drain", "60")
    with connected(process), calling(process):
        process.signal(signal.SIGTERM)
        process.wait_for("Received SIGTERM")
        process.signal(signal.SIGTERM)
        process.wait_for("ending at once")
        assert process.end()[0] == 0


def test_drain_0_waits_for_nothing(start: Starter) -> None:
    process = start.ready("--drain", "0")
    with connected(process), calling(process):
        process.signal(signal.SIGTERM)
        assert process.end()[0] == 0
