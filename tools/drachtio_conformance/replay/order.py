"""Puts the two files of a trace into the one order in which things happened.

Frames of the server that carry SIP have a time token; frames of applications have none. An application's frame lies
behind the frame above it in its file and before the next one that has a time; so it is put directly before that
one, unless an endpoint sent what made the server write that one. A ``proxy`` frame, whose answer has no time, lies
before the first message of its call that the server sent when it had delivered the request. What asks only the admin
connection (``route`` …) is put as early as its file allows: routes come before calls. An application that
the server has connected to authenticates when its request comes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from drachtio_conformance.replay.files import Frame, Remark, SipOctets, Trace, seconds_of_day
from msgtrace import messages, sip

Entry: TypeAlias = Frame | SipOctets | Remark
_TIME = re.compile(r"[0-2]\d:[0-5]\d:[0-6]\d\.\d{6}")
_REACTION = 0.05
"""Seconds within which a server passes on what an endpoint sent."""
_AFTER = 0.000_001
"""Seconds; the resolution of the recorded times."""
_CONTROL = frozenset({"authenticate", "route", "remove_route", "ping"})


class Moment(Struct, frozen=True):
    """An entry and when it happened."""

    at: float
    """seconds since midnight; the beginning of a trace that has no time at all is 0"""
    entry: Entry


def ordered(trace: Trace) -> list[Moment]:
    """Everything of a trace in order."""
    times = _frame_times(trace)
    moments = [
        (at, 0, index, Moment(at, frame))
        for index, (at, frame) in enumerate(zip(times, trace.frames, strict=True))
    ]
    previous = 0.0
    for index, item in enumerate(trace.sip):
        previous = max(previous, item.at)
        moments.append((previous, 1, index, Moment(previous, item)))
    return [moment for *_, moment in sorted(moments, key=lambda one: one[:3])]


def _frame_times(trace: Trace) -> list[float]:
    start = min(
        [item.at for item in trace.sip] + [at for frame in trace.frames if (at := _own(frame))], default=0.0
    )
    end = max([item.at for item in trace.sip], default=start)
    causes = [message for message in trace.messages if not message.from_server]
    wanted: list[float | None] = []
    for index, frame in enumerate(trace.frames):
        own = _own(frame)
        if own is not None:
            wanted.append(max(own, _sent_at(frame, causes)))
        elif frame.from_server:
            wanted.append(_done_at(trace, frame))
        elif _verb(frame) in _CONTROL:
            wanted.append(_accepted_at(trace.frames[index:]))
        elif _verb(frame) == "proxy":
            wanted.append(_proxied_at(trace, frame))
        else:
            later = (at for one in trace.frames[index + 1 :] if (at := _own(one)) is not None)
            following = _answered_at(trace, frame, next(later, None))
            wanted.append(end if following is None else _before_its_cause(trace, frame, following))
    return _in_file_order(trace, wanted, start)


def _answered_at(trace: Trace, frame: Frame, following: float | None) -> float | None:
    """When the server answered the frame, if it wrote the following one about then, too: that may have crossed it."""
    answer = _answer(trace, frame)
    at = None if answer is None else _own(answer)
    near = at is not None and following is not None and abs(at - following) < _REACTION
    return at if near else following


def _in_file_order(trace: Trace, wanted: list[float | None], start: float) -> list[float]:
    """No frame earlier than the one above it; an application's no later than its next one wants to be."""
    bound = float("inf")
    limited: list[float] = []
    for frame, at in zip(reversed(trace.frames), reversed(wanted), strict=True):
        if at is not None and not frame.from_server:
            bound = at = min(bound, at)
        limited.append(start if at is None else at)
    times: list[float] = []
    for one in reversed(limited):
        times.append(max([one, *times[-1:]]))
    return times


