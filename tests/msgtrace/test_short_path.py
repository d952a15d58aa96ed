"""The short path beside the long one: the same lines, the same counts, whatever the recording holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace import answers, short_path
from msgtrace.answers import HELD, shown
from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.json_path import JsonFollower
from msgtrace.octet_account import Statistics
from msgtrace.ordinary import Detail, Run
from msgtrace.recordings import read_blocks, read_runs
from msgtrace.render import json_line, line
from msgtrace.short_path import LineFollower
from tests.bench import msgtrace as bench
from tests.msgtrace import samples

SHARED = Path(__file__).parents[3] / "shared"
FEW = 100
"""lines that are held back in most tests of it, which would go through ten times as many; all count as they do"""


def blocks(data: bytes, size: int, account: Account) -> Iterator[bytes]:
    """``data`` as a file gives it."""
    for start in range(0, len(data), size):
        account.total += len(data[start : start + size])
        yield data[start : start + size]


def keeping(found: Iterable[Entry | Run], kept: list[Entry | Run]) -> Iterator[Entry | Run]:
    """Hands on what was found and keeps it, so that it can be gone through again."""
    for one in found:
        if isinstance(one, Run):
            one.times = list(islice(one.times, len(one.frames)))
            one.stamps = list(islice(one.stamps, len(one.frames)))
        kept.append(one)
        yield one


def counted(statistics: Statistics, account: Account) -> list[str]:
    """All that is counted."""
    return [*statistics.lines(account), str(account.frames), str(account.units)]


def both_ways(data: bytes, size: int = 1 << 20) -> str:
    """The lines of ``data``, which both ways and both ways of counting agree on."""
    damaged: list[Entry] = []
    account = Account()
    entries = list(read_blocks(blocks(data, size, account), account))
    long = "".join(f"{line(item)}\n" for item in shown(entries, hold=answers.HELD))
    statistics = Statistics()
    statistics.take(entries, damaged.append)

    short_account, short_damaged = Account(), list[Entry]()
    runs: list[Entry | Run] = []
    found = read_runs(blocks(data, size, short_account), short_account, Detail.LINE)
    assert b"".join(LineFollower(short_damaged.append).texts(keeping(found, runs))).decode() == long
    assert short_damaged == damaged == [entry for entry in entries if entry.kind is EntryKind.DAMAGE]

    for secrets in (False, True):
        json_lines = b"".join(JsonFollower(lambda entry: None, show_secrets=secrets).texts(runs)).decode()
        items = shown(entries, hold=answers.HELD)
        assert json_lines.splitlines() == [json_line(item, show_secrets=secrets) for item in items]

    short_account, short_statistics = Account(), Statistics()
    found = read_runs(blocks(data, size, short_account), short_account, Detail.KIND)
    short_statistics.take(found, lambda entry: None)
    assert counted(short_statistics, short_account) == counted(statistics, account)
    return long


def hold(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways hold back so many lines, and the short one looks as often as before which of them are ready."""
    for module in (answers, short_path):
        monkeypatch.setattr(module, "HELD", held)
    monkeypatch.setattr(short_path, "_LINES_AT_ONCE", held * 2 // 5)


def call(number: int) -> list[tuple[bool, str]]:
    """A basic call."""
    return list(bench.exchange(number))


SDP_THAT_LIES = "v=0\r\n\r\nCSeq: 9 LIE\r\n2026-11-23 07:36:00.531104 not a record\r\n===>\r\n"


def renamed(payload: str, *changes: tuple[str, str]) -> str:
    """``payload`` with the first of each replaced."""
    for old, new in changes:
        payload = payload.replace(old, new, 1)
    return payload


RECEIVED, RINGING, ECHO, *_ = (payload for _, payload in call(7))
ODD: list[tuple[bool, str]] = [
    (False, "a1|ping"),
    (True, "b1|response|a1|OK|pong"),
    (False, "a2|route|invite"),
    (True, "b2|response|a2|OK"),
    (False, "a3|authenticate|s3cret|"),
    (True, "b3|response|a3|OK|udp/127.0.0.1:5060|v0.9.5|udp/127.0.0.1:5060"),
    (True, "b4|response|00000007-0000-4000-8000-000000000001|NOK|no such transaction"),
    (True, "b5|cdr:attempt|network|07:33:51.717647|"),
    (
        False,
        "a4|proxy|00000007-0000-4000-8000-00000000000c|1|1|0|serial|||sip:x@y\r\nINVITE sip:x@y SIP/2.0\r\n\r\n",
    ),
    (True, renamed(ECHO, ("||Msg sent:|", "|continue|"))),
    (True, renamed(ECHO, ("Msg sent:|", "discontinued|"))),
    (True, renamed(ECHO, ("OK|", "OK\r|"))),
    (True, renamed(ECHO, ("OK|", "NO|"))),
    (True, renamed(ECHO, ("\r\nSIP/2.0 180 Ringing\r\n", "\r\nSIP/3.0 180 Ringing\r\n"))),
    (True, renamed(ECHO, ("180 Ringing", " "))),
    (True, renamed(ECHO, ("180 Ringing", "180 Ringing " + "g" * 120))),
    (True, renamed(ECHO, ("180 Ringing", "180 \\x41\ta\x7f"))),
    (True, renamed(ECHO, ("CSeq: 1 INVITE", "cSEQ :  1 INVITE "))),
    (True, renamed(ECHO, ("CSeq: 1 INVITE", "CSeq: 1"))),
    (True, renamed(ECHO, ("CSeq: 1 INVITE\r\n", f"\r\n{SDP_THAT_LIES}"))),
    (True, renamed(ECHO, ("CSeq: 1 INVITE\r\n", "X: y\n\r\nCSeq: 1 INVITE\r\n"))),
    (True, renamed(RECEIVED, ("INVITE sip:", "ACK sip:"))),
    (True, renamed(RECEIVED, ("INVITE sip:", "invite sip:"))),
    (True, renamed(RECEIVED, ("INVITE sip:bob", "INVITE sip:b ob"))),
    (True, renamed(RECEIVED, ("alice", "Zoé"))),
    (True, renamed(RECEIVED, ("|network|", "|application|"))),
    (True, renamed(RECEIVED, ("|network|", "|network\r|"))),
    (True, renamed(RECEIVED, ("|network|", "|net\nwork|"))),
    (True, renamed(RECEIVED, ("|udp|", "|"), ("||127.0.0.1|5060|", ""))),
    (True, renamed(RECEIVED, ("INVITE sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"))),
    (True, renamed(RECEIVED, ("s=-\r\n", f"s=-\n{SDP_THAT_LIES}"))),
    (True, renamed(RECEIVED, ("s=-\r\n", "s=-\n2026-11-23T07:26:30.150Z drachtio:agent within\r\n"))),
    (True, RECEIVED[:90]),
    (False, renamed(RINGING, ("|sip|", "||"))),
    (False, renamed(RINGING, ("SIP/2.0 180 Ringing\r\n", "BYE sip:a@b SIP/2.0\r\n"))),
    (False, renamed(RINGING, ("|\r\nSIP/2.0 180 Ringing", "|dialog|\r\n\r\nBYE sip:a@b SIP/2.0"))),
    (False, renamed(RINGING, ("SIP/2.0 180 Ringing\r\n", "CANCEL sip:a@b SIP/2.0\r\n"))),
    (False, RECEIVED),
    (True, RINGING),
]
"""What looks like an ordinary frame and is none, or is one and looks odd."""


@pytest.mark.parametrize("form", bench.FORMS)
@pytest.mark.parametrize("detail", Detail)
def test_ordinary_calls_are_taken_in_runs(form: str, detail: Detail) -> None:
    data = bench.written(form, [part for number in range(20) for part in call(number)]).encode()
    account = Account()
    found = list(read_runs(blocks(data, 10_000, account), account, detail))
    in_runs = sum(len(one.frames) for one in found if isinstance(one, Run))
    assert in_runs > 9 * 20 * 0.9


@pytest.mark.parametrize("form", bench.FORMS)
@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_ordinary_calls_read_the_same(form: str, size: int) -> None:
    data = bench.written(form, [part for number in range(8) for part in call(number)])
    assert both_ways(data.encode(), size).count("answers") == 8 * 6


@pytest.mark.parametrize("form", bench.FORMS)
@pytest.mark.parametrize("part", ODD, ids=range(len(ODD)))
def test_odd_frames_among_ordinary_ones_read_the_same(form: str, part: tuple[bool, str]) -> None:
    parts = [*call(1), part, *call(7), part, *call(2)]
    both_ways(bench.written(form, parts).encode())


@pytest.mark.parametrize("form", samples.FORMS)
@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_the_samples_read_the_same(form: str, size: int) -> None:
    both_ways(samples.FORMS[form]().encode(), size)


@pytest.mark.parametrize(("form", "held"), [*((form, FEW) for form in bench.FORMS), ("client log", HELD)])
@pytest.mark.parametrize("answered", [False, True])
def test_what_nobody_answers_is_held_back_and_marked_the_same(
    form: str, held: int, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(held, monkeypatch)
    unanswered = [part for number in range(held) for part in call(number)[:1]]
    parts = [*(call(5000) if answered else []), *unanswered, *call(6000), *unanswered[:50]]
    lines = both_ways(bench.written(form, parts).encode())
    assert lines.count("(no answer)") >= held - 10


LATE = [
    (FEW, FEW + more, filler, size)
    for more in (-2, -1, 0, 1)
    for filler in ("ordinary", "cdr", "both", "damage")
    for size in (2_000, 1 << 20)
]


@pytest.mark.parametrize(("held", "between", "filler", "size"), [*LATE, (HELD, HELD, "both", 20_000)])
def test_a_late_answer_is_late_the_same(
    held: int, between: int, filler: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(held, monkeypatch)
    received, answer, *_ = call(1)
    acknowledged = (True, renamed(RECEIVED, ("INVITE sip:", "ACK sip:")))
    cdr = (True, "b5|cdr:attempt|network|07:33:51.717647|")
    both = [acknowledged, cdr]
    fillers = {"ordinary": [acknowledged], "cdr": [cdr], "both": both, "damage": both}[filler]
    parts = [*call(2), received, *(fillers[n % len(fillers)] for n in range(between)), answer, *call(3)]
    data = bench.written("client log", parts)
    if filler == "damage":
        data = data.replace("===>\r\n", "===>\r\n!\r\n<===\r\n", 3)
    both_ways(data.encode(), size)


@pytest.mark.parametrize("form", bench.FORMS)
def test_wherever_a_block_ends_it_reads_the_same(form: str) -> None:
    data = bench.written(form, [*call(1), ODD[0], *call(2), ODD[6], *call(3), (True, RECEIVED[:90])]).encode()
    for size in range(600, 1300, 37):
        both_ways(data, size)


NOISE = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"|", b"#", b"12#", b"\n===>\r\n", b"\xc3\xa9", b"\n20"]


TIMES = [
    "2026-11-23T07:26:06.658Z",
    "2026-11-23 07:26:07,1",
    "07:26:08.5",
    "yesterday",
    "2026-11-23T07:26:ZZ",
    "",
    "Z",
]


@pytest.mark.parametrize("other", TIMES)
def test_times_of_every_kind_read_the_same(other: str) -> None:
    parts = [*call(1), *call(2)]
    times = [TIMES[0], other, *TIMES, *TIMES, other, TIMES[0]]
    lines = [
        json.dumps({"message": bench.client(*part, ""), "timestamp": time}) + "\n"
        for part, time in zip(parts, times, strict=True)
    ]
    both_ways("".join(lines).encode())


def test_of_many_questions_the_same_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (answers, short_path):
        monkeypatch.setattr(module, "OPEN", 5)
    calls = [call(number) for number in range(12)]
    parts = [part for step in range(9) for one in calls for part in one[step : step + 1]]
    assert 0 < both_ways(bench.written("client log", parts).encode()).count("answers") < 12 * 6


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(bench.FORMS)), st.data())
def test_whatever_happens_to_a_log_it_reads_the_same(form: str, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.one_of(st.integers(0, 30), st.sampled_from(ODD)), min_size=2, max_size=8))
    parts = [part for one in chosen for part in (call(one) if isinstance(one, int) else [one])]
    text = bytearray(bench.written(form, parts).encode())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.sampled_from(["cut", "drop", "noise", "again", "digit"])):
            case "cut":
                del text[place : place + data.draw(st.integers(1, 300))]
            case "drop":
                del text[place:]
            case "again":
                text[place:place] = text[: data.draw(st.integers(1, 300))]
            case "digit":
                text[place : place + 1] = b"7"
            case _:
                noise = st.sampled_from(
                    [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"|", b"#", b"12#", b"\n===>\r\n", b"\xc3\xa9"]
                )
                text[place:place] = data.draw(st.one_of(noise, st.binary(min_size=1, max_size=9)))
        text = text or bytearray(b"6#p|ping")
    with suppress(NotARecording):  # which is told before either way begins
        both_ways(bytes(text), data.draw(st.sampled_from([50, 1000, 1 << 20])))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not part of the repository")
def test_real_logs_read_the_same() -> None:
    """Stands behind the samples above; what it needs is no part of a clone."""
    for path in [*SHARED.glob("wire-logs/*"), *SHARED.glob("evidence/*.log"), *SHARED.glob("traces/*.log")]:
        data = path.read_bytes()
        assert bool(both_ways(data)) == bool(data), path.name
