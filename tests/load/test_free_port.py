"""A port that nobody has, and that the kernel gives to nobody else."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from drachtio_load import free_port as module
from drachtio_load.free_port import free_port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_it_is_none_of_those_that_the_kernel_gives_away(address: str) -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(12_000 <= free_port(address) < first for _ in range(50))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_one_that_somebody_has_is_passed_over(
    kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = free_port("127.0.0.1")
    with closing(socket.socket(type=kind)) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        offered = iter([port, port, free])
        monkeypatch.setattr("random.randrange", lambda low, high: next(offered))
        assert free_port("127.0.0.1") == free


def test_where_all_are_taken_the_kernel_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_free", lambda *of_what: False)
    assert free_port("127.0.0.1") > 1024


def test_another_system_has_a_range_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_EPHEMERAL", tmp_path / "none")
    assert 12_000 <= free_port("127.0.0.1") < 49_152


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        free_port("192.0.2.1")
