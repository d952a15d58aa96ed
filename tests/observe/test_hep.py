"""HEP packets against those of the genuine server, octet for octet but for what its IPv6 addresses should be."""

from __future__ import annotations

import socket

import pytest

from reference_server.config.model import CaptureConfiguration
from reference_server.core.ports import Endpoint, Flow
from reference_server.observe.datagrams import Datagrams
from reference_server.observe.hep import HepCapture
from reference_server.sip.transport import TCP, TLS, TRANSPORTS, UDP, WS, WSS, Transport

# What the genuine server sent before the SIP message, how long that was, and what it was about:
# capture id 101, an OPTIONS from 127.0.0.1 or ::1.
GENUINE = {
    (3, "udp"): (
        "48455033018d0000000100070200000002000711000000070008526c000000080008524400000009000a6b03eec9"
        "0000000a000a000ce8cc0000000b0007010000000c000a0000006500000003000a7f00000100000004000a7f000001"
        "0000000f0130"
    ),
    (3, "tls"): (
        "48455033018e0000000100070200000002000716000000070008beb2000000080008524500000009000a6b03eecb"
        "0000000a000a0006fc1d0000000b0007010000000c000a0000006500000003000a7f00000100000004000a7f000001"
        "0000000f0131"
    ),
    (3, "ws"): (
        "4845503301a800000001000702000000020007060000000700089a82000000080008524600000009000a6b03eecc"
        "0000000a000a0003fbde0000000b0007010000000c000a0000006500000003000a7f00000100000004000a7f000001"
        "0000000f014b"
    ),
    (2, "udp"): "021c0211526c52447f0000017f000001cfee036b235e020065000000",
    (2, "tls"): "021c0216972e52457f0000017f000001d0ee036bfea70b0065000000",
    (1, "udp"): "01100211526c52447f0000017f000001",
    (1, "ws"): "01100206b3b252467f0000017f000001",
}
ABOUT = {
    (3, "udp"): (21100, 21060, 0x6B03EEC9, 0x0CE8CC, 298),
    (3, "tls"): (48818, 21061, 0x6B03EECB, 0x06FC1D, 299),
    (3, "ws"): (39554, 21062, 0x6B03EECC, 0x03FBDE, 325),
    (2, "udp"): (21100, 21060, 0x6B03EECF, 0x025E23, 298),
    (2, "tls"): (38702, 21061, 0x6B03EED0, 0x0BA7FE, 299),
    (1, "udp"): (21100, 21060, 0, 0, 298),
    (1, "ws"): (46002, 21062, 0, 0, 325),
}
GENUINE_3_BY_IPV6 = (
    "4845503301950000000100070a000000020007110000000700085271000000080008524800000009000a6b03eecd"
    "0000000a000a000a385b0000000b0007010000000c000a0000006500000005001600000000000000000000000000000000"
    "0000000600160000000000000000000000000000000000" + "00000f0120"
)
GENUINE_2_BY_IPV6 = "02340a1152715248" + "00" * 32 + "d2ee036bf1e90e0065000000"
LOOPBACK = socket.inet_pton(socket.AF_INET6, "::1")


class Kept:
    """Stands where datagrams go."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self.events: list[dict[str, str | int]] = []

    def event(self, name: str, **details: str | int) -> None:
        self.events.append({"name": name, **details})


class KeptDatagrams(Datagrams):
    """Keeps what is to be sent; loses it when told to."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 9)
        self.kept: list[bytes] = []
        self.loses = False

    def write(self, datagram: bytes, stands_for: int = 1) -> None:
        if self.loses:
            self._lose(stands_for, "no room")
        else:
            self.kept.append(datagram)


def flow(transport: Transport, host: str, port: int, ours: int) -> Flow:
    return Flow(transport, host, port, Endpoint(transport, host, ours, host, ""), connection=transport.stream)


