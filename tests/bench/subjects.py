"""What a bench measures: the floor, the reference server, and a server of somebody else's."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from fast_build.__main__ import TARGET
from tests.bench.round_trip import Pinger
from tests.peers.processes import SECRET, NodeApplication, Server, Talker

START_SECONDS = 10.0


class Subject(Protocol):
    """A server that runs."""

    admin_port: int

    @property
    def process(self) -> subprocess.Popen[str]:
        """Its process, whose CPU counts."""

    def sip_port(self, transport: str) -> int:
        """Where it listens for SIP."""

    def stop(self) -> int:
        """End it; its exit status."""


class Floor(Server):
    """``tests/bench/floor.py`` as a process."""

    command = (sys.executable, "-m", "tests.bench.floor")


class Callback(Talker):
    """``tests/bench/callback.mjs``: every request goes to the application at ``place``; without one it hangs."""

    def __init__(self, place: str = "") -> None:
        environment = {"PLACE": place} if place else {"HANGS": "1"}
        super().__init__(["node", Path(__file__).with_name("callback.mjs")], environment)
        self.wait_for("listening", lambda said: bool(said))
        self.url = f"http://127.0.0.1:{self.said[0]['port']}"


class Handled(Server):
    """A server that asks a callback about each request and connects to the application that it names."""

    def __init__(self, application: Path, *options: str) -> None:
        """``application`` listens, and is started first; so is the callback."""
        self.application = NodeApplication(application, 0, DRACHTIO_LISTEN="1")
        self._callback = Callback(f"127.0.0.1:{self.application.connected['port']}")
        super().__init__("--http-handler", self._callback.url, *options)

    def stop(self) -> int:
        """The callback ends, too; the application is ended by who measures."""
        status = super().stop()
        self._callback.stop()
        return status


class Compiled(Server):
    """The server of ``make fast``."""

    def environment(self) -> dict[str, str]:
        """Its modules come first on the path."""
        return {"PYTHONPATH": os.pathsep.join([str(TARGET), *filter(None, [os.environ.get("PYTHONPATH")])])}


class Foreign:
    """A server started by a command in which ``{admin}``, ``{sip}`` and ``{secret}`` are replaced (ports and secret).

    It is ready when it answers ``authenticate``.
    """

    def __init__(self, command: str, log: Path) -> None:
        """``log`` gets what it prints. Raises SystemExit if it never comes up."""
        self.admin_port, self._sip_port = _free_port(), _free_port()
        replaced = command.format(admin=self.admin_port, sip=self._sip_port, secret=SECRET)
        with log.open("w") as output:
            self.process = subprocess.Popen(
                shlex.split(replaced), stdout=output, stderr=subprocess.STDOUT, text=True
            )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                Pinger(self.admin_port, SECRET).stop()
                return
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.process.kill()
                    self.process.wait()
                    raise SystemExit(f"bench: {replaced!r} did not come up ({error}); see {log}") from None
            self._pause()

    def _pause(self) -> None:
        """Give it a moment, or notice its end at once."""
        try:
            self.process.wait(0.1)
        except subprocess.TimeoutExpired:
            return

    def sip_port(self, transport: str) -> int:
        """The port that was put into the command, for every transport."""
        return self._sip_port

    def stop(self) -> int:
        """SIGTERM, and SIGKILL to what does not heed it."""
        self.process.terminate()
        try:
            return self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
