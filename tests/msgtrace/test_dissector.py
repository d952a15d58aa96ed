"""The dissector for Wireshark, in tshark, over captures of the same calls."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from scapy.packet import Packet

from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.entries import EntryKind
from msgtrace.recordings import read
from tests.msgtrace import call_set
from tests.msgtrace.call_set import ADMIN, APPLICATION, Frame
from tests.msgtrace.test_capture import pcap
from tests.msgtrace.test_segments import Wire

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="needs tshark")


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The dissector in a file."""
    assert main(["dissector"]) == 0
    path = tmp_path / "drachtio.lua"
    path.write_text(capsys.readouterr().out, "utf-8")
    return path


def tshark(script: Path, data: bytes, *options: str) -> list[str]:
    """Lines of what it says; it must have no complaint about the script."""
    path = script.with_suffix(".pcap")
    path.write_bytes(data)
    assert TSHARK is not None
    ended = subprocess.run(
        [TSHARK, "-X", f"lua_script:{script}", "-r", str(path), *options],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Lua" not in ended.stderr, ended.stderr
    return ended.stdout.splitlines()


def wire(frames: Sequence[bytes], *, size: int = 0, port: int = ADMIN[1]) -> list[Packet]:
    """What the server sends, in segments of ``size`` octets, or a frame each."""
    made = Wire(APPLICATION, (ADMIN[0], port), acks=True)
    data = b"".join(frames)
    parts = [data[start : start + size] for start in range(0, len(data), size)] if size else frames
    for part in parts:
        made.put(1, part)
    return made.packets


def frame(payload: str) -> bytes:
    """With its length."""
    return f"{len(payload.encode())}#{payload}".encode()


def test_every_frame_has_the_kind_and_the_tokens_that_msgtrace_finds(script: Path) -> None:
    data = call_set.capture(call_set.played()[0])
    expected = [item.message for item in shown(read(data)) if item.entry.kind is EntryKind.FRAME]
    fields = ("kind", "id", "type", "transaction_id", "request_id", "outcome", "address")
    options = [option for name in fields for option in ("-e", f"drachtio.{name}")]
    rows = tshark(script, data, "-Y", "drachtio", "-T", "fields", "-E", "separator=,", *options)
    assert len(rows) == len(expected)
    for row, message in zip(rows, expected, strict=True):
        assert message is not None
        names = ("id", "type", "transaction-id", "request-id", "outcome", "address")
        assert row.split(",") == [message.kind.value, *(message.get(name) for name in names)]


@pytest.mark.parametrize(("size", "count"), [(1, 6), (7, 17), (100, 17), (1400, 17)])
def test_frames_over_segments_are_put_together(script: Path, size: int, count: int) -> None:
    steps = call_set.played()[0].steps
    frames = [frame(step.payload) for step in steps if isinstance(step, Frame) and step.down][:count]
    assert {len(one.partition(b"#")[0]) for one in frames} >= {2, 3}
    rows = tshark(script, pcap(wire(frames, size=size)), "-T", "fields", "-e", "drachtio.id")
    ids = [one for row in rows for one in row.split(",") if one]
    assert ids == [one.partition(b"#")[2].partition(b"|")[0].decode() for one in frames]


def test_sip_goes_to_its_own_dissector(script: Path) -> None:
    data = call_set.capture(call_set.played()[0])
    rows = tshark(
        script, data, "-Y", "drachtio && sip.Method == REGISTER", "-T", "fields", "-e", "sip.Call-ID"
    )
    assert set(rows) == {"refreshed", "registered-later", "never-accepted", "register-and-call"}


def test_the_secret_is_not_shown(script: Path) -> None:
    data = call_set.capture(call_set.played()[0])
    assert tshark(script, data, "-Y", "drachtio.secret", "-T", "fields", "-e", "drachtio.secret") == ["***"]


def test_violations_are_expert_infos(script: Path) -> None:
    cases = {
        "drachtio.refused": [frame("r|response|a|NOK|unknown transaction")],
        "drachtio.no_length": [b"hello world, this is nothing of ours"],
        "drachtio.wrong_length": [b"3#p|ping"],
        "drachtio.unknown": [frame("x|juggle|y")],
    }
    for name, frames in cases.items():
        rows = tshark(script, pcap(wire(frames)), "-Y", name)
        assert len(rows) == 1, name


def test_another_port_is_recognised_by_its_first_frame(script: Path) -> None:
    rows = tshark(
        script, pcap(wire([frame("a|ping"), frame("b|ping")], port=29022)), "-Y", "drachtio.type == ping"
    )
    assert len(rows) == 2
