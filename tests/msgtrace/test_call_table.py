"""The list of calls: causes first, then a line each, on a terminal of any width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgtrace.answers import shown
from msgtrace.call_table import Judged, judged, table
from msgtrace.calls import CallIndex
from msgtrace.cli import main
from msgtrace.colours import Paint
from msgtrace.legs import join
from msgtrace.recordings import read
from msgtrace.verdict import Ending
from tests.msgtrace import call_set
from tests.msgtrace.call_set import PHONE, SERVER, Played, Scene, message

PLAIN = Paint(False)


def rows(scene: Scene, form: str = "trace", header: str = "") -> list[Judged]:
    """Of a recording in one form."""
    index = CallIndex()
    for _ in shown(read((call_set.WITH_SIP | call_set.FRAMES_ALONE)[form](scene)), learn=index.learn):
        pass
    return judged(index.calls, join(index.calls, header))


def lines(found: list[Judged], **options: int | bool) -> list[str]:
    """As they are printed."""
    return list(
        table(
            found, PLAIN, failed_only=bool(options.get("failed")), file="f.log", width=options.get("width", 0)
        )
    )


def failing() -> Scene:
    """Five calls that fail of two causes, and one that does not."""
    play = Played()
    for number in range(3):
        play.request("INVITE", f"busy{number}", 1, answers=["486 Busy Here"])
    for number in range(2):
        play.request("INVITE", f"silent{number}", 1)
    play.request("INVITE", "good", 1, answers=["200 OK"])
    play.hang_up("good", 2)
    return play.scene


def test_causes_stand_before_the_calls_the_most_frequent_first() -> None:
    found = lines(rows(failing()), failed=True)
    assert found[:3] == [
        "      3 × INVITE 486 Busy Here by the application (calls 1, 2, 3)",
        "      2 × INVITE no response: the application did not respond (calls 4, 5)",
        "",
    ]
    assert found[3].split()[:2] == ["call", "message"]
    assert len(found) == 4 + 5 + 1
    assert found[-1].startswith("6 calls: 5 failed, 0 unfinished. Failed: 1, 2, 3, 4, 5. See one: ")


@pytest.mark.parametrize("width", [60, 80, 100, 132])
def test_every_line_fits_a_terminal_and_no_word_is_cut(width: int) -> None:
    found = rows(call_set.played()[0])
    printed = lines(found, width=width)
    assert max(map(len, printed)) <= width
    text = " ".join(" ".join(printed).split())
    for row in found:
        for word in row.text.split():
            assert word in text


def test_elsewhere_a_call_is_one_line() -> None:
    found = rows(call_set.played()[0])
    assert sum(line[2:3] in "✓⚠✗…" for line in lines(found) if len(line) > 3) == len(found)


def late(acks_after: int, *, never: bool = False) -> Scene:
    """A call whose 200 is sent ``acks_after`` times more before its ACK comes; half a second lies between two."""
    scene = Scene()
    via = [f"{PHONE} i"]
    scene.relayed(False, message("INVITE sip:bob@h SIP/2.0", "c", "1 INVITE", vias=via))
    for _ in range(1 + acks_after):
        scene.relayed(True, message("SIP/2.0 200 OK", "c", "1 INVITE", ("a", "b"), vias=via))
        scene.steps += [call_set.Frame(False, "p|ping")] * 4
    if not never:
        scene.relayed(False, message("ACK sip:bob@h SIP/2.0", "c", "1 ACK", ("a", "b"), vias=[f"{PHONE} a"]))
    scene.relayed(False, message("BYE sip:bob@h SIP/2.0", "c", "2 BYE", ("a", "b"), vias=[f"{PHONE} b"]))
    scene.relayed(True, message("SIP/2.0 200 OK", "c", "2 BYE", ("a", "b"), vias=[f"{PHONE} b"]))
    return scene


@pytest.mark.parametrize("form", ["trace", "log at info", "capture of SIP alone"])
def test_a_late_ack_is_a_class_of_its_own(form: str) -> None:
    (row,) = rows(late(5), form)
    assert row.verdict.ending is Ending.WARN
    assert row.text.endswith("the caller hung up; the ACK came after 3.0 s, 200 sent 6 times")
    assert lines([row])[1].startswith("  ⚠ ")
    assert lines([row])[-1] == "1 call: 0 failed, 0 unfinished, 1 with a remark"
    (row,) = rows(late(0), form)
    assert row.verdict.ending is Ending.GOOD


def test_an_ack_that_never_comes_is_told() -> None:
    (row,) = rows(late(4, never=True), "log at info")
    assert row.verdict.ending is Ending.WARN
    assert "no ACK came, 200 sent 5 times" in row.text


def test_failures_that_nobody_acknowledges_are_counted() -> None:
    play = Played()
    play.request("INVITE", "c", 1, answers=["487 Request Terminated"], acknowledged=False)
    sent = next(step for step in play.scene.steps if isinstance(step, call_set.Sip) and step.sent)
    play.scene.steps += [sent] * 10
    (row,) = rows(play.scene)
    assert row.text == "487 Request Terminated by the application; 487 sent 11 times, no ACK came"


def test_a_request_that_nobody_answers_has_failed() -> None:
    scene = Scene()
    for _ in range(7):
        scene.relayed(
            True, message("INVITE sip:x@h SIP/2.0", "c", "1 INVITE", vias=[f"{SERVER} i"]), "192.0.2.50:5060"
        )
    (row,) = rows(scene, "log at info")
    assert (row.verdict.ending, row.text) == (Ending.BAD, "nobody answered: INVITE sent 7 times")


def b2bua(
    *, body: str = "", header: str = "", parties: str = "alice", answer: str = "404 Not Found"
) -> Scene:
    """Two legs: what comes in as ``in``, goes out as ``out`` and fails, and so the first one fails."""
    play = Played()
    extra = f"X-Correlation: {header}" if header else ""
    via, other = [f"{PHONE} in"], [f"{SERVER} out"]
    incoming = message(f"INVITE sip:bob@{SERVER} SIP/2.0", "in", "1 INVITE", vias=via, body=body, extra=extra)
    play.scene.received(incoming, "t1")
    outgoing = message(
        "INVITE sip:carol@h SIP/2.0", "out", "1 INVITE", ("o", ""), vias=other, body=body, extra=extra
    )
    outgoing = outgoing.replace("alice", parties).replace("bob@example", "carol@example")
    play.scene.sent(outgoing, "t2", "||", "", "192.0.2.20:5060")
    failed = message(f"SIP/2.0 {answer}", "out", "1 INVITE", ("o", "p"), vias=other).replace("alice", parties)
    play.scene.received(failed, "t2", "out", "192.0.2.20:5060")
    refused = message("SIP/2.0 503 Service Unavailable", "in", "1 INVITE", ("a", "b"), vias=via)
    play.scene.sent(refused, "t1", "t1|")
    return play.scene


@pytest.mark.parametrize("form", [*call_set.WITH_SIP, "client log"])
@pytest.mark.parametrize("sign", ["body", "header", "caller"])
def test_the_legs_of_one_call_are_joined_and_the_cause_is_shown_on_both(form: str, sign: str) -> None:
    scene = b2bua(
        body="v=0\r\n" if sign == "body" else "",
        header="x1" if sign == "header" else "",
        parties="alice" if sign == "caller" else "nobody",
    )
    first, second = rows(scene, form, "X-Correlation")
    assert (first.leg_of, second.leg_of) == (0, 1)
    assert re.match(r"503 Service Unavailable by .*; its other leg is call 2: 404 Not Found by ", first.text)
    assert re.match(r"404 Not Found by .*; leg of call 1$", second.text)
    causes = [line for line in lines([first, second]) if "×" in line]
    assert causes == [], "it is one call"


def test_a_call_id_in_any_header_joins() -> None:
    scene = b2bua(parties="nobody")
    scene.steps = [
        call_set.Sip(
            step.sent, step.peer, step.text.replace("CSeq: 1 INVITE\r\nC", "CSeq: 1 INVITE\r\nX-CID: in\r\nC")
        )
        if isinstance(step, call_set.Sip) and step.text.startswith("INVITE sip:carol")
        else step
        for step in scene.steps
    ]
    assert [row.leg_of for row in rows(scene, "log at info")] == [0, 1]


def test_calls_that_have_nothing_in_common_are_not_joined() -> None:
    assert [row.leg_of for row in rows(b2bua(parties="nobody"))] == [0, 0]
    play = Played()
    play.request("INVITE", "one", 1, answers=["486 Busy Here"])
    play.dialled("two", "480 Temporarily Unavailable")
    assert [row.leg_of for row in rows(play.scene)] == [0, 0], "the first one was over"


@pytest.fixture
def log(tmp_path: Path) -> str:
    """The whole set, as the server's trace."""
    path = tmp_path / "calls.jsonl"
    path.write_bytes(call_set.trace(call_set.played()[0]))
    return str(path)


