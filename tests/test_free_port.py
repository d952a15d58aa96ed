"""Ports that tests tell programs are nobody else's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests import free_port as module
from tests.free_port import free_port


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
