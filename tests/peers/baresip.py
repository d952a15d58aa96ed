"""baresip without sound or screen, as a phone: it registers, is told to call or hang up, and says what happens.

Its control port (module ctrl_tcp) takes commands and gives events as JSON in netstrings. Audio goes from one end of a
bridge inside the process to the other; nothing but the loopback interface is used, and nothing is looked up by name.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

from drachtio_load.free_port import free_port
from tests.peers.processes import PATIENCE, Line

_MODULES = next(
    (path for path in Path("/usr").glob("lib*/**/baresip/modules") if path.is_dir()),
    Path("/usr/lib/baresip/modules"),
)
_CONFIGURATION = """\
poll_method epoll
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
sip_verify_server no
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""
_LOOK_AGAIN = 0.02


class Baresip:
    """A phone that has registered as ``user`` at the registrar on ``port`` of 127.0.0.1, and answers every call."""

    def __init__(self, user: str, password: str, port: int, transport: str, folder: Path) -> None:
        control = free_port()
        (folder / "config").write_text(_CONFIGURATION.format(control=control, modules=_MODULES))
        (folder / "accounts").write_text(
            f"<sip:{user}@127.0.0.1:{port};transport={transport}>"
            f";auth_user={user};auth_pass={password};regint=60;answermode=auto\n"
        )
        (folder / "contacts").touch()
        self._output = folder / "output.txt"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(folder), "-4", "-s"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._control = self._connect(control)
        self._came = self._control.makefile("rb")

    def _connect(self, port: int) -> socket.socket:
        """baresip does not say when its control port is open."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", port), PATIENCE)
            except ConnectionRefusedError:
                time.sleep(_LOOK_AGAIN)
        self.stop()
        raise AssertionError(f"baresip does not listen for commands:\n{self._output.read_text('latin-1')}")

    def command(self, name: str, parameters: str = "") -> None:
        """``dial`` with a URI, ``hangup``, …: the commands of its menu."""
        text = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def wait_for(self, event: str) -> Line:
        """The next event of this type; what comes before it is passed over."""
        try:
            while True:
                line = self._read()
                if line.get("type") == event:
                    return line
        except TimeoutError:
            output = self._output.read_text("latin-1")
            raise AssertionError(f"baresip did not say {event} within {PATIENCE:g} s:\n{output}") from None

    def _read(self) -> Line:
        digits = b""
        while not digits.endswith(b":"):
            octet = self._came.read(1)
            assert octet, f"baresip closed its control port:\n{self._output.read_text('latin-1')}"
            digits += octet
        line: Line = json.loads(self._came.read(int(digits[:-1])))
        self._came.read(1)
        return line

    def stop(self) -> int:
        """SIGTERM, on which it unregisters; returns the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"baresip did not end:\n{self._output.read_text('latin-1')}") from None
        finally:
            if hasattr(self, "_came"):
                self._came.close()
                self._control.close()
