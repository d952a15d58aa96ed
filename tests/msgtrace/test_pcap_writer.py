"""Recordings as captures: msgtrace reads them again, and tshark dissects the SIP in them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.entries import EntryKind
from msgtrace.pcap_writer import capture
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace import call_set, samples
from tests.msgtrace.call_set import PHONE, Scene, message
from tests.msgtrace.test_verdict import calls_of

FORMS = {**call_set.WITH_SIP, **call_set.FRAMES_ALONE}
TSHARK = shutil.which("tshark")


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_again(form: str) -> None:
    data = FORMS[form](call_set.played()[0])
    items = list(shown(read(data)))
    again = b"".join(capture(items))
    found = list(read(again))
    assert [entry.data for entry in found] == [
        item.entry.data for item in items if item.entry.kind in (EntryKind.FRAME, EntryKind.SIP)
    ]
    signs = [[judge(call).ending for call in calls_of(one)] for one in (data, again)]
    assert signs[0] == signs[1]


@pytest.mark.skipif(TSHARK is None, reason="needs tshark")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("peer", [PHONE, "[2001:db8::9]:5060"])
def test_tshark_dissects_it_and_finds_no_fault(transport: str, peer: str, tmp_path: Path) -> None:
    scene = Scene()
    long = message("INVITE sip:bob@h SIP/2.0", "c", "1 INVITE", body="v=0\r\n" + "a=x:" + "y" * 4000 + "\r\n")
    scene.relayed(False, long, peer)
    scene.relayed(True, message("SIP/2.0 486 Busy Here", "c", "1 INVITE", ("a", "b")), peer)
    data = call_set.trace(scene).replace(b'"udp"', f'"{transport}"'.encode())
    if "[" in peer:
        data = data.replace(b"192.0.2.1:5060", b"[2001:db8::1]:5060")
    path = tmp_path / "out.pcap"
    path.write_bytes(b"".join(capture(shown(read(data)))))
    checks = [f"-o{name}.check_checksum:TRUE" for name in ("udp", "tcp", "ip")]
    assert TSHARK is not None
    command = [TSHARK, "-r", str(path), *checks]
    told = subprocess.run([*command, "-Y", "sip"], capture_output=True, text=True, check=True).stdout
    assert "INVITE" in told
    assert "486 Busy Here" in told
    wrong = "udp.checksum.status == 0 || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags"
    assert subprocess.run([*command, "-Y", wrong], capture_output=True, text=True, check=True).stdout == ""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "log", tmp_path / "out.pcap"
    log.write_bytes(call_set.trace(call_set.played()[0]))
    assert main(["to-pcap", str(log), "-o", str(out), "--call", "1", "--call", "cancelled"]) == 0
    assert [call.call_id for call in calls_of(out.read_bytes())] == ["answered", "cancelled"]
    assert main(["to-pcap", str(log), "-o", str(out), "--call", "bogus"]) == 1
    assert "no call bogus among 16" in capsys.readouterr().err
    log.write_bytes(samples.client().encode()[:5])
    assert main(["to-pcap", str(log), "-o", str(out)]) == 1
