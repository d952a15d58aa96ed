"""The short path to JSON lines: :mod:`msgtrace.short_path` numbers ordinary frames and finds what they answer, and here
they become objects at once.

A SIP message whose fields are written as nearly everybody writes them, ``Name: value``, is cut where its lines end; any
other, and what may hold a secret, takes the long way. Both give the same octets: a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from msgtrace import messages
from msgtrace.answers import Shown, between
from msgtrace.entries import Entry, EntryKind
from msgtrace.frames import ALL_UNITS
from msgtrace.messages import MessageKind
from msgtrace.octets import readable
from msgtrace.ordinary import ASKED, LENGTH, META, RECEIVED, Run
from msgtrace.render import JsonLine, json_object
from msgtrace.short_path import RunFollower, Told

_UNITS = [unit.value for unit in ALL_UNITS]
_PLAIN_HEAD = re.compile(r"[ -\[\]-~]++(?:\r\n[!-9;-\[\]-~]++: (?! )[ -\[\]-~]++(?<! ))*\Z")
"""a start line and fields ``Name: value`` without blanks at the ends, folding or a backslash"""
_FIELDS = re.compile(r"\r\n([!-9;-~]++): ([^\r]*)")
"""of such a head"""
_ENCODER = msgspec.json.Encoder()


class JsonFollower(RunFollower[JsonLine]):
    """Makes a JSON object of each message."""

    def __init__(self, damaged: Callable[[Entry], None], *, show_secrets: bool = False) -> None:
        """``damaged`` gets each entry that tells of damage."""
        super().__init__(damaged)
        self._show_secrets = show_secrets
        self._run_of: _Details | None = None

    def _joined(self, lines: list[JsonLine]) -> bytes:
        return _ENCODER.encode_lines(lines)

    def _line_of(self, item: Shown) -> JsonLine:
        return json_object(item, show_secrets=self._show_secrets)

    def _unanswered(self, line: JsonLine) -> JsonLine:
        return msgspec.structs.replace(line, unanswered=True)

    def _run(self, run: Run) -> None:
        self._run_of = _Details(run, watch=not self._show_secrets)
        super()._run(run)

    def _ordinary(self, told: Told, number: int, clock: str, at: float | None) -> JsonLine:
        found, from_server, summary, question = told
        assert self._run_of is not None
        end, stamp, line, offset = self._run_of.following(found)
        meta, length, asked_for, received = found.group(META, LENGTH, ASKED, RECEIVED)
        content = found.string[found.end(META) + 2 : end]
        values = meta.split("|")
        kind = _kind(asked_for, received, values, content)
        took = None if question is None else between(question.at, at)
        head, _, body = content.partition("\r\n\r\n")
        names = messages.names(kind, values)
        if (
            self._run_of.holds_secrets
            or len(values) > len(names)
            or "\\" in content
            or not meta.isprintable()
            or "\\" in meta
            or _PLAIN_HEAD.match(head) is None
        ):
            message = messages.Message(kind, values, content)
            size, units = (-1, ()) if length is None else (int(length), ALL_UNITS)
            entry = Entry(
                kind=EntryKind.FRAME,
                line=line,
                offset=offset,
                time=stamp,
                from_server=from_server,
                data=f"{meta}\r\n{content}",
                length=size,
                units=units,
            )
            asked = (question.number, question.summary) if question is not None else (0, "")
            return self._line_of(Shown(number, entry, summary, message, from_server, *asked, took))
        return JsonLine(
            number=number,
            kind=kind.value,
            where=f"line {line}" if line else f"octet {offset}",
            time=stamp,
            direction="from-server" if from_server else "to-server",
            summary=summary,
            length=-1 if length is None else int(length),
            length_units=[] if length is None else _UNITS,
            tokens=dict(zip(names, values, strict=False)),
            answers=0 if question is None else question.number,
            round_trip=None if took is None else round(took, 6),
            start_line=head.partition("\r\n")[0],
            headers=_FIELDS.findall(head),
            body=body
            if not body or body.replace("\r\n", "").isprintable()
            else readable(body, keep="\r\n\t"),
        )


class _Details:
    """What a run tells of its frames, one after the other."""

    def __init__(self, run: Run, *, watch: bool) -> None:
        self._each = zip(run.ends, run.stamps, run.lines(), strict=False)
        self._first = run.offset - run.frames[0].start()
        self._watch = watch
        self._text = ""
        self.holds_secrets = False
        """whether a secret may be in the text that holds the frame, as far as it is looked for"""

    def following(self, found: re.Match[str]) -> tuple[int, str, int, int]:
        """Of the next frame: its end, time, line and offset."""
        end, stamp, line = next(self._each)
        text = found.string
        if self._watch and text is not self._text:
            self._text = text
            lower = text.lower()
            self.holds_secrets = "authorization" in lower or "|authenticate|" in lower
        return end, stamp, line, self._first + found.start()


def _kind(asked: str | None, received: str | None, values: list[str], content: str) -> MessageKind:
    if asked is not None:
        return MessageKind.OK
    if received is not None:
        return MessageKind.NETWORK_RESPONSE if content[:4] == "SIP/" else MessageKind.NETWORK_REQUEST
    return messages.sent_kind(values, content)