FILTERS: list[tuple[list[str], int]] = [
    (["--status", "503"], 3),
    (["--status", "4xx", "--method", "REGISTER"], 3),
    (["--method", "MESSAGE"], 1),
    (["--call", "1", "--call", "cancelled"], 2),
    (["--from", "alice", "--to", "BOB"], 16),
    (["--to", "192.0.2.20"], 1),
    (["--address", "192.0.2.20:5060"], 1),
    (["--grep", "call-id: (answered|pings)"], 2),
    (["--since", "07:00:02", "--until", "07:00:03.5"], 2),
    (["--verb", "nok"], 0),
]


@pytest.mark.parametrize(("filters", "count"), FILTERS)
def test_every_filter_chooses_calls(
    filters: list[str], count: int, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "--calls", *filters, log]) == (0 if count else 1)
    out, err = capsys.readouterr()
    assert sum(line[2:3] in "✓⚠✗…" for line in out.splitlines() if len(line) > 40) == count
    assert out.splitlines()[-1].startswith(f"{count} of 16 call" if count != 16 else "16 calls")
    assert ("none of 16 calls fits" in err) == (not count)


def test_failed_takes_filters_too(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--failed", "--status", "503", log]) == 0
    shown_ = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  ✗")]
    assert shown_ == ["4", "8"]


def test_stats_take_filters_too(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--stats", "--method", "MESSAGE", log]) == 0
    out = capsys.readouterr().out
    assert re.search(r"(?m)^ +3  network-request$", out)
    assert re.search(r"(?m)^ +3  SIP MESSAGE$", out)
    assert "authenticate" not in out


def test_several_calls_make_one_ladder(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--ladder", "--call", "1", "--call", "2", log]) == 0
    out = capsys.readouterr().out
    assert out.count("BYE sip") + out.count(" BYE ") >= 2


@pytest.mark.parametrize("style", ["--ladder", "--full", "--jsonl", "--calls"])
def test_a_call_that_is_not_there_is_an_error(
    style: str, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", style, "--call", "bogus", log]) == 1
    out, err = capsys.readouterr()
    assert out == "" or style == "--calls"
    assert "no call bogus" in err or "none of 16 calls fits" in err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.match(r"msgtrace \S+", capsys.readouterr().out)
