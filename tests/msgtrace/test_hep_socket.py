"""HEP as it comes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from msgtrace.cli import main
from msgtrace.entries import Account
from msgtrace.hep_socket import HepSocket
from msgtrace.live_capture import items
from msgtrace.source import Source
from tests.msgtrace.test_hep import TEXT, version_2, version_3


@pytest.mark.parametrize("packet", [version_3(), version_2(2), version_2(1)])
def test_each_version_is_read_as_it_comes(packet: bytes) -> None:
    port = free_port()
    account = Account()
    source = Source(f"hep:{port}", account)
    assert source.live
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"nothing of the kind", ("127.0.0.1", port))
        sender.sendto(packet, ("127.0.0.1", port))
        item = next(found for found in items(source) if found.sip is not None)
    source.close()
    assert item.entry.data.encode("latin-1") == TEXT
    assert (item.entry.source, item.entry.target) == ("udp/192.0.2.9:5061", "udp/192.0.2.1:5060")


def test_on_ipv6() -> None:
    hep = HepSocket("hep:[::1]:0")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.sendto(version_3(), ("::1", hep.port))
        assert len(hep.read()) == 24
        assert hep.read().endswith(version_3())
    hep.close()


@pytest.mark.parametrize(("name", "told"), [("hep:x", "expected hep:"), ("hep:99999", "expected hep:")])
def test_what_is_no_port_is_told(name: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", name]) == 1
    assert told in capsys.readouterr().err


def test_a_port_that_somebody_has(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        assert main(["decode", f"hep:{holder.getsockname()[1]}"]) == 1
    assert "in use" in capsys.readouterr().err


def test_a_file_of_such_a_name_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hep:1").write_bytes(b"6#p|ping")
    assert main(["decode", "hep:1"]) == 0
    assert b"ping" in capsysbinary.readouterr().out
