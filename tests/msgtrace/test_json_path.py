"""JSON lines on the short path; that they are those of the long one, test_short_path.py compares for every form."""

from __future__ import annotations

import json

import pytest

from msgtrace.entries import Account
from msgtrace.json_path import JsonFollower
from msgtrace.ordinary import Detail
from msgtrace.recordings import read_runs
from tests.bench import msgtrace as bench
from tests.msgtrace.test_short_path import blocks, renamed

CALL = list(bench.exchange(1))


def written(
    parts: list[tuple[bool, str]], form: str = "client log", *, secrets: bool = False
) -> list[dict[str, object]]:
    """The objects of a log."""
    account = Account()
    found = read_runs(blocks(bench.written(form, parts).encode(), 1 << 20, account), account, Detail.LINE)
    texts = JsonFollower(lambda entry: None, show_secrets=secrets).texts(found)
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_message_is_told_with_place_tokens_fields_and_answer() -> None:
    objects = written([*CALL, *bench.exchange(2)], "server log")
    echo = objects[2]
    text = bench.written("server log", CALL[:2])
    assert (echo["kind"], echo["answers"], echo["where"]) == ("ok", 2, f"line {text.count(chr(10)) + 1}")
    assert echo["time"] == "2026-11-23 00:00:00.000200"
    assert echo["round_trip"] == 0.0001
    assert echo["tokens"]["text"] == "Msg sent:"  # type: ignore[index]
    assert ["CSeq", "1 INVITE"] in echo["headers"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("X-Other: a \\x41\r\n", ["X-Other", "a \\x5cx41"]),
        ("X-Other:a\r\n", ["X-Other", "a"]),
        ("X-Other:\r\n", ["X-Other", ""]),
        ("X-Other :  a \r\n", ["X-Other", "a"]),
        ("X-Other: a\r\n\tb\r\n", ["X-Other", "a b"]),
        ("X:y: z\r\n", ["X", "y: z"]),
        ("X-Other: a\x07\r\n", ["X-Other", "a\\x07"]),
    ],
)
def test_fields_that_are_written_otherwise_read_the_same(field: str, read: list[str]) -> None:
    odd = (True, renamed(CALL[0][1], ("User-Agent: bench\r\n", field)))
    assert read in written([*CALL, odd, *CALL])[len(CALL)]["headers"]  # type: ignore[operator]


@pytest.mark.parametrize("secrets", [False, True])
def test_credentials_are_shown_only_if_asked_for(secrets: bool) -> None:
    odd = (True, renamed(CALL[0][1], ("User-Agent: bench", 'Proxy-Authorization: Digest response="0815"')))
    assert ("0815" in json.dumps(written([*CALL, odd, *CALL], secrets=secrets))) is secrets


def test_what_nobody_answers_is_marked() -> None:
    unknown = "|00000001-0000-4000-8000-00000000000c|"
    received = renamed(CALL[0][1], (unknown, "|another|"))
    marked = [one["number"] for one in written([*CALL, (True, received)]) if one.get("unanswered")]
    assert marked == [len(CALL) + 1]
