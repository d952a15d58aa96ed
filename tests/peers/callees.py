"""SIPp as the far end of calls that an application begins: a process that takes a number of calls and then ends."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from drachtio_conformance import data
from drachtio_load.free_port import free_port
from drachtio_load.sipp import Transport, sipp_command
from tests.peers.processes import PATIENCE

_LOOK_AGAIN = 0.01


class Callee:
    """A scenario of ``sipp/callees``, listening on a free port of 127.0.0.1 until it has taken ``calls`` calls."""

    def __init__(self, scenario: str, transport: Transport, calls: int, folder: Path, **values: str) -> None:
        """``values`` are for ``[NAME]`` in the scenario."""
        self.transport = transport
        self.messages = folder / "messages.log"
        self._errors = folder / "errors.log"
        self.port = free_port()
        parameter = ";transport=tcp" if transport is Transport.TCP else ""
        self.uri = f"sip:callee@127.0.0.1:{self.port}{parameter}"
        self._process = subprocess.Popen(
            [
                sipp_command(),
                *("-sf", str(data.folder("sipp") / "callees" / f"{scenario}.xml"), "-t", transport.sipp_mode),
                *("-i", "127.0.0.1", "-mi", "127.0.0.1", "-bind_local", "-p", str(self.port), "-nostdin"),
                *("-m", str(calls), "-recv_timeout", "10000", "-skip_rlimit"),
                *("-trace_msg", "-message_file", str(self.messages)),
                *(word for name, value in values.items() for word in ("-key", name, value)),
                *("-trace_err", "-error_file", str(self._errors)),
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        """SIPp does not say when it listens; the kernel's table of sockets does, without taking the port."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            if is_open(self.transport, self.port):
                return
            time.sleep(_LOOK_AGAIN)
        raise AssertionError(f"SIPp does not listen on port {self.port}: {self._complaints()}")

    def wait(self) -> None:
        """All calls are over, and each went as the scenario says."""
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"SIPp still waits for calls; {self._complaints()}") from None
        assert status == 0, self._complaints()

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _complaints(self) -> str:
        seen = [path.read_text("latin-1") for path in (self._errors, self.messages) if path.exists()]
        return "\n".join(seen) or "it said nothing"


def is_open(transport: Transport, port: int) -> bool:
    """Whether a UDP socket is bound to 127.0.0.1:``port``, or a TCP socket listens there."""
    table, state = ("udp", "07") if transport is Transport.UDP else ("tcp", "0A")
    local = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return any(row[1] == local and row[3] == state for row in rows)
