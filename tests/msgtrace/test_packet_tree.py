"""SIP in the trees that tshark prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from msgtrace.entries import Entry, EntryKind
from tests.bench import msgtrace as bench
from tests.msgtrace.call_set import ETHERNET
from tests.msgtrace.test_capture import udp
from tests.msgtrace.test_hex_dump import PACKETS, SIP, needs_tshark, read, tshark

pytestmark = needs_tshark
WITH_SDP = bench._SDP
CALL = "INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1\r\n"
CALL += "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x1\r\nCSeq: 1 INVITE\r\n"
CALL += "Content-Type: {}\r\nContent-Length: {}\r\n\r\n{}"


def sip(found: list[Entry]) -> list[str]:
    return [one.data for one in found if one.kind is EntryKind.SIP]


@pytest.mark.parametrize("options", [("-V",), ("-O", "sip"), ("-V", "-P")], ids=" ".join)
def test_messages(options: tuple[str, ...], tmp_path: Path) -> None:
    found, account = read(tshark(tmp_path, [PACKETS[0], PACKETS[-1]], *options))
    assert sip(found) == SIP
    assert [(one.source, one.target) for one in found] == [
        ("udp/10.0.0.9:5080", "udp/127.0.0.1:5060"),
        ("udp/127.0.0.1:5060", "udp/10.0.0.9:5080"),
    ]
    assert [one.where for one in found] == ["packet 1", "packet 2"]
    assert bool(found[0].time) is ("-V" in options)
    assert account.form == "packets as tshark prints them"
    assert not any(one.missing for one in found)


def test_a_body_is_put_together_where_its_length_proves_it(tmp_path: Path) -> None:
    call = CALL.format("application/sdp", len(WITH_SDP), WITH_SDP)
    found, _ = read(tshark(tmp_path, [udp(call, sent=False)], "-V"))
    assert sip(found) == [call]
    assert found[0].missing == 0


def test_another_body_lacks(tmp_path: Path) -> None:
    call = CALL.format("application/x-unknown", 6, "a\x01b\x02cd")
    found, _ = read(tshark(tmp_path, [udp(call, sent=False)], "-V"))
    assert sip(found) == [call[:-6]]
    assert (found[0].missing, found[0].remark) == (6, "tshark shows its body taken apart")


def test_tcp_and_ipv6(tmp_path: Path) -> None:
    segment = TCP(sport=40001, dport=5060, seq=1, flags="PA") / Raw(SIP[0].encode("latin-1"))
    found, _ = read(tshark(tmp_path, [ETHERNET / IPv6(src="2001:db8::9", dst="2001:db8::1") / segment], "-V"))
    assert sip(found) == [SIP[0]]
    assert (found[0].source, found[0].target) == ("tcp/[2001:db8::9]:40001", "tcp/[2001:db8::1]:5060")
