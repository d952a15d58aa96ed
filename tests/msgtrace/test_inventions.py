"""What no stranger has sent yet: for each kind of fault in recordings two inputs of our own invention, and more."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.l2 import Dot1Q
from scapy.packet import Packet, Raw

from msgtrace.answers import Shown, shown
from msgtrace.calls import CallIndex
from msgtrace.entries import EntryKind
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace import call_set
from tests.msgtrace.call_set import ETHERNET, FRAMES_ALONE, WITH_SIP, message
from tests.msgtrace.test_capture import pcap
from tests.msgtrace.test_segments import Wire, admin, damages, first, items
from tests.msgtrace.test_verdict import calls_of, scene_of, told
from tests.msgtrace.test_wrappings import FORMS, assert_right, genuine_info_log, mixed, scene

A, IN_CALL = ("a", ""), ("a", "b")
OK = ["200 OK"]
SEVERAL: dict[str, tuple[list[tuple[str, int, tuple[str, str], list[str]]], str]] = {
    "a REFER that is declined ends no call": (
        [("INVITE", 1, A, OK), ("REFER", 2, IN_CALL, ["603 Decline"]), ("BYE", 3, IN_CALL, OK)],
        "✓ answered for",
    ),
    "a BYE that is answered 481 has ended it": (
        [("INVITE", 1, A, OK), ("BYE", 2, IN_CALL, ["481 Call/Transaction Does Not Exist"])],
        "✓ answered for",
    ),
    "a BYE that is challenged": (
        [
            *[("INVITE", 1, A, OK), ("BYE", 2, IN_CALL, ["407 Proxy Authentication Required"])],
            ("BYE", 3, IN_CALL, OK),
        ],
        "✓ answered for",
    ),
    "three tries": (
        [
            *[("INVITE", 1, A, ["503 x"]), ("INVITE", 2, A, ["422 y"]), ("INVITE", 3, A, OK)],
            ("BYE", 4, IN_CALL, OK),
        ],
        "✓ answered for",
    ),
    "registered, called in vain, registered": (
        [("REGISTER", 1, A, OK), ("INVITE", 2, A, ["480 Away"]), ("REGISTER", 3, A, OK)],
        "✗ 480 Away",
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("form", WITH_SIP | FRAMES_ALONE)
def test_01_verdicts_of_several_requests(name: str, form: str) -> None:
    requests, words = SEVERAL[name]
    (verdict,) = (
        told(judge(call)) for call in calls_of((WITH_SIP | FRAMES_ALONE)[form](scene_of(*requests)))
    )
    assert verdict.startswith(words)


def frames(found: list[Shown]) -> list[str]:
    return [item.entry.data for item in found if item.message is not None]


def test_02_two_gaps_one_of_each_side() -> None:
    wire = admin()
    whole = frames(items(wire.packets))
    lost = [first(wire, b"|sip|network|"), len(wire.packets) - 4]
    gone = [bytes(wire.packets[index][Raw]).decode().partition("#")[2] for index in lost]
    found = items([packet for index, packet in enumerate(wire.packets) if index not in lost])
    assert len(damages(found)) == 2
    assert frames(found) == [data for data in whole if data not in gone]


@pytest.mark.parametrize("tagged", [False, True])
def test_02_segments_that_hold_pieces_of_frames(tagged: bool) -> None:
    """A gap in the middle of a frame: the frame is damage, and the one behind it is found."""
    wire = admin(4)
    packets = []
    for packet in wire.packets:
        data = bytes(packet[Raw]) if Raw in packet else b""
        pieces = [data[start : start + 150] for start in range(0, len(data), 150)] or [b""]
        for number, piece in enumerate(pieces):
            segment = packet[TCP].copy()
            segment.remove_payload()
            segment.seq = (segment.seq + 150 * number) % (1 << 32)
            around = ETHERNET / Dot1Q(vlan=9) if tagged else ETHERNET
            head = around / IP(src=packet[IP].src, dst=packet[IP].dst) / segment
            packets.append(head / Raw(piece) if piece else head)
    lost = next(index for index, packet in enumerate(packets) if b"|sip|network|" in bytes(packet)) + 1
    found = items(packets[:lost] + packets[lost + 1 :])
    assert any("150 octets from" in text for text in damages(found))
    calls = {item.message.sip.call_id for item in found if item.message and item.message.sip}
    assert {"c1", "c2", "c3"} <= calls


BETWEEN = [
    "==> /var/log/drachtio/app.log <==\n\n==> /var/log/drachtio/drachtio.log <==\n",
    "TypeError: Cannot read properties of undefined (reading 'uri')\n    at /app/lib/call.js:42:17\n\n",
    "[12:00:01] \x1b[32mINFO\x1b[39m (siprec/1): recording c-1\n",
]


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("form", FORMS)
def test_05_what_others_write_between_records(form: str, between: str) -> None:
    text = re.sub(
        r"(?m)^(?=20[0-9]{2}-|===>|<===)", lambda at: between if at.start() else "", FORMS[form](scene())
    )
    found = assert_right(text, timed=form != "client log")
    assert not any(re.search("==> /var|TypeError|recording c-1", item.entry.data) for item in found)


def test_05_two_servers_and_an_application_in_one_stream() -> None:
    """``tail -f`` of three files: each record is whole, whoever has written it."""
    other = genuine_info_log(scene()).replace("2026-11-23 07:26", "2026-11-23 07:27")
    found = assert_right(mixed(genuine_info_log(scene()), call_set.debug_output(scene()).decode()))
    more = list(shown(read(mixed(genuine_info_log(scene()), other).encode())))
    kinds = [item.entry.kind for item in more]
    assert kinds.count(EntryKind.SIP) == 2 * sum(item.entry.kind is EntryKind.SIP for item in found)


@pytest.mark.parametrize("end", ["%0D", "<0D>", "\\u000d", "&#013;", "[CR]", "\\r\\n", "\u2190"])
@pytest.mark.parametrize("form", ["log at debug", "debug output", "client log"])
def test_06_other_spellings_of_a_carriage_return(form: str, end: str) -> None:
    assert_right(FORMS[form](scene()).replace("\r\n", f"{end}\n"), timed=form != "client log")


@pytest.mark.parametrize("body", ["Zo\xc3\xab\r\n", "{}\n", "a|b|c\r\n\r\n.\r\n", "12#x|ping"])
@pytest.mark.parametrize("end", ["\n", "\n\n"])
def test_07_frames_of_a_servers_log_keep_their_last_octets(body: str, end: str) -> None:
    head = "Content-Type: text/plain\r\n"
    frame = f"m1|sip|t1|\r\nSIP/2.0 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
    first_, second = (f"2026-11-23 07:26:0{number}.000000 " for number in (6, 7))
    text = f"{first_}Client::read_handler read: {frame}{end}{second}Sending: 20#u|response|p|OK|pong{end}"
    found = [entry.data for entry in read(text.encode("latin-1")) if entry.kind is EntryKind.FRAME]
    assert found == [frame, "u|response|p|OK|pong"]


PHONE_A, PHONE_B, PROXY = "192.0.2.9", "192.0.2.20", "192.0.2.15"


def call(ends: str) -> list[tuple[str, str, str]]:
    """A call of two telephones that ``ends`` hangs up: source, target, message."""
    via = [f"{PHONE_A}:5060 x1"]
    tags, other = (("b", "a"), PHONE_A) if ends == PHONE_B else (("a", "b"), PHONE_B)
    own = [f"{ends}:5060 b1"]
    return [
        (PHONE_A, PHONE_B, message("INVITE sip:b@h SIP/2.0", "c1", "1 INVITE", vias=via)),
        (PHONE_B, PHONE_A, message("SIP/2.0 200 OK", "c1", "1 INVITE", IN_CALL, vias=via)),
        (PHONE_A, PHONE_B, message("ACK sip:b@h SIP/2.0", "c1", "1 ACK", IN_CALL, vias=via)),
        (ends, other, message("BYE sip:x SIP/2.0", "c1", "9 BYE", tags, vias=own)),
        (other, ends, message("SIP/2.0 200 OK", "c1", "9 BYE", tags, vias=own)),
    ]


def compact(text: str) -> str:
    for name, short in (("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Via", "v"), ("Content-Length", "l")):
        text = text.replace(f"\r\n{name}: ", f"\r\n{short}: ")
    return text


def udp(source: str, target: str, text: str) -> Packet:
    return ETHERNET / IP(src=source, dst=target) / UDP(sport=5060, dport=5060) / Raw(text.encode())


def by_tcp(steps: list[tuple[str, str, str]]) -> list[Packet]:
    wire = Wire((PHONE_A, 40000), (PHONE_B, 5060))
    for source, _, text in steps:
        wire.put(0 if source == PHONE_A else 1, text.encode())
    return wire.packets


def past_a_proxy(steps: list[tuple[str, str, str]]) -> list[Packet]:
    """Each message before it and behind it."""
    return [
        packet
        for source, target, text in steps
        for packet in (udp(source, PROXY, text), udp(PROXY, target, text))
    ]


def behind_one_address(steps: list[tuple[str, str, str]]) -> list[Packet]:
    """Two telephones that differ in their ports only."""
    ports = {PHONE_A: 5061, PHONE_B: 5062}
    return [
        ETHERNET / IP(src=PHONE_A, dst=PHONE_A) / UDP(sport=ports[one], dport=ports[two]) / Raw(text.encode())
        for one, two, text in steps
    ]


WAYS: dict[str, Callable[[list[tuple[str, str, str]]], list[Packet]]] = {
    "compact names": lambda steps: [udp(one, two, compact(text)) for one, two, text in steps],
    "names in other letters": lambda steps: [
        udp(one, two, text.replace("From:", "FROM:").replace("To:", "to:")) for one, two, text in steps
    ],
    "TCP": by_tcp,
    "past a proxy": past_a_proxy,
    "behind one address": behind_one_address,
    "without its INVITE": lambda steps: [udp(*step) for step in steps[1:]],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ends", "who"), [(PHONE_A, "caller"), (PHONE_B, "callee")])
def test_08_who_hung_up_without_a_server(way: str, ends: str, who: str) -> None:
    index = CallIndex()
    list(shown(read(pcap(WAYS[way](call(ends)))), learn=index.learn))
    (found,) = index.calls
    assert f"the {who} hung up" in judge(found).text


LONG = message("INVITE sip:bob@h SIP/2.0", "f1", "1 INVITE", body="v=0\r\na=x:" + "y" * 2600 + "\r\n")


def test_09_fragments_of_two_datagrams_with_one_number() -> None:
    """Two senders count alike; what is from one goes to one."""
    parts: list[list[Packet]] = []
    for host in (PHONE_A, PHONE_B):
        whole = ETHERNET / IP(src=host, dst=PROXY, id=7) / UDP(sport=5060, dport=5060) / Raw(LONG.encode())
        parts.append(list(fragment(whole, 1200)))  # type: ignore[no-untyped-call]
    mixed_ = [packet for both in zip(*parts, strict=True) for packet in both]
    found = list(read(pcap(mixed_)))
    assert [(entry.source, entry.data) for entry in found] == [
        (f"udp/{PHONE_A}:5060", LONG),
        (f"udp/{PHONE_B}:5060", LONG),
    ]


def test_09_a_message_over_tcp_whose_end_the_capture_lacks() -> None:
    wire = Wire((PHONE_A, 40000), ("192.0.2.1", 5060))
    wire.put(0, LONG.encode()[:1000])
    found = list(read(pcap(wire.packets)))
    (damage,) = (entry for entry in found if entry.kind is EntryKind.DAMAGE)
    assert damage.data.endswith(
        "octets of a SIP message from 192.0.2.9:40000 to 192.0.2.1:5060 that has no end"
    )


def test_11_a_service_restarted_in_the_middle_of_its_log() -> None:
    """Its banner stands where a record would, under the prefix of everything else."""
    text = genuine_info_log(scene())
    records = re.split(r"(?m)^(?=2026-11-23 )", text)
    records.insert(4, "drachtio: version v0.9.5\n   _ _\n  | | |\n")
    lines = "".join(f"drachtio-1  | {line}\n" for line in "".join(records).split("\n")[:-1])
    assert_right(lines)
