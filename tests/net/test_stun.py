"""STUN on the SIP port: what a phone behind a NAT asks, and what it hears."""

from __future__ import annotations

import asyncio
import socket

import pytest

from reference_server.core.ports import Endpoint, Flow
from reference_server.net.stun import answer_to, is_stun
from reference_server.net.udp import UdpTransport
from reference_server.sip.transport import UDP
from tests.conftest import Run

COOKIE = bytes.fromhex("2112a442")
REQUEST = bytes.fromhex("0001 0000") + COOKIE + b"x" * 12


def flow(host: str, port: int, own: str) -> Flow:
    return Flow(UDP, host, port, Endpoint(UDP, own, 5060, own, f"sip:{own}:5060"))


def test_the_answer_of_the_genuine_server_as_it_was_recorded() -> None:
    recorded = bytes.fromhex("0101 0018") + COOKIE + b"x" * 12
    recorded += bytes.fromhex("0001 0008 0001 cb0c 7f000001 0004 0008 0001 13c4 7f000001")
    assert answer_to(REQUEST, flow("127.0.0.1", 0xCB0C, "127.0.0.1")) == recorded


def test_addresses_of_ipv6() -> None:
    answer = answer_to(REQUEST, flow("fe80::1%eth0", 1, "::1"))
    assert answer[2:4] == bytes([0, 48])
    assert answer[20:28] == bytes.fromhex("0001 0014 0002 0001")
    assert answer[28:44] == socket.inet_pton(socket.AF_INET6, "fe80::1")
    assert answer[44:52] == bytes.fromhex("0004 0014 0002 13c4")


@pytest.mark.parametrize("kind", ["0101", "0111", "0011", "0002"])
def test_what_is_no_binding_request_is_not_answered(kind: str) -> None:
    other = bytes.fromhex(kind) + REQUEST[2:]
    assert is_stun(other)
    assert answer_to(other, flow("127.0.0.1", 1, "127.0.0.1")) == b""


@pytest.mark.parametrize(
    "data",
    [b"", REQUEST[:-1], b"OPTIONS sip:x SIP/2.0", b"\4" + REQUEST, bytes.fromhex("0001 0001") + REQUEST[4:]],
)
def test_what_is_no_stun(data: bytes) -> None:
    assert not is_stun(data)


def test_a_phone_that_asks_hears_its_address(run: Run) -> None:
    async def story() -> None:
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ours.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        endpoint = Endpoint(UDP, "127.0.0.1", ours.getsockname()[1], "127.0.0.1", "")
        received: list[str] = []
        transport = UdpTransport(ours, endpoint, lambda text, _: received.append(text), warn=pytest.fail)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.setblocking(False)
            phone.connect(ours.getsockname())
            phone.send(REQUEST)
            answer = await asyncio.get_running_loop().sock_recv(phone, 100)
            assert int.from_bytes(answer[26:28], "big") == phone.getsockname()[1]
        assert received == []
        transport.close()

    run(story())
