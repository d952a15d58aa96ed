"""Logs that were pasted: wrapped lines, typographic characters are put right where an announced length proves it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from msgtrace.cli import main
from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.readers import mending
from msgtrace.readers.mending import TYPOGRAPHIC, WRAPPED, mended
from msgtrace.recordings import read_blocks
from msgtrace.services import Line
from tests.msgtrace import samples
from tests.msgtrace.samples import EXCHANGE, busy, frame, invite

PAYLOADS = [text.encode().decode("latin-1") for _, text in EXCHANGE]
NAMED = {
    "client's log": samples.client,
    "JSON lines": samples.winston,
    "DEBUG": samples.debug,
}


def shown(log: str) -> str:
    """As a terminal shows it, without carriage returns."""
    return log.replace("\r\n", "\n")


def at_columns(width: int) -> Callable[[str], str]:
    """A terminal's lines, each as wide as it is; blanks at the end of a line are not copied."""

    def wrap(log: str) -> str:
        pieces = (
            line[place : place + width].rstrip(" ")
            for line in shown(log).split("\n")
            for place in range(0, max(1, len(line)), width)
        )
        return "\n".join(pieces)

    return wrap


def at_blanks(width: int) -> Callable[[str], str]:
    """A mail client's lines: broken at a blank, which is gone then; what has none is not broken."""

    def wrap(log: str) -> str:
        lines = []
        for line in shown(log).split("\n"):
            rest = line
            while len(rest) > width and (place := rest.rfind(" ", 1, width)) > 0:
                lines.append(rest[:place])
                rest = rest[place + 1 :]
            lines.append(rest)
        return "\n".join(lines)

    return wrap


def flowed(log: str) -> str:
    """format=flowed (RFC 3676): the blank stays."""
    return at_blanks(50)(log.replace(" ", " \x00")).replace("\x00", "")


def quoted(log: str) -> str:
    """The answer to such a mail."""
    return "".join(f"> {line}\n" for line in at_blanks(50)(log).split("\n"))


def typeset(log: str) -> str:
    """A word processor's marks and dashes."""
    log = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", log)
    return log.replace("'", "\u2019").replace(" - ", " \u2013 ")


def read(log: str) -> tuple[list[Entry], Account]:
    data, account = log.encode(), Account()
    account.total = len(data)
    return list(
        read_blocks([data[place : place + 700] for place in range(0, len(data), 700)], account)
    ), account


def frames(entries: list[Entry]) -> list[str]:
    return [one.data for one in entries if one.kind is EntryKind.FRAME]


@pytest.mark.parametrize("wrap", [at_columns(80), at_columns(132), at_columns(61)], ids=["80", "132", "61"])
@pytest.mark.parametrize("form", NAMED)
def test_lines_of_a_terminal(form: str, wrap: Callable[[str], str]) -> None:
    entries, account = read(wrap(NAMED[form]()))
    assert frames(entries) == PAYLOADS
    assert account.put_right[WRAPPED] >= 2
    assert set(account.put_right) == {WRAPPED}
    assert account.form.endswith(", pasted")
    assert not [one for one in entries if one.kind is EntryKind.DAMAGE]
    assert account.damage == 0
    assert account.wrapping >= 0


@pytest.mark.parametrize(
    "wrap", [at_blanks(50), at_blanks(40), flowed, quoted], ids=["50", "40", "flowed", "quoted"]
)
@pytest.mark.parametrize("form", ["client's log", "DEBUG"])
def test_lines_of_a_mail(form: str, wrap: Callable[[str], str]) -> None:
    entries, account = read(wrap(NAMED[form]()))
    assert frames(entries) == PAYLOADS
    assert account.put_right[WRAPPED] > 0
    assert account.damage == 0


def test_a_server_s_log() -> None:
    """What applications sent has no length in it, and is read as it stands; the rest is put right."""
    entries, account = read(at_columns(80)(samples.server()))
    sip = [one.data.encode("latin-1").decode() for one in entries if one.kind is EntryKind.SIP]
    assert sip == [
        one.data.encode("latin-1").decode() for one in read(samples.server())[0] if one.kind is EntryKind.SIP
    ]
    sent = [one.data for one in entries if one.kind is EntryKind.FRAME and one.from_server]
    assert sent == [text.encode().decode("latin-1") for down, text in EXCHANGE if down]
    assert account.put_right[WRAPPED] > 0


@pytest.mark.parametrize(
    ("form", "wrap"),
    [
        *(
            (form, wrap)
            for form in ("client's log", "DEBUG")
            for wrap in (str, at_columns(80), at_blanks(50))
        ),
        ("JSON lines", str),  # a mail client would break it within its strings
        ("JSON lines", at_columns(80)),
    ],
)
def test_typographic_characters(form: str, wrap: Callable[[str], str]) -> None:
    entries, account = read(wrap(typeset(shown(NAMED[form]()))))
    assert frames(entries) == PAYLOADS
    assert account.put_right[TYPOGRAPHIC] >= 2
    assert (account.put_right[WRAPPED] > 0) is (wrap is not str)
    assert account.damage == 0


