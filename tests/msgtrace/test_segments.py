"""TCP with segments that the capture lacks: what is behind them is read, and what lacks is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw

from msgtrace.answers import Shown, shown
from msgtrace.calls import CallIndex
from msgtrace.entries import EntryKind
from msgtrace.readers.datagrams import Datagram
from msgtrace.readers.segments import LONGEST, MOST_WAITING, End, Gap, Piece, Segments
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace.call_set import ADMIN, APPLICATION, ETHERNET, PHONE, SERVER, Frame, Played, message
from tests.msgtrace.test_capture import pcap

End_ = tuple[str, int]


class Wire:
    """Both sides of a TCP connection; ``acks`` says whether segments acknowledge what came."""

    def __init__(self, client: End_, server: End_, *, acks: bool = False) -> None:
        self.ends = (client, server)
        self.numbers = [4294967000, 700]
        self.packets: list[Packet] = []
        self._acks = acks
        self.put(0, b"", "S")
        self.put(1, b"", "SA")

    def put(self, side: int, data: bytes, flags: str = "PA") -> None:
        """A segment from the client (0) or the server (1)."""
        (source, sport), (target, dport) = self.ends[side], self.ends[1 - side]
        acknowledged = self.numbers[1 - side] % (1 << 32) if self._acks else 0
        segment = TCP(
            sport=sport, dport=dport, seq=self.numbers[side] % (1 << 32), ack=acknowledged, flags=flags
        )
        packet = ETHERNET / IP(src=source, dst=target) / segment
        self.packets.append(packet / Raw(data) if data else packet)
        self.numbers[side] += len(data) + ("S" in flags or "F" in flags)


def admin(calls: int = 10, *, acks: bool = False) -> Wire:
    """An admin connection with calls that are refused 486: frames only."""
    play = Played()
    for number in range(calls):
        play.request("INVITE", f"c{number}", 1, answers=["486 Busy Here"])
    wire = Wire(APPLICATION, ADMIN, acks=acks)
    for step in play.scene.steps:
        if isinstance(step, Frame):
            wire.put(1 if step.down else 0, f"{len(step.payload)}#{step.payload}".encode())
    return wire


def first(wire: Wire, octets: bytes) -> int:
    """Index of the first packet that holds ``octets``."""
    return next(index for index, packet in enumerate(wire.packets) if octets in bytes(packet))


def items(packets: Sequence[Packet]) -> list[Shown]:
    """Decoded."""
    return list(shown(read(pcap(packets))))


def damages(found: Sequence[Shown]) -> list[str]:
    """What is told to lack."""
    return [item.summary for item in found if item.entry.kind is EntryKind.DAMAGE]


@pytest.mark.parametrize("acks", [False, True])
@pytest.mark.parametrize("ending", ["the file ends", "FIN", "RST", "used again"])
def test_a_lost_frame_is_told_and_all_behind_it_is_read(ending: str, acks: bool) -> None:
    wire = admin(acks=acks)
    whole = items(wire.packets)
    lost = first(wire, b"|sip|network|")
    for side in (1, 0):
        if ending != "the file ends" and ending != "used again":
            wire.put(side, b"", f"{ending[0]}A")
    packets = wire.packets[:lost] + wire.packets[lost + 1 :]
    if ending == "used again":
        packets += admin(1).packets
    found = items(packets)
    frames = [item.entry.data for item in found if item.message is not None]
    expected = [item.entry.data for item in whole if item.message is not None]
    del expected[[data.find("|sip|network|") > 0 for data in expected].index(True)]
    assert frames[: len(expected)] == expected
    (told,) = damages(found)
    assert "octets from 192.0.2.1:9022 to 192.0.2.30:40000 are not in the capture" in told
    assert not any(item.unanswered for item in found)
    numbers = [item.entry.line for item in found]
    assert numbers == sorted(numbers)


def test_a_call_whose_request_lacks_has_its_verdict_all_the_same() -> None:
    wire = admin()
    del wire.packets[first(wire, b"|sip|network|")]
    index = CallIndex()
    list(shown(read(pcap(wire.packets)), learn=index.learn))
    verdicts = {call.call_id: judge(call).text for call in index.calls}
    assert len(verdicts) == 10
    assert verdicts["c0"] == "486 Busy Here by the application; its beginning is not in the recording"
    assert verdicts["c9"] == "486 Busy Here by the application"


def test_an_application_that_may_have_answered_in_the_gap_is_not_blamed() -> None:
    wire = admin(2)
    del wire.packets[first(wire, b"SIP/2.0 486 Busy Here\r\n\r\n")]
    wire.packets = [packet for packet in wire.packets if b"Msg sent" not in bytes(packet)]
    index = CallIndex()
    found = list(shown(read(pcap(wire.packets)), learn=index.learn))
    assert damages(found)
    assert not any(item.unanswered and item.from_server for item in found)
    assert judge(index.calls[0]).text.startswith("no response in the recording, which lacks a part")


def test_sip_over_tcp_goes_on_behind_a_gap() -> None:
    phone, server = (PHONE.split(":")[0], 33000), (SERVER.split(":")[0], 5060)
    wire = Wire(phone, server)
    for number in range(6):
        call = f"s{number}"
        wire.put(0, message("OPTIONS sip:bob@h SIP/2.0", call, "1 OPTIONS").encode())
        answer = message("SIP/2.0 200 OK", call, "1 OPTIONS", body="x" * 40).encode()
        wire.put(1, answer[:90])
        wire.put(1, answer[90:])
    lost = first(wire, b"x" * 40)
    found = items(wire.packets[:lost] + wire.packets[lost + 1 :])
    calls = [item.sip.call_id for item in found if item.sip is not None and item.sip.status]
    assert calls == ["s1", "s2", "s3", "s4", "s5"]
    assert any("octets of a SIP message" in text for text in damages(found))
    assert any("are not in the capture" in text for text in damages(found))


def cut(packets: Sequence[Packet], index: int, keep: int) -> bytes:
    """The file, in which packet ``index`` was captured up to ``keep`` octets only."""
    data = pcap(packets)
    place, out = 24, [data[:24]]
    for number in range(len(packets)):
        size = int.from_bytes(data[place + 8 : place + 12], "little")
        head, body = data[place : place + 16], data[place + 16 : place + 16 + size]
        if number == index:
            head, body = head[:8] + keep.to_bytes(4, "little") + head[12:], body[:keep]
        out += [head, body]
        place += 16 + size
    return b"".join(out)


def test_a_segment_that_the_capture_cut_is_a_gap() -> None:
    wire = admin(3)
    lost = first(wire, b"|sip|network|")
    found = list(shown(read(cut(wire.packets, lost, 200))))
    assert any(f"packet {lost + 1} is cut" in text for text in damages(found))
    calls = {item.message.sip.call_id for item in found if item.message and item.message.sip}
    assert {"c1", "c2"} <= calls


def test_a_segment_that_comes_again_leaves_no_gap() -> None:
    wire = admin(3)
    lost = first(wire, b"|sip|network|")
    packets = list(wire.packets)
    packets.insert(lost + 3, packets.pop(lost))
    found = items(packets)
    assert damages(found) == []
    whole = items(wire.packets)
    assert sum(item.message is not None for item in found) == sum(item.message is not None for item in whole)


def segment(sequence: int, payload: bytes, time: int = 0) -> Datagram:
    """Of a connection that has begun with number 0."""
    return Datagram(1, time, "a:1", "b:2", True, payload, sequence=sequence)


def test_what_waits_has_limits() -> None:
    key = ("a:1", "b:2")
    segments = Segments()
    assert list(segments.take(segment(0, b"x"))) == [Piece(key, b"x", 1, 0)]
    for number in range(MOST_WAITING - 1):
        assert not list(segments.take(segment(11 + number, b"y")))
    assert len(segments._sides[key].waiting) == MOST_WAITING - 1
    gap, *pieces = segments.take(segment(10 + MOST_WAITING, b"y"))
    assert gap == Gap(key, 10, 1, 0)
    assert len(pieces) == MOST_WAITING
    assert segments._sides[key].waiting == {}

    assert not list(segments.take(segment(10 + MOST_WAITING + 20, b"z", 5)))
    steps = list(segments.take(Datagram(2, LONGEST + 6, "c:1", "d:2", True, b"?", sequence=1)))
    assert [type(step) for step in steps] == [Piece, Gap, Piece]


def test_the_end_of_a_connection_gives_out_what_waits() -> None:
    segments = Segments()
    list(segments.take(segment(0, b"x")))
    list(segments.take(segment(5, b"y")))
    fin = Datagram(3, 0, "a:1", "b:2", True, b"", sequence=6, ends=True)
    assert [type(step) for step in segments.take(fin)] == [Gap, Piece, End]
