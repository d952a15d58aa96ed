"""Where proxied calls go while they are measured: SIPp as a callee that answers whatever comes and keeps no trace."""

from __future__ import annotations

import subprocess
import tempfile
import time

from drachtio_conformance import data
from drachtio_load.free_port import free_port
from drachtio_load.sipp import Transport, sipp_command
from tests.peers.callees import is_open
from tests.peers.processes import PATIENCE


class FarEnd:
    """A process of ``sipp/callees/answer_at_once.xml``."""

    def __init__(self) -> None:
        """Raises SystemExit if it does not listen in time."""
        self.port = free_port()
        self.uri = f"sip:callee@127.0.0.1:{self.port}"
        self._folder = tempfile.TemporaryDirectory(prefix="drachtio-bench-")
        scenario = data.folder("sipp") / "callees" / "answer_at_once.xml"
        self._process = subprocess.Popen(
            [
                *(sipp_command(), "-sf", str(scenario), "-t", Transport.UDP.sipp_mode, "-i", "127.0.0.1"),
                *("-bind_local", "-p", str(self.port), "-nostdin", "-skip_rlimit", "-buff_size", "4194304"),
            ],
            cwd=self._folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not is_open(Transport.UDP, self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.stop()
                raise SystemExit("bench: the callee does not listen")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
