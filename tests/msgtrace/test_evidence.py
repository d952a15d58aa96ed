"""Each file of the evidence and of the client logs: what it announces is decoded, or it is refused by name.

The announcements are counted by patterns of their own, not by the readers'.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgtrace.entries import Account, EntryKind, NotARecording
from msgtrace.recordings import read_blocks

SHARED = Path(__file__).parents[3] / "shared"
FOLDERS = ("evidence", "wire-logs")
TRACE = re.compile(
    rb"(?m)^(?:20\d\d-\d\d-\d\d [\d:.]{15}|    b'<\d+>Nov \d\d [\d:]{8} vm) (?:recv|send) \d+ bytes (?:from|to) "
)
FRAME = re.compile(rb"(?<![0-9])[0-9]{1,6}#[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\|")
DECODED = {
    "blacklist-daemon-https-timers.txt": (0, 0),
    "http-handler-oracle.log": (0, 313),
    "log-sample-all-transports-info.log": (0, 12),
    "log-sip-trace-bodies-TZ-NewYork.log": (0, 20),
    "logging-notes.txt": (0, 4),
    "proxy-oracle.log": (0, 134),
    "srf-4.4.15-api.log": (16, 0),
    "srf-5.0.29-opt.log": (6, 0),
    "srf-5.0.29-stderr.log": (16, 0),
    "srf-tty.log": (16, 0),
}
"""frames and SIP messages of each file that is a recording, nothing of it damaged; the others are refused"""
FILES = sorted(path for folder in FOLDERS for path in (SHARED / folder).glob("*") if path.is_file())


@pytest.mark.skipif(not FILES, reason="the evidence does not stand beside the project")
def test_no_recording_of_the_table_lacks() -> None:
    assert set(DECODED) <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_a_file_announces_is_decoded(path: Path) -> None:
    data, account = path.read_bytes(), Account()
    announced = len(FRAME.findall(data)), len(TRACE.findall(data))
    if path.name not in DECODED:
        assert announced == (0, 0)
        with pytest.raises(NotARecording, match="not a recording of the admin protocol"):
            list(read_blocks([data], account))
        return
    kinds = [entry.kind for entry in read_blocks([data], account)]
    assert (kinds.count(EntryKind.FRAME), kinds.count(EntryKind.SIP)) == DECODED[path.name] == announced
    assert kinds.count(EntryKind.DAMAGE) == account.damage == 0