@pytest.mark.parametrize(
    ("dashes", "typed"),
    [
        ("a-b", "a\u2013b"),
        ("a--b", "a\u2013b"),
        ("a--b-c", "a\u2014b\u2013c"),
        ("a b", "a\u00a0b"),
    ],
)
def test_what_a_dash_stood_for_the_length_tells(dashes: str, typed: str) -> None:
    text = f"m1|sip|t1|\r\nSIP/2.0 200 OK\r\nSubject: {dashes}\r\n\r\n"
    pasted = shown(f"===>\r\n{frame(text)}\r\n===>\r\n{frame('p|ping')}\r\n").replace(dashes, typed)
    entries, account = read(pasted)
    assert frames(entries) == [text, "p|ping"]
    assert account.put_right == {TYPOGRAPHIC: 1}


def test_typographic_characters_that_were_sent_stay() -> None:
    text = "m1|sip|t1|\r\nSIP/2.0 200 OK\r\nSubject: \u201cZo\u00e9\u201d \u2013 \u2019s\r\n\r\n"
    entries, account = read(f"===>\r\n{frame(text)}\r\n===>\r\n{frame('p|ping')}\r\n")
    assert frames(entries) == [text.encode().decode("latin-1"), "p|ping"]
    assert not account.put_right


def test_what_no_length_proves_stays_as_it_is() -> None:
    """A frame that was cut besides: nothing fits, so nothing is put together."""
    log = at_columns(80)(samples.client()).replace("CSeq: 1 INVITE\n", "", 1)
    entries, account = read(log)
    assert PAYLOADS[2] not in frames(entries)
    assert PAYLOADS[3] in frames(entries)
    assert any(one.kind is EntryKind.DAMAGE for one in entries) or any(
        one.kind is EntryKind.FRAME and not one.units for one in entries
    )
    whole = read(at_columns(80)(samples.client()))[1]
    assert account.put_right[WRAPPED] == whole.put_right[WRAPPED] - 1


def test_a_line_that_is_as_wide_as_the_terminal_and_ends_there() -> None:
    wide = "Subject: " + "x" * 71
    text = f"m1|sip|t1|\r\nSIP/2.0 200 OK\r\n{wide}\r\nX-Long: {'y ' * 60}y\r\nX-Next: 1\r\n\r\n"
    entries, account = read(at_columns(80)(f"===>\r\n{frame(text)}\r\n===>\r\n{frame('p|ping')}\r\n"))
    assert len(wide) == 80
    assert frames(entries) == [text, "p|ping"]
    assert account.put_right == {WRAPPED: 1}


def test_lines_are_those_of_the_file() -> None:
    log = at_columns(80)(samples.client())
    entries, _ = read(log)
    lines = log.split("\n")
    arrows = [number for number, line in enumerate(lines, 1) if line in ("===>", "<===")]
    assert [one.line for one in entries if one.kind is EntryKind.FRAME] == arrows


def test_foreign_lines_behind_a_wrapped_message_are_others() -> None:
    text = f"m1|sip|t1|\r\nSIP/2.0 200 OK\r\nX-Long: {'y ' * 60}y\r\n\r\n"
    log = (
        at_columns(80)(f"===>\r\n{frame(text)}\r\n") + "\nthis is where it hangs, see above\n===>\n6#p|ping\n"
    )
    entries, account = read(log)
    assert frames(entries) == [text, "p|ping"]
    assert account.put_right == {WRAPPED: 1}


def test_what_was_put_right_is_told(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "log").write_text(at_columns(80)(typeset(shown(samples.client()))))
    assert main(["decode", str(tmp_path / "log")]) == 0
    said = capsysbinary.readouterr().err.decode()
    assert (
        "put right, as lengths prove: 4 messages whose lines were wrapped, 3 messages with typographic"
        in said
    )


def test_a_log_that_nobody_pasted_is_not_taken_for_one() -> None:
    for log in (samples.client(), samples.winston(), samples.debug(), samples.server(), samples.bare()):
        _, account = read(log)
        assert not account.put_right
        assert "pasted" not in account.form


def test_a_record_without_an_end_is_given_out() -> None:
    lines = [Line("", 1, b"===>"), Line("", 2, b"99999#x")]
    lines += [Line("", number, b"y" * 80) for number in range(3, 3 * mending._MOST_LINES)]
    counter: Counter[str] = Counter()
    assert list(mended(lines, counter)) == lines
    assert not counter


def test_traces_of_a_server_whose_heads_were_wrapped() -> None:
    text, answer = invite("call01"), busy("call01")
    log = ""
    for way, message in (("recv", text), ("send", answer)):
        size = len(message.encode())
        log += f"2026-11-23 07:36:00.531104 {way} {size} bytes {'from' if way == 'recv' else 'to'} "
        log += f"udp/[127.0.0.1]:5080 at 07:36:00.531104:\n{message} \n"
    entries, account = read(at_columns(80)(log))
    assert [one.data.encode("latin-1").decode() for one in entries] == [text, answer]
    assert account.put_right == {WRAPPED: 2}
