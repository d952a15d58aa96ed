"""Turns a recorded trace into a case: what applications and endpoints sent is sent, what the server sent is expected.

Frames and messages are compared whole: every token, every header line in its order, the body, and how many come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from drachtio_conformance.cases.case import Case
from drachtio_conformance.data import shown
from drachtio_conformance.replay.files import APPLICATION, Frame, Remark, SipOctets, Trace, partner
from drachtio_conformance.replay.learnt import Learnt
from drachtio_conformance.replay.order import Moment, ordered
from drachtio_conformance.steps.absence import ExpectClose, ExpectNothing, SipNothing
from drachtio_conformance.steps.connections import Close, Connect, SipPeer
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.http import Callback, HttpExpect
from drachtio_conformance.steps.listening import Accepts, Listen
from drachtio_conformance.steps.octets import whole_message
from drachtio_conformance.steps.send import Send, SendBytes
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipSend
from drachtio_conformance.steps.step import Located, Step
from drachtio_conformance.steps.stories import Advance, Note
from drachtio_conformance.targets.settings import ServerSettings
from msgtrace import messages

_NOTICED = "1ms"
"""In which the server reads that a connection was closed."""
_UNMOVED = 0.05
"""Seconds that need not be advanced: real time passes meanwhile, too."""
_TIME = re.compile(r"[0-2]\d:[0-5]\d:[0-6]\d\.\d{6}")
_RECORD = re.compile(r"[^|]*\|cdr:")
_HOSTPORT = re.compile(r"(udp|tcp)/([0-9.]+):(\d+)")
_LONE = re.compile(r"(?<!\r)\n|\r(?!\n)")
_CLOSED = re.compile(r"(\S+) closed\b")


class Listed(Struct, frozen=True, kw_only=True):
    """A difference that is known: what we do at an entry, instead of what was recorded or behind it."""

    entry: str
    instead: bool
    """else: in addition, behind the entry"""
    steps: tuple[Located, ...]


class Conversion(Struct, frozen=True):
    """A trace as a case, and what each entry became."""

    case: Case
    entries: dict[str, tuple[Step, ...]]
    """entry to the steps that compare it as it was recorded"""
    recorded: dict[str, str]
    """recorded value of each variable"""


def convert(
    trace: Trace, log: Path, listed: Sequence[Listed] = (), *, moments: Sequence[Moment] = ()
) -> Conversion:
    """The case that replays ``trace``; ``log`` is its file, ``moments`` are its entries in order, if it is known."""
    return _Converter(trace, log).converted(listed, moments or ordered(trace))


class _Converter:
    def __init__(self, trace: Trace, log: Path) -> None:
        self._trace = trace
        self._file, self._partner = shown(log), shown(partner(log))
        self._sockets = list(dict.fromkeys((one.endpoint, one.transport, one.port) for one in trace.messages))
        self._learnt = Learnt(self._port_variables())
        self._connected: set[str] = set()
        self._ended: set[str] = set()
        self._gone: set[str] = set()
        self._came: dict[str, set[str]] = {}
        self._asked = False
        """by the list, a callback was"""

    def _peer(self, message: SipOctets) -> str:
        """The endpoint's name on stage: one for each of its sockets, and no application's."""
        sockets = [one for one in self._sockets if one[0] == message.endpoint]
        number = sockets.index((message.endpoint, message.transport, message.port)) + 1
        name = message.endpoint if number == 1 else f"{message.endpoint}-{number}"
        return f"{name}-sip" if any(frame.application == name for frame in self._trace.frames) else name

    def _port_variables(self) -> dict[int, str]:
        ports = {message.port: f"{self._peer(message)}.port" for message in self._trace.messages}
        ports |= {
            message.server_port: "sip.udp.port" for message in self._trace.messages if message.server_port
        }
        answers = (frame.payload for frame in self._trace.frames if frame.from_server)
        ports |= {int(found[3]): "sip.udp.port" for text in answers for found in _HOSTPORT.finditer(text)}
        return ports

    def converted(self, listed: Sequence[Listed], moments: Sequence[Moment]) -> Conversion:
        steps: list[Located] = []
        entries: dict[str, tuple[Step, ...]] = {}
        instead = {one.entry: one for one in listed if one.instead}
        besides = {one.entry: one for one in listed if not one.instead}
        closing = [
            located.step.of for one in listed for located in one.steps if isinstance(located.step, Close)
        ]
        self._gone.update(closing)
        played = [located.step for one in listed for located in one.steps]
        self._asked = any(isinstance(step, HttpExpect) for step in played)
        self._connected.update(step.app for step in played if isinstance(step, Accepts))
        if self._asked:
            steps += [Located(step, self._file) for step in (Callback(), Listen())]
        for message in self._trace.messages:
            peer = self._peer(message)
            if peer not in self._came:
                self._came[peer] = set()
                opened = SipPeer(name=peer, transport="tcp" if message.transport == "tcp" else "udp")
                steps.append(Located(opened, self._source(message)))
        clock: float | None = None
        for moment in moments:
            if clock is None:
                clock = moment.at
            if moment.at - clock > _UNMOVED:
                passed = Advance(duration=f"{moment.at - clock:.6f}s")
                steps.append(Located(passed, self._source(moment.entry)))
                clock = moment.at
            made = tuple(self._steps(moment.entry))
            label = "" if isinstance(moment.entry, Remark) else moment.entry.entry
            if label:
                entries[label] = made
            if label in instead:
                steps += instead[label].steps
            else:
                steps += [Located(step, self._source(moment.entry)) for step in made]
            if label in besides:
                steps += besides[label].steps
        steps += [Located(step, f"{self._file}: the end") for step in self._end()]
        case = Case(
            name=f"replay/{self._trace.name}",
            title="as recorded",
            clauses=(),
            steps=tuple(steps),
            source=self._file,
            server=self._settings(),
            ends_open=True,
        )
        ports = {variable: str(port) for port, variable in self._port_variables().items()}
        return Conversion(case, entries, ports | self._learnt.values)

    def _settings(self) -> ServerSettings:
        """What the trace tells: an authenticate answer without a version is the 0.8 dialect's, an address in it that is
        not the local one is the external one, where call detail records came they were switched on, and a server whose
        Record-Routes prove nothing sends on what anybody routes by it (DEV-132). The list tells what a callback was
        asked."""
        asked: Literal["GET"] | None = "GET" if self._asked else None
        records = any(frame.from_server and _RECORD.match(frame.payload) for frame in self._trace.frames)
        for frame in self._trace.frames:
            tokens = frame.payload.split("|")
            if frame.from_server and _HOSTPORT.match("".join(tokens[4:5])):
                external = [one[2] for one in _HOSTPORT.finditer(tokens[4]) if one[2] != "127.0.0.1"]
                return ServerSettings(
                    external_ip=external[0] if external else None,
                    emulate="0.8" if len(tokens) == 5 else None,
                    cdrs=records or None,
                    open_relay=self._open_relay(),
                    request_handler=asked,
                )
        return ServerSettings(cdrs=records or None, open_relay=self._open_relay(), request_handler=asked)

    def _open_relay(self) -> bool | None:
        texts = [message.raw for message in self._trace.messages]
        proves = any(";rt=" in text for text in texts)
        return None if proves or not any("\nRecord-Route:" in text for text in texts) else True

    def _source(self, entry: Frame | SipOctets | Remark) -> str:
        file = self._file if isinstance(entry, Frame) else self._partner
        label = "" if isinstance(entry, Remark) else f" ({entry.entry})"
        return f"{file}:{entry.line}{label}"

    def _steps(self, entry: Frame | SipOctets | Remark) -> Iterator[Step]:
        match entry:
            case Remark():
                yield from self._remark(entry)
            case SipOctets() if entry.from_server:
                yield self._sip_expected(entry)
            case SipOctets():
                self._learnt.told(entry.raw)
                text, name = _text(self._learnt.to_send(entry.raw)), self._peer(entry)
                if whole_message(entry.raw.replace("\r\n", "\n")) == entry.raw:
                    yield SipSend(peer=name, sip=text.replace("\r\n", "\n"))
                else:
                    yield SipSend(peer=name, text=text)
            case Frame() if entry.from_server:
                yield from self._frame_expected(entry)
            case Frame():
                self._learnt.told(entry.payload)
                if entry.application not in self._connected:
                    self._connected.add(entry.application)
                    yield Connect(name=entry.application)
                yield self._frame_sent(entry)

    def _remark(self, remark: Remark) -> Iterator[Step]:
        closed = _CLOSED.match(remark.text)
        name = closed[1] if closed else ""
        if name == APPLICATION and name not in self._connected:
            name = min(self._connected - self._ended, default="")
        if name in self._connected - self._ended:
            self._ended.add(name)
            yield Close(of=name)
            yield Advance(duration=_NOTICED)
        elif name in self._came.keys() - self._gone:
            self._gone.add(name)
            yield Close(of=name)
            yield Advance(duration=_NOTICED)
        else:
            yield Note(text=remark.text)

    # Applications

    def _frame_sent(self, frame: Frame) -> Step:
        meta, separator, content = frame.payload.partition("\r\n")
        message_id, *tokens = meta.split("|")
        accepted = tokens[:1] == ["authenticate"] and self._accepted(message_id)
        if accepted and len(tokens) > 1:
            tokens[1] = "${admin.secret}"
        filled = [_text(self._learnt.to_send(token)) for token in tokens]
        if not separator:
            return Send(app=frame.application, id=_text(message_id), tokens=filled or None)
        if whole_message(content) == content:
            sip = _text(self._learnt.to_send(content)).replace("\r\n", "\n")
            return Send(app=frame.application, id=_text(message_id), tokens=filled, sip=sip)
        octets = f"{len(frame.payload)}#{self._learnt.to_send(frame.payload)}"
        return SendBytes(app=frame.application, text=_text(octets))

    def _accepted(self, message_id: str) -> bool:
        return any(
            frame.from_server and frame.payload.split("|")[1:4] == ["response", message_id, "OK"]
            for frame in self._trace.frames
        )

    def _frame_expected(self, frame: Frame) -> Iterator[Step]:
        tokens, content = messages.split(frame.payload)
        self._learnt.choose("|".join(tokens[1:]) + "\r\n" + content)
        whole, body = self._message_pattern(content) if content else ("", None)
        yield Expect(
            app=frame.application,
            tokens=["{uuid}", *(self._token(tokens, index, content) for index in range(1, len(tokens)))],
            sip=whole,
            body=body,
        )
        if tokens[1:2] == ["response"] and tokens[3:4] == ["NO"]:
            self._ended.add(frame.application)
            yield ExpectClose(of=frame.application)

    def _token(self, tokens: list[str], index: int, content: str) -> str:
        token = tokens[index]
        if content and token.isdecimal() and index == (3 if tokens[1] == "sip" else 5):
            return self._learnt.length(token, content)
        if _TIME.fullmatch(token):
            return "{time}"
        if index == 5 and re.fullmatch(r"v\d+\.\d+\.\d+\S*", token):
            return "*"
        listed = token.split(",")
        if len(listed) > 1 and all(_HOSTPORT.fullmatch(one) for one in listed):
            # The genuine server's order is not defined.
            orders = (re.escape(",".join(order)) for order in (listed, listed[::-1]))
            return "~" + "|".join(_text(self._learnt.to_send(order)) for order in orders)
        return _text(self._learnt.expected(token))

    # Endpoints

    def _sip_expected(self, message: SipOctets) -> Step:
        peer = self._peer(message)
        repeated = message.raw in self._came[peer]
        self._came[peer].add(message.raw)
        self._learnt.choose(message.raw)
        whole, body = self._message_pattern(message.raw)
        return SipExpect(peer=peer, sip=whole, body=body, retransmission=repeated)

    def _message_pattern(self, raw: str) -> tuple[str, str | None]:
        """The whole message as a pattern for each line; the body apart where its line ends are not all CRLF."""
        head, _, body = raw.partition("\r\n\r\n")
        start, *lines = head.removesuffix("\r\n").split("\r\n")
        written = [_literal(self._learnt.expected(start))]
        for line in lines:
            name, colon, value = line.partition(": ")
            written.append(f"{name}{colon}{self._learnt.expected(value)}" if colon else _literal(line))
        whole = "\n".join(written)
        if not _LONE.search(body):
            pattern = self._learnt.expected(body).replace("\r\n", "\n") if body else ""
            return _text(f"{whole}\n\n{pattern}"), None
        return _text(whole), "~" + _text(re.escape(body))

    def _end(self) -> Iterator[Step]:
        """Nothing more may come."""
        for peer in sorted(self._came.keys() - self._gone) if not self._trace.one_sided else ():
            yield SipNothing(peer=peer, repeats=True)
        for application in sorted(self._connected - self._ended - self._gone):
            yield ExpectNothing(app=application)


def _literal(text: str) -> str:
    return text if text[:1] not in ("*", "~") else f"={text}"


def _text(wire: str) -> str:
    """Wire text as the text of a step, which becomes UTF-8 again."""
    return wire.encode("latin-1").decode("utf-8", "surrogateescape")
