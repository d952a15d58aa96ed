"""An application's log and a server's become one recording."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.merging import merge
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace import call_set
from tests.msgtrace.test_verdict import calls_of

SCENE = call_set.played()[0]


def shifted(data: bytes, by: float) -> bytes:
    """A recording of frames by a clock that is so many seconds ahead."""
    lines = []
    for text in data.splitlines():
        line = json.loads(text)
        moment = datetime.fromisoformat(line["time"]) + timedelta(seconds=by)
        lines.append(
            json.dumps(line | {"time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z")})
        )
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("by", [0.0, 37.25, -5.5])
def test_the_servers_sip_and_the_applications_frames_are_one_recording(by: float) -> None:
    frames = list(shown(read(shifted(call_set.recording(SCENE), by))))
    both = list(shown(read(call_set.trace(SCENE))))
    merged = merge(both, frames)
    assert merged.matches == len(frames)
    assert merged.offset == pytest.approx(-by, abs=0.001)
    assert len(merged.lines) == len(both)
    # The log at info has no frames, so that nothing tells the offset; the clocks are the same here.
    info = list(shown(read(call_set.info_log(SCENE))))
    if not by:
        joined = "\n".join(merge(info, frames).lines).encode() + b"\n"
        expected = [judge(call).text for call in calls_of(call_set.trace(SCENE))]
        assert [judge(call).text for call in calls_of(joined)] == expected


def test_what_both_hold_is_written_once_and_in_order() -> None:
    debug = list(shown(read(call_set.debug_log(SCENE))))
    output = list(shown(read(call_set.debug_output(SCENE))))
    merged = merge(debug, output)
    assert len(merged.lines) == len(debug)
    times = [json.loads(line)["time"] for line in merged.lines]
    assert times == sorted(times)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, out = (tmp_path / name for name in ("server.log", "app.jsonl", "both.jsonl"))
    one.write_bytes(call_set.debug_log(SCENE))
    two.write_bytes(shifted(call_set.recording(SCENE), 2.0))
    assert main(["merge", str(one), str(two), "-o", str(out)]) == 0
    assert "messages are in both; the clock of" in capsys.readouterr().err
    assert main(["decode", "--calls", str(out)]) == 0
    assert "16 calls: 8 failed" in capsys.readouterr().out
    assert main(["merge", str(one), str(tmp_path / "nowhere")]) == 1
