"""Packets of an interface as they pass: tcpdump or dumpcap catches them, the reader of captures decodes them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgtrace.entries import Account
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

if TYPE_CHECKING:
    from msgtrace.answers import Shown


@contextlib.contextmanager
def captured(interface: str, wanted: str) -> Iterator[str]:
    """A path at which the packets of an interface are read. Raises OSError."""
    tcpdump = shutil.which("tcpdump")
    if tcpdump is not None:
        command = [tcpdump, "-i", interface, "-U", "-s", "0", "-w", "-", *wanted.split()]
    else:
        command = ["dumpcap", "-q", "-i", interface, "-P", "-f", wanted, "-w", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield f"/dev/fd/{process.stdout.fileno()}"
        finally:
            process.terminate()


def items(source: Source, keylog: str = "") -> Iterator[Shown]:
    """The messages of a source, as they come; ``keylog`` is the file of keys for its TLS. Raises NotARecording."""
    from msgtrace.answers import shown

    yield from shown(read_blocks(source, Account(), keylog), hold=0)
