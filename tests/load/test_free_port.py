"""Ports that programs are told are nobody else's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from drachtio_load import free_port as module
from drachtio_load.free_port import free_port


def test_none_is_told_twice_and_none_is_one_that_the_kernel_gives() -> None:
    told = [free_port() for _ in range(200)]
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(told)) == len(told)
    assert max(told) < lowest


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_one_that_somebody_has_is_passed_over(
    kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, other = free_port(), free_port()
    monkeypatch.setattr(module, "_CANDIDATES", iter([taken, other]))
    with socket.socket(type=kind) as somebody:
        somebody.bind(("127.0.0.1", taken))
        if kind is socket.SOCK_STREAM:
            somebody.listen()
        assert free_port() == other


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("told", ["", "1024 65535"])
def test_there_is_one_whatever_the_system_says(
    address: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if told:
        (tmp_path / "range").write_text(told)
    monkeypatch.setattr(module, "_EPHEMERAL", tmp_path / "range")
    monkeypatch.setattr(module, "_CANDIDATES", module._candidates())
    assert all(12_000 <= free_port(address) < 49_152 for _ in range(50))


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        free_port("192.0.2.1")
