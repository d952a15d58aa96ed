"""The programs of these tests as processes whose stdout is JSON, one object a line, waited for by what they say."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 15.0
"""seconds to wait for a line; only a failing test waits that long"""

SECRET = "kolibri"

LIBRARIES = ("drachtio-srf", "drachtio-srf-4")
"""what applications run on: 5.0 and, by an alias of package.json, 4.5"""

Line = dict[str, object]


class Talker:
    """A process and the lines it has said so far."""

    def __init__(self, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> None:
        self.name = Path(command[-1] if len(command) == 2 else command[0]).name
        self.said: list[Line] = []
        self._complaints: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        stdout, stderr = self.process.stdout, self.process.stderr

        def read_stdout() -> None:
            for line in stdout:
                self._lines.put(line)
            self._lines.put(None)

        self._readers = [
            threading.Thread(target=read_stdout, daemon=True),
            threading.Thread(target=lambda: self._complaints.extend(stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait_for(self, what: str, wanted: Callable[[list[Line]], bool]) -> None:
        """Returns as soon as ``wanted`` is true of all that was said; fails the test after PATIENCE seconds."""
        while not wanted(self.said):
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(self._report(f"did not say {what} within {PATIENCE:g} s")) from None
            if line is None:
                raise AssertionError(self._report(f"ended before it said {what}"))
            self.said.append(json.loads(line))

    def wait_for_events(self, event: str, count: int) -> list[Line]:
        """The first ``count`` lines with this ``event``, once they have been said."""
        self.wait_for(
            f"{count} × {event}", lambda said: sum(line.get("event") == event for line in said) >= count
        )
        return self.events(event)[:count]

    def events(self, event: str) -> list[Line]:
        """The lines with this ``event`` that were read until now."""
        return [line for line in self.said if line.get("event") == event]

    def stop(self) -> int:
        """SIGTERM; returns the exit status (negative: ended by that signal). Reads what was still said."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(self._report(f"did not end within {PATIENCE:g} s of SIGTERM")) from None
        for reader in self._readers:
            reader.join()
        while (line := self._lines.get()) is not None:
            self.said.append(json.loads(line))
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status

    def _report(self, problem: str) -> str:
        said = "\n".join(json.dumps(line) for line in self.said[-20:])
        return f"{self.name} {problem}.\nstdout:\n{said}\nstderr:\n{''.join(self._complaints[-40:])}"


class Server(Talker):
    """The reference server by its console command, on free ports of 127.0.0.1, ready."""

    command: tuple[str, ...] = (
        str(Path(sys.executable).with_name("drachtio-reference-server")),
        *("--secret", SECRET, "--port", "0", "--contact", "sip:127.0.0.1:0;transport=udp,tcp"),
    )

    def __init__(self, *options: str) -> None:
        super().__init__([*self.command, *options], self.environment())
        self.wait_for("its ready line", lambda said: bool(said))
        ready = self.said[0]
        assert ready["ready"] is True
        self.admin_port = int(str(ready["admin"]).rpartition(":")[2])
        endpoints = ready["sip"]
        assert isinstance(endpoints, list)
        self.hostports = [str(endpoint) for endpoint in endpoints]
        self.version = str(ready["version"])

    def environment(self) -> dict[str, str]:
        """What its process has in its environment besides what this one has."""
        return {}

    def sip_port(self, transport: str) -> int:
        """The port of the ``udp`` or ``tcp`` endpoint."""
        (port,) = (hp.rpartition(":")[2] for hp in self.hostports if hp.startswith(f"{transport}/"))
        return int(port)


class NodeApplication(Talker):
    """A drachtio-srf application that has connected, or was refused."""

    def __init__(
        self,
        script: Path,
        admin_port: int,
        secret: str = SECRET,
        library: str = LIBRARIES[0],
        **variables: str,
    ) -> None:
        """``variables`` are for its environment."""
        environment = {
            **variables,
            "DRACHTIO_HOST": "127.0.0.1",
            "DRACHTIO_PORT": str(admin_port),
            "DRACHTIO_SECRET": secret,
            "DRACHTIO_SRF": library,
        }
        super().__init__(["node", script], environment)
        self.wait_for("connected or refused", lambda said: bool(said))
        self.connected = self.said[0]
        """its first line: ``connected`` with the server's addresses, or ``refused`` with the reason"""