def captured(version: int, at: Flow, text: str, *, sent: bool = False, now: float = 0.0) -> bytes:
    out = KeptDatagrams()
    configuration = CaptureConfiguration(host="127.0.0.1", agent_id=101, version=version)
    HepCapture(configuration, Kept().event, wall=lambda: now, out=out).sip(sent, at, text)
    (datagram,) = out.kept
    return datagram


@pytest.mark.parametrize("case", GENUINE, ids=lambda case: f"{case[0]}-{case[1]}")
def test_the_octets_are_the_genuine_servers(case: tuple[int, str]) -> None:
    theirs, ours, seconds, microseconds, length = ABOUT[case]
    at = flow(TRANSPORTS[case[1]], "127.0.0.1", theirs, ours)
    datagram = captured(case[0], at, "x" * length, now=seconds + microseconds / 1_000_000)
    assert datagram.hex() == GENUINE[case] + b"x".hex() * length


def test_ipv6_addresses_are_not_zeros() -> None:
    at = flow(UDP, "::1", 21105, 21064)
    third = captured(3, at, "x" * 282, now=0x6B03EECD + 0x0A385B / 1_000_000)
    assert third.replace(LOOPBACK, bytes(16)).hex() == GENUINE_3_BY_IPV6 + b"x".hex() * 282
    assert third.count(LOOPBACK) == 2
    second = captured(2, at, "", now=0x6B03EED2 + 0x0EE9F1 / 1_000_000)
    assert second.replace(LOOPBACK, bytes(16)).hex() == GENUINE_2_BY_IPV6
    assert second.count(LOOPBACK) == 2
    assert captured(1, at, "") == bytes.fromhex("01280a1152715248") + 2 * LOOPBACK


def test_what_is_sent_comes_from_us() -> None:
    at = flow(TCP, "192.0.2.9", 5060, 5070)
    datagram = captured(1, Flow(TCP, "192.0.2.9", 5060, at.local, 1), "x", sent=True)
    assert datagram[4:8] == (5070).to_bytes(2, "big") + (5060).to_bytes(2, "big")
    assert captured(1, at, "x")[4:8] == (5060).to_bytes(2, "big") + (5070).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("transport", "number"), [(UDP, 17), (TCP, 6), (TLS, 22), (WS, 6), (WSS, 6)], ids=str
)
def test_the_protocol_of_each_transport(transport: Transport, number: int) -> None:
    assert captured(2, flow(transport, "127.0.0.1", 1, 2), "x")[3] == number


def test_octets_of_the_wire_stay_as_they_are_and_an_address_may_have_a_zone() -> None:
    datagram = captured(3, flow(UDP, "fe80::1%lo", 1, 2), "caf\xe9")
    assert datagram.endswith(b"caf\xe9")
    assert socket.inet_pton(socket.AF_INET6, "fe80::1") in datagram


def test_a_message_of_any_size_is_composed() -> None:
    assert len(captured(3, flow(TCP, "127.0.0.1", 1, 2), "x" * 1_000_000)) > 1_000_000


def test_what_is_lost_is_told_at_once_then_now_and_then_and_at_the_end() -> None:
    out, kept, now = KeptDatagrams(), Kept(), [100.0]
    configuration = CaptureConfiguration(host="::1", port=9, agent_id=7)
    capture = HepCapture(configuration, kept.event, wall=lambda: now[0], out=out)
    out.loses = True
    for seconds in (0, 1, 2, 10):
        now[0] = 100.0 + seconds
        capture.sip(True, flow(UDP, "127.0.0.1", 1, 2), "x")
    capture.sip(True, flow(UDP, "127.0.0.1", 1, 2), "x")
    capture.close()
    assert [event["messages"] for event in kept.events] == [1, 3, 1]
    assert kept.events[0] == {
        "name": "capture-lost",
        "messages": 1,
        "server": "::1 port 9",
        "reason": "no room",
    }
    assert out.take_lost() is None