def _before_its_cause(trace: Trace, frame: Frame, following: float) -> float:
    """The time before the frame that is sent at ``following``, and before what an endpoint sent to cause it."""
    answer = _answer(trace, frame)
    if answer is not None and _own(answer) == following:
        # What was sent is echoed; the far end may have it before the time in the echo.
        sent = answer.payload.partition("\r\n")[2]
        call_id = sip.parse(sent).call_id
        # So may a request that the server sends of its own accord before it: a CANCEL before a BYE.
        asked_for = {
            one.payload.partition("\r\n")[2]
            for one in trace.frames
            if _verb(one) == "response" and one is not answer
        }
        came = [
            message.at
            for message in trace.messages
            if message.from_server
            and (message.raw == sent or _request_of(message, call_id))
            and message.raw not in asked_for
        ]
        return min([following, *(at for at in came if abs(at - following) < _REACTION)])
    causes = [
        message.at
        for message in trace.messages
        if not message.from_server and following - _REACTION < message.at < following
    ]
    return min(causes, default=following)


def _request_of(message: SipOctets, call_id: str) -> bool:
    return not message.raw.startswith("SIP/2.0 ") and sip.parse(message.raw).call_id == call_id


def _accepted_at(frames: Sequence[Frame]) -> float | None:
    """When the first frame was sent, if it is by the connection that the server made for the request behind it."""
    application = frames[0].application
    for frame in frames[1:] if _verb(frames[0]) == "authenticate" else ():
        if frame.application == application and not frame.from_server:
            return None
        if frame.application == application and frame.payload.split("|", 3)[1:3] == ["sip", "network"]:
            return _own(frame)
    return None


def _proxied_at(trace: Trace, frame: Frame) -> float | None:
    """When the server did what a ``proxy`` frame says, or had delivered the request if it sent nothing."""
    delivered, sent = _call_of(trace, frame)
    return delivered if delivered is None else min((message.at for message in sent), default=delivered)


def _done_at(trace: Trace, frame: Frame) -> float | None:
    """When the caller had its final response, for the ``done`` of a ``proxy`` frame with ``fullResponse``."""
    tokens = frame.payload.split("|")
    if tokens[3:] != ["OK", "done"]:
        return None
    asked = next((one for one in trace.frames if one.payload.startswith(f"{tokens[2]}|proxy|")), None)
    if asked is None or asked.payload.split("|")[4:5] != ["fullResponse"]:
        return None
    _, sent = _call_of(trace, asked)
    return next((message.at for message in sent if re.match(r"SIP/2\.0 [2-6]", message.raw)), None)


def _call_of(trace: Trace, frame: Frame) -> tuple[float | None, list[SipOctets]]:
    """When the request that a ``proxy`` frame names was delivered, and what the server sent of its call after that."""
    transaction_id = "".join(frame.payload.partition("\r\n")[0].split("|")[2:3])
    for delivered in trace.frames:
        tokens, content = messages.split(delivered.payload)
        at = _own(delivered)
        if at is not None and tokens[1:3] == ["sip", "network"] and tokens[8:9] == [transaction_id]:
            call_id = sip.parse(content).call_id
            return at, [
                message
                for message in trace.messages
                if message.from_server
                and message.at > at
                and not message.raw.startswith("SIP/2.0 100 ")
                and sip.parse(message.raw).call_id == call_id
            ]
    return None, []


def _sent_at(frame: Frame, causes: list[SipOctets]) -> float:
    """When an endpoint sent what this frame carries (its own clock may be behind); takes it out of ``causes``."""
    tokens, content = messages.split(frame.payload)
    if tokens[1:3] == ["sip", "network"]:
        carried = sip.parse(content)
        for cause in causes:
            sent = sip.parse(cause.raw)
            if (sent.start_line, sent.call_id, sent.cseq) == (
                carried.start_line,
                carried.call_id,
                carried.cseq,
            ):
                causes.remove(cause)
                return cause.at + _AFTER
    return 0.0


def _answer(trace: Trace, frame: Frame) -> Frame | None:
    """The response to an application's frame."""
    message_id = frame.payload.partition("|")[0]
    for other in trace.frames:
        if other.from_server and other.payload.split("|", 3)[1:3] == ["response", message_id]:
            return other
    return None


def _own(frame: Frame) -> float | None:
    """The time token of a server's frame."""
    if not frame.from_server:
        return None
    tokens = frame.payload.partition("\r\n")[0].split("|")
    return next((seconds_of_day(token) for token in tokens if _TIME.fullmatch(token)), None)


def _verb(frame: Frame) -> str:
    return "".join(frame.payload.partition("\r\n")[0].split("|")[1:2])
