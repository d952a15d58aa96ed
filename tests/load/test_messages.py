from __future__ import annotations

from pathlib import Path

from drachtio_load.messages import read_messages

REQUEST = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nCall-ID: 1\r\nX-Rule: ----------\r\nContent-Length: 0\r\n\r\n"
RESPONSE = "SIP/2.0 200 OK\r\ncall-id:  1\r\nContent-Length: 4\r\n\r\n\xc3\xa9\r\n"
RULE = "-" * 47 + " 2026-11-23 09:44:29.888746\n"


def test_messages_are_cut_by_their_byte_counts(tmp_path: Path) -> None:
    log = tmp_path / "messages.log"
    log.write_bytes(
        f"{RULE}UDP message sent ({len(REQUEST)} bytes):\n\n{REQUEST}\n"
        f"{RULE}TCP message received [{len(RESPONSE)}] bytes :\n\n{RESPONSE}\n".encode("latin-1")
    )
    sent, received = read_messages(log)
    assert (sent.sent, sent.transport, sent.text) == (True, "udp", REQUEST)
    assert (received.sent, received.transport, received.text) == (False, "tcp", RESPONSE)
    assert received.start_line == "SIP/2.0 200 OK"
    assert received.header("Call-ID") == "1"
    assert received.header("X-Rule") is None


def test_no_file_is_no_message(tmp_path: Path) -> None:
    assert read_messages(tmp_path / "messages.log") == []
