"""Kamailio's capture module reads what we send to a capture server, in each version of HEP."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from reference_server.config.model import CaptureConfiguration
from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.hep import HepCapture
from reference_server.sip.transport import TRANSPORTS
from tests.peers.kamailio import kamailio_command
from tests.peers.processes import PATIENCE

CONFIGURATION = Path(__file__).with_name("sipcapture.cfg")
REQUEST = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-1\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\n"
    "Call-ID: {call}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
RESPONSE = REQUEST.replace("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK", 1)


class CaptureServer:
    """A running Kamailio that captures."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._said: list[str] = []
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            [
                *(
                    kamailio_command(),
                    "-DD",
                    "-E",
                    "-m",
                    "16",
                    "-M",
                    "4",
                    "-Y",
                    str(folder),
                    "-w",
                    str(folder),
                ),
                *("-A", f'DATABASE="text://{folder}"', "-f", str(CONFIGURATION)),
                *("-l", f"udp:127.0.0.1:{self.port}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="latin-1",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._more:
                self._said.append(line)
                self._more.notify_all()

    def captured(self, call: str) -> str:
        """What it says of the message with that Call-ID, when it says so."""
        with self._more:
            assert self._more.wait_for(lambda: self._of(call), PATIENCE), "".join(self._said[-40:])
            return self._of(call)

    def started(self, probe: HepCapture, at: Flow) -> None:
        """Send copies until it says that it got one."""
        number = 0
        with self._more:
            while not any("captured " in line for line in self._said):
                assert number < 200, "".join(self._said[-40:])
                number += 1
                probe.sip(False, at, REQUEST.format(call=f"probe-{number}"))
                self._more.wait(0.1)

    def _of(self, call: str) -> str:
        for line in self._said:
            if line.endswith(f" {call}\n"):
                return line.partition("captured ")[2].strip().removesuffix(f" {call}")
        return ""

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(PATIENCE)
            assert self._process.stderr is not None
            self._process.stderr.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaptureServer]:
    folder = tmp_path_factory.mktemp("sipcapture")
    (folder / "version").write_text("table_name(str) table_version(int)\n")
    running = CaptureServer(folder)
    try:
        running.started(capture(running, 3), flow("udp", "127.0.0.1"))
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


def capture(server: CaptureServer, version: int) -> HepCapture:
    configuration = CaptureConfiguration(host="127.0.0.1", port=server.port, agent_id=101, version=version)
    return HepCapture(configuration, lambda name, **details: None)


def flow(transport: str, host: str) -> Flow:
    by = TRANSPORTS[transport]
    return Flow(by, host, 5080, Endpoint(by, host, 5070, host, ""), connection=int(by.stream))


SHOWN = {(version, name): name for version in (1, 2, 3) for name in ("udp", "tcp", "tls", "ws", "wss")}
SHOWN |= {(3, "tls"): "tcp"}  # as it says of the genuine server's
SHOWN |= {(version, name): "tcp" for version in (1, 2, 3) for name in ("ws", "wss")}
KAMAILIO_WRITES = {"127.0.0.1": "127.0.0.1", "2001:db8::7": "2001:db8:0:0:0:0:0:7"}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "ws", "wss"])
@pytest.mark.parametrize("host", ["127.0.0.1", "2001:db8::7"])
def test_kamailio_reads_it(server: CaptureServer, version: int, transport: str, host: str) -> None:
    copies = capture(server, version)
    call = f"{version}-{transport}-{host.replace(':', '-')}"
    copies.sip(False, flow(transport, host), REQUEST.format(call=call))
    copies.sip(True, flow(transport, host), RESPONSE.format(call=f"{call}-answer"))
    copies.close()
    by = SHOWN[version, transport]
    shown = (f"{by} {host}", f"{by} {KAMAILIO_WRITES[host]}")
    assert server.captured(call) in [f"{one} 5080 OPTIONS" for one in shown]
    assert server.captured(f"{call}-answer") in [f"{one} 5070 200" for one in shown]
