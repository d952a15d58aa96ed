"""The story of a call."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgtrace.cli import main
from tests.msgtrace import call_set
from tests.msgtrace.call_set import Played, Scene
from tests.msgtrace.test_call_table import b2bua, late

EXPLAIN = Path(__file__).parents[2] / "tools" / "msgtrace" / "explain.py"
PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"


def told(
    scene: Scene, folder: Path, capsys: pytest.CaptureFixture[str], *options: str, form: str = "trace"
) -> str:
    """What is printed."""
    log = folder / "log"
    log.write_bytes((call_set.WITH_SIP | call_set.FRAMES_ALONE)[form](scene))
    assert main(["explain", *options, str(log)]) == 0
    return capsys.readouterr().out


def test_a_good_call_is_told_in_its_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(call_set.played()[0], tmp_path, capsys, "--call", "answered")
    assert [re.sub(r"^[0-9:.]{12}  ", "", line) for line in text.splitlines()] == [
        "Call 1 (INVITE between alice and bob, Call-ID answered): answered for 0.4 s, the caller hung up.",
        "",
        "A peer (192.0.2.9:5060) sent INVITE sip:bob@192.0.2.1:5060.",
        "  It was given to the application (message 12).",
        "The answer to INVITE was 200 OK after 600.0 ms, by the application.",
        "  The ACK came after 200.0 ms.",
        "The caller hung up.",
    ]


def test_without_a_call_one_of_each_cause_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play = Played()
    for number in range(5):
        play.request("INVITE", f"busy{number}", 1, answers=["486 Busy Here"])
    play.request("INVITE", "silent", 1)
    text = told(play.scene, tmp_path, capsys)
    assert re.findall(r"(?m)^Call (\d+)", text) == ["1", "6"]
    assert "- the application chose to answer 486 Busy Here" in text
    assert "the application got the request and never responded" in text
    assert "(CALL-11, RSP-13)" in text


def test_of_the_calls_that_fit_those_that_failed_are_told_and_if_none_did_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play = Played()
    for number in range(3):
        play.request("INVITE", f"busy{number}", 1, answers=["486 Busy Here"])
        play.request("OPTIONS", f"asked{number}", 1, answers=["200 OK"])

    def calls(*options: str) -> list[str]:
        return re.findall(r"(?m)^Call (\d+)", told(play.scene, tmp_path, capsys, *options))

    assert calls() == ["1"]
    assert calls("--grep", "call-id: busy2") == ["5"]
    assert calls("--status", "486") == ["1"]
    assert calls("--method", "OPTIONS") == ["2", "4", "6"]
    assert calls("--grep", "call-id: (busy1|asked1)") == ["3"]
    assert main(["explain", "--from", "nobody", str(tmp_path / "log")]) == 1
    assert "no such call among 6 calls" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["trace", "log at info"])
def test_a_late_ack_is_odd(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(late(5), tmp_path, capsys, "--call", "1", form=form)
    assert "- the ACK took 3.0 s; until then the 200 was sent 6 times" in text
    assert "leads to an address that the caller cannot reach" in text


def test_the_cause_of_the_other_leg_is_that_of_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(b2bua(body="v=0\r\n"), tmp_path, capsys, "--call", "1")
    assert "- its other leg, call 2, failed: 404 Not Found by the other side." in text
    assert "It is the other leg of call 1" in told(b2bua(body="v=0\r\n"), tmp_path, capsys, "--call", "2")


def test_what_could_not_be_sent_names_its_clause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene()
    invite = call_set.message("INVITE sip:x@nosuch.invalid SIP/2.0", "c", "1 INVITE")
    answer = call_set.message("SIP/2.0 503 DNS Error", "c", "1 INVITE", ("a", "b"))
    meta = "0|unknown||0|07:00:00.0|t1"
    scene.steps = [
        call_set.Frame(False, "a|sip||\r\nINVITE sip:x@nosuch.invalid SIP/2.0\r\n\r\n"),
        call_set.Frame(True, f"r|response|a|OK|application|{meta}|Msg sent:|\r\n{invite}"),
        call_set.Frame(True, f"n|sip|network|{meta}||\r\n{answer}"),
    ]
    text = told(scene, tmp_path, capsys, form="client log")
    assert (
        "503 DNS Error by the server itself: the request could not be sent, the name does not resolve" in text
    )
    assert "- INVITE (CSeq 1) never left the server" in text
    assert "(OUT-6)" in text


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [(["--call", "99"], 1, "no call 99 among 16 calls"), ([], 0, "")],
)
def test_what_is_not_there(
    options: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_bytes(call_set.trace(call_set.played()[0]))
    assert main(["explain", *options, str(log)]) == code
    assert said in capsys.readouterr().err


def test_every_clause_that_is_named_is_one_of_the_specification() -> None:
    named = set(re.findall(r"\b(?:OUT|CALL|RSP|DLG)-\d+", EXPLAIN.read_text("utf-8")))
    assert named
    clauses = set(re.findall(r"(?m)^### ([A-Z]+-\d+)", PROTOCOL.read_text("utf-8")))
    assert named <= clauses
