"""Logs for the public: nobody's name is in them, and every length is still right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.pseudonyms import Pseudonyms
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace import call_set, samples
from tests.msgtrace.test_verdict import calls_of

PRIVATE = (
    b'From: "Ann Lee" <sip:+15551234567@pbx.acme-corp.net>;tag=1\r\nTo: Bob Roe <sip:bob.roe@203.0.113.77:5060>\r\n'
    b"Contact: <sip:ann@[2001:db8::17]:5060>\r\nP-Asserted-Identity: <tel:+15551234567>\r\n"
    b'Authorization: Digest username="ann", realm="acme", nonce="n0n", response="0123456789abcdef"\r\n'
    b"X-Called: 15551234567\r\nSubject: call bob.roe, not bobby\r\nVia: SIP/2.0/UDP 203.0.113.77;branch=z9hG4bK1\r\n"
    b'Warning: 399 127.0.0.1 "Ann Lee is out"\r\nm=audio 4000 RTP/AVP 0\r\n'
)


def replaced(*texts: bytes, key: bytes = b"k") -> list[bytes]:
    """All learnt, then all replaced."""
    names = Pseudonyms(key)
    for text in texts:
        names.learn(text)
    return [names.replaced(text) for text in texts]


def test_parties_hosts_addresses_and_secrets_go_and_lengths_stay() -> None:
    (text,) = replaced(PRIVATE)
    assert len(text) == len(PRIVATE)
    for word in (
        b"Ann",
        b"Lee",
        b"5551234567",
        b"acme",
        b"bob.roe",
        b"203.0.113.77",
        b"2001:db8::17",
        b"0123456789abcdef",
    ):
        assert word not in text, word
    for word in (
        b"127.0.0.1",
        b"m=audio 4000 RTP/AVP 0",
        b".net",
        b"bobby",
        b"SIP/2.0/UDP",
        b";tag=1",
        b"branch=z9hG4bK1",
    ):
        assert word in text, word


def test_the_same_is_always_the_same_and_another_key_another() -> None:
    (text,) = replaced(PRIVATE)
    number = re.search(rb"sip:\+(\d{11})@", text)
    assert number is not None
    assert b"<tel:+" + number[1] + b">" in text
    assert b"X-Called: " + number[1] in text
    assert replaced(PRIVATE) == [text]
    assert replaced(PRIVATE, key=b"other") != [text]


@pytest.mark.parametrize("form", samples.FORMS)
def test_a_log_of_any_form_is_read_as_before(form: str) -> None:
    data = samples.FORMS[form]().encode()
    (text,) = replaced(data)
    assert b"zoe" not in text
    assert b"s3cret" not in text
    before, after = ([item for item in shown(read(one))] for one in (data, text))
    assert [item.summary.split("@")[0][:12] for item in before] == [
        item.summary.split("@")[0][:12] for item in after
    ]
    assert [item.entry.units for item in before] == [item.entry.units for item in after]
    assert [item.answers for item in before] == [item.answers for item in after]


@pytest.mark.parametrize(
    "form", ["trace", "log at info", "log at debug", "client log", "debug output", "recording"]
)
def test_verdicts_are_as_before(form: str) -> None:
    for scene in (call_set.played()[0], call_set.proxied()[0]):
        data = (call_set.WITH_SIP | call_set.FRAMES_ALONE)[form](scene)
        (text,) = replaced(data)
        assert b"alice" not in text
        assert [judge(call).text for call in calls_of(text)] == [judge(call).text for call in calls_of(data)]


def test_the_command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    log.write_bytes(samples.client().encode())
    assert main(["redact", str(log), "--key", "k", "-o", str(out)]) == 0
    assert main(["redact", str(log), "--key", "k"]) == 0
    assert capsysbinary.readouterr().out == out.read_bytes()
    assert len(out.read_bytes()) == len(log.read_bytes())
    log.write_bytes(call_set.sip_capture(call_set.played()[0]))
    assert main(["redact", str(log)]) == 1
    assert b"a capture is not redacted" in capsysbinary.readouterr().err
    assert main(["redact", str(tmp_path / "nowhere")]) == 1
    with pytest.raises(SystemExit):
        main(["redact", "-"])
