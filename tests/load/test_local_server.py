"""Who has a port of this machine, and what it has used."""

from __future__ import annotations

import os
import socket

import pytest

from drachtio_load.local_server import LocalServer, Sample, between, find


@pytest.mark.parametrize(
    ("bound", "called"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::1", "::1"),
        ("::", "::1"),
        ("127.0.0.1", "localhost"),
    ],
)
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_process_behind_a_port_is_found(bound: str, called: str, kind: int) -> None:
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    with socket.socket(family, kind) as listening:
        listening.bind((bound, 0))
        if kind == socket.SOCK_STREAM:
            listening.listen()
        port = listening.getsockname()[1]
        transport, other = ("udp", "tcp") if kind == socket.SOCK_DGRAM else ("tcp", "udp")
        server = find(called, port, transport)
        assert server is not None
        assert server.pid == os.getpid()
        assert find(called, port, other) is None
    assert find(called, port, transport) is None


def test_a_machine_elsewhere_is_not_taken_for_this_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("0.0.0.0", 0))
        assert find("192.0.2.1", listening.getsockname()[1], "udp") is None


def test_what_it_has_used() -> None:
    sample = LocalServer(os.getpid(), "python").sample(5.0)
    assert sample is not None
    assert (sample.at, sample.cpu > 0, 1 < sample.memory < 10_000) == (5.0, True, True)
    assert LocalServer(2**22, "gone").sample(5.0) is None  # the kernel gives no such number


def test_an_interval_goes_by_the_samples_nearest_to_its_ends() -> None:
    samples = [
        Sample(at=at, cpu=cpu, memory=mib) for at, cpu, mib in ((10, 1, 30), (11.1, 1.55, 31), (12, 1.7, 32))
    ]
    first, second = between(samples, 10.1, 11.0), between(samples, 11.0, 12.2)
    assert first is not None
    assert second is not None
    assert first == pytest.approx((50, 31))
    assert second == pytest.approx((100 / 6, 32))
    assert between(samples, 12.0, 12.2) is None
    assert between([], 10, 11) is None
