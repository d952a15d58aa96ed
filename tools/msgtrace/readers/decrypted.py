"""What TLS connections of a capture carry, as tshark (of Wireshark) opens them by a key log (``SSLKEYLOGFILE``) or by
the secrets that a pcapng file holds (Decryption Secrets Block, draft-ietf-opsawg-pcapng §4.8).

tshark is given the same octets as our own reader, and tells a line for each packet: its number, its ports, what it is,
and the application data of the TLS records that end in it, in hexadecimal digits. What it says is believed only as far
as it fits the packet that our own reader has at hand.
"""

from __future__ import annotations

import binascii
import contextlib
import os
import queue
import re
import select
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator

from msgspec import Struct

from msgtrace.entries import NotARecording
from msgtrace.readers.datagrams import Datagram

_FIELDS = ("frame.number", "tcp.srcport", "tcp.dstport", "frame.protocols", "data.data")
_PREFERENCES = (
    *("tcp.desegment_tcp_streams:TRUE", "tcp.reassemble_out_of_order:TRUE", "tcp.try_heuristic_first:TRUE"),
    "tls.desegment_ssl_records:TRUE",
)
_GUESSED = ("http", "http2", "rdpmt", "mq", "5gli", "fix", "credssp", "aim")
"""protocols that tshark finds in TLS by looking at what it carries; what they take is not shown as data"""
_LINE = re.compile(
    rb"([0-9]{1,10})\t([0-9,]{0,200})\t([0-9,]{0,200})\t([A-Za-z0-9_.:+-]{0,2000})\t([0-9a-f,:]*)\r?\n"
)
_LONGEST = 64 * 1024 * 1024
"""octets of a line: a packet's data in hexadecimal digits"""
_LABEL = re.compile(
    rb"(?m)^(?:CLIENT_RANDOM|RSA|(?:CLIENT|SERVER)_(?:HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_[0-9]+)"
    rb"|CLIENT_EARLY_TRAFFIC_SECRET|EARLY_EXPORTER_SECRET|EXPORTER_SECRET|PMS_CLIENT_RANDOM) "
)


_PATIENCE = 60
"""seconds that tshark has for a packet, its start included"""


class _Told(Struct, frozen=True):
    """What tshark says of a packet."""

    number: int
    ports: tuple[bytes, bytes]
    is_tls: bool
    data: bytes


