"""Kamailio on a free port of 127.0.0.1, as ``kamailio.cfg`` has it: registrar and outbound proxy in one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from drachtio_load.free_port import free_port
from drachtio_load.sipp import Transport
from tests.peers.callees import is_open
from tests.peers.processes import PATIENCE

DOMAIN = "home.test"
"""what it serves; no resolver knows this name, so that a request for it needs the proxy's address"""

AUTH = {"username": "carol", "password": "kolibri"}
"""credentials that it believes"""

_CONFIGURATION = Path(__file__).with_name("kamailio.cfg")
_LOOK_AGAIN = 0.01
_FORWARDED = re.compile(r"forwarded (?P<method>[A-Z]+) of (?P<call>\S+) from (?P<source>\w+:\d+)")


def kamailio_command() -> str:
    """Debian has it in /usr/sbin, which is on root's PATH only."""
    command = shutil.which("kamailio", path=f"{os.environ['PATH']}:/usr/sbin")
    assert command, "kamailio is not installed; make setup says what is needed"
    return command


class Kamailio:
    """A running Kamailio."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        """``certificate`` and its key: with them it speaks TLS, too."""
        self.port = free_port()
        self._tls_port = free_port()
        self._said: list[str] = []
        by_tls: list[str] = []
        if certificate is not None:
            by_tls = ["-l", f"tls:127.0.0.1:{self._tls_port}"]
            for name, path in zip(("TLS_CERTIFICATE", "TLS_KEY"), certificate, strict=True):
                by_tls += ["-A", f'{name}="{path}"']
        self._process = subprocess.Popen(
            [
                *(kamailio_command(), "-DD", "-E", "-m", "16", "-M", "4", "-Y", str(folder)),
                *("-f", str(_CONFIGURATION), "-w", str(folder)),
                *("-l", f"udp:127.0.0.1:{self.port}", "-l", f"tcp:127.0.0.1:{self.port}", *by_tls),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="latin-1",
        )
        stderr = self._process.stderr
        assert stderr is not None
        self._reader = threading.Thread(target=lambda: self._said.extend(stderr), daemon=True)
        self._reader.start()
        self._wait_until(lambda: all(is_open(by, self.port) for by in Transport), "does not listen")
        if certificate is not None:
            self._wait_until(lambda: is_open(Transport.TCP, self._tls_port), "does not listen by TLS")

    def forwarded(self, method: str, source_port: int, count: int) -> None:
        """Waits until it has forwarded ``count`` such requests (ACK and BYE: inside their calls) from that port."""

        def seen() -> bool:
            calls = {
                match["call"]
                for match in map(_FORWARDED.search, list(self._said))
                if match and match["method"] == method and match["source"].endswith(f":{source_port}")
            }
            return len(calls) >= count

        self._wait_until(seen, f"did not forward {count} × {method} from port {source_port}")

    def _wait_until(self, wanted: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not wanted():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"Kamailio {problem}:\n{''.join(self._said[-40:])}")
            time.sleep(_LOOK_AGAIN)

    def uri(self, transport: Transport) -> str:
        """Its own address."""
        return f"sip:127.0.0.1:{self.port}{';transport=tcp' if transport is Transport.TCP else ''}"

    @property
    def secure_uri(self) -> str:
        """Its own address by TLS."""
        return f"sip:127.0.0.1:{self._tls_port};transport=tls"

    def stop(self) -> None:
        """SIGTERM, which ends its children too."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("Kamailio did not end") from None
        finally:
            self._process.wait()
            self._reader.join()
            assert self._process.stderr is not None
            self._process.stderr.close()
