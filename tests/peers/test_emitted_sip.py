"""The SIP that the server emits, read by two parsers that are not ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import sipmessage

from drachtio_load.messages import SeenMessage
from tests.peers.capture import dissect
from tests.peers.flows import FLOWS, Flows


@pytest.fixture(scope="module")
def emitted(flows: Flows) -> list[SeenMessage]:
    """Every message that SIPp received in any flow."""
    return [
        seen for flow in FLOWS for played in flows.play(flow) for seen in played.run.messages if not seen.sent
    ]


def test_there_is_something_of_every_kind(emitted: list[SeenMessage]) -> None:
    kinds = {seen.start_line.split(" ")[1 if seen.start_line.startswith("SIP/") else 0] for seen in emitted}
    assert kinds == {"100", "180", "183", "200", "202", "401", "486", "487", "INVITE", "ACK", "BYE", "NOTIFY"}
    assert {seen.transport for seen in emitted} == {"udp", "tcp"}


def test_sipmessage_reads_every_message(emitted: list[SeenMessage]) -> None:
    for seen in emitted:
        message = sipmessage.Message.parse(seen.text.encode("latin-1"))
        assert message.call_id == seen.header("Call-ID")
        assert str(message.cseq) == seen.header("CSeq")
        assert message.content_length == len(message.body)
        assert message.from_address is not None
        assert message.to_address is not None
        assert "tag" in message.from_address.parameters
        assert [via.transport for via in message.via] == [seen.transport.upper()]
        branch = message.via[0].parameters["branch"]
        assert branch is not None
        assert branch.startswith("z9hG4bK")
        if isinstance(message, sipmessage.Request):
            assert message.max_forwards == 70


def test_tshark_reads_every_message(emitted: list[SeenMessage], tmp_path: Path) -> None:
    read = dissect([seen.text for seen in emitted], tmp_path / "emitted.pcap")
    assert len(read) == len(emitted)
    for seen, dissection in zip(emitted, read, strict=True):
        assert dissection.protocol.startswith("SIP"), seen.text
        assert dissection.kind in seen.start_line.split(" "), seen.text
        assert not dissection.complaints, f"{dissection.complaints}\n{seen.text}"


def test_tshark_would_complain(tmp_path: Path) -> None:
    """The judge can fail: on a wrong header, on a message without its end, on what is no SIP."""
    head = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n"
    messages = [
        f"{head}Content-Length: many\r\n\r\n",
        f"{head}Contact <sip:a@127.0.0.1>\r\n\r\n",
        f"{head}Content-Length: 0",
        "\x00\x01 nothing of the kind",
    ]
    *bad, other = dissect(messages, tmp_path / "bad.pcap")
    assert all(dissection.complaints for dissection in bad)
    assert not other.protocol.startswith("SIP")