class Decrypted:
    """Hands the blocks of a capture on, to tshark as well; what TLS carries can be asked for packet by packet."""

    def __init__(self, blocks: Iterable[bytes], keylog: str) -> None:
        """``keylog`` is a file, or empty where the capture holds its secrets. Raises NotARecording if that cannot be
        read, or tshark is not there."""
        if keylog:
            _check(keylog)
        program = shutil.which("tshark")
        if program is None:
            raise NotARecording("TLS is opened by tshark, of Wireshark, which is not on PATH")
        self._blocks = blocks
        self._settings = tempfile.TemporaryDirectory(
            prefix="msgtrace-"
        )  # nobody's own dissectors and filters
        with open(os.path.join(self._settings.name, "disabled_protos"), "w", encoding="ascii") as disabled:
            disabled.writelines(f"{name}\n" for name in _GUESSED)
        self._process = subprocess.Popen(
            _command(program, keylog),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "WIRESHARK_CONFIG_DIR": self._settings.name},
        )
        self._queue: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()
        self._said = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._begun = b""
        """of what tshark has said, that behind the last line that was taken"""
        self._ahead: _Told | None = None
        self.problem = ""
        """why tshark is no longer asked, if that is so"""

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._queue.put(block)
            yield block
        self._queue.put(b"")

    def of(self, datagram: Datagram) -> bytes | None:
        """The application data of the TLS records that end in a segment; None if it is no TLS, or cannot be told."""
        told = self._until(datagram.packet)
        if told is None or told.number != datagram.packet or not told.is_tls:
            return None
        ports = tuple(end.rpartition(":")[2].encode() for end in (datagram.source, datagram.target))
        if told.ports == ports:
            return told.data
        if told.data:
            self.problem = f"tshark counts the packets otherwise from packet {datagram.packet} on"
        return None

    def close(self) -> None:
        """End tshark."""
        self._queue.put(b"")
        self._process.kill()
        self._process.wait()
        self._feeder.join()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        self._settings.cleanup()

    def _until(self, number: int) -> _Told | None:
        """Read on to the packet of that number; it, or the first behind it."""
        while not self.problem and (self._ahead is None or self._ahead.number < number):
            before = self._ahead.number if self._ahead is not None else 0
            self._ahead = self._line()
            if self._ahead is not None and self._ahead.number <= before:
                self.problem = f"tshark tells of packet {self._ahead.number} behind packet {before}"
        return None if self.problem else self._ahead

    def _line(self) -> _Told | None:
        line = self._next_line()
        if self.problem:
            return None
        found = _LINE.fullmatch(line)
        if found is None:
            self.problem = self._ended() if not line else f"tshark's line is not understood: {_shown(line)}"
            return None
        number, source, target, layers, data = found.groups()
        try:
            octets = binascii.unhexlify(data.replace(b",", b"").replace(b":", b""))
        except binascii.Error:
            self.problem = f"tshark's line is not understood: {_shown(line)}"
            return None
        ends = (
            source.rpartition(b",")[2],
            target.rpartition(b",")[2],
        )  # the innermost, where there are tunnels
        return _Told(int(number), ends, b"tls" in layers.split(b":"), octets)

    def _next_line(self) -> bytes:
        """With its end, unless that lacks or stands too far behind; nothing at the end."""
        assert self._process.stdout is not None
        parts = [self._begun]
        size = len(self._begun)
        while b"\n" not in parts[-1] and size < _LONGEST:
            if not select.select([self._process.stdout], [], [], _PATIENCE)[0]:
                self.problem = f"tshark has said nothing for {_PATIENCE} s"
                return b""
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                break
            parts.append(more)
            size += len(more)
        line, end, self._begun = b"".join(parts).partition(b"\n")
        return line + end

    def _ended(self) -> str:
        self._process.wait()
        self._listener.join()
        said = [
            line for line in self._said.splitlines() if line.strip() and not line.startswith(b"Running as")
        ]
        return f"tshark ended early: {_shown(said[-1])}" if said else "tshark ended early"

    def _feed(self) -> None:
        assert self._process.stdin is not None
        try:
            while block := self._queue.get():
                self._process.stdin.write(block)
                self._process.stdin.flush()
            self._process.stdin.close()
        except OSError:
            pass  # it has ended, which shows where it is read

    def _listen(self) -> None:
        assert self._process.stderr is not None
        while said := os.read(self._process.stderr.fileno(), 65536):
            self._said = (self._said + said)[-4096:]


def _command(program: str, keylog: str) -> list[str]:
    command = [program, "-n", "-l", "-r", "-", "-d", "tls.port==1-65535,data"]
    for preference in (*_PREFERENCES, *((f"tls.keylog_file:{os.path.abspath(keylog)}",) if keylog else ())):
        command += ["-o", preference]
    command += ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    for field in _FIELDS:
        command += ["-e", field]
    return command


def _check(keylog: str) -> None:
    """Raises NotARecording if that is no key log. Nothing of it is shown: it holds secrets."""
    try:
        with open(keylog, "rb") as file:
            start = file.read(1 << 20)
    except OSError as error:
        raise NotARecording(f"the key log {keylog} cannot be read: {error.strerror}") from None
    if start.strip() and _LABEL.search(start) is None:
        raise NotARecording(
            f"{keylog} is no key log: expected lines such as 'CLIENT_RANDOM …' or 'CLIENT_TRAFFIC_SECRET_0 …', "
            "as SSLKEYLOGFILE has them"
        )


def _shown(line: bytes) -> str:
    return ascii(line[:120].strip().decode("latin-1"))
