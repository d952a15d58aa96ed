"""Which recorded traces the reference server can be held to by now, judged by what is in them.

What it does not speak yet is declared here and nowhere else: when it learns one of these, its line goes, and the
traces that it kept back are replayed.
"""

from __future__ import annotations

from collections.abc import Callable

from drachtio_conformance.replay_files import Frame, Remark, Trace


def not_yet_spoken(trace: Trace) -> str:
    """Why a trace is not replayed; empty if it is."""
    return next((reason for reason, applies in _REASONS.items() if applies(trace)), "")


def _verb(frame: Frame) -> str:
    return "".join(frame.payload.partition("\r\n")[0].split("|")[1:2])


def _any_frame(applies: Callable[[Frame], bool]) -> Callable[[Trace], bool]:
    return lambda trace: any(applies(frame) for frame in trace.frames)


_REASONS: dict[str, Callable[[Trace], bool]] = {
    "the application proxies requests": _any_frame(lambda frame: _verb(frame) == "proxy"),
    "HTTP request handlers and outbound connections": lambda trace: (
        any("outbound" in frame.application for frame in trace.frames)
        or any(isinstance(item, Remark) and "http" in item.text for item in trace.sip)
    ),
}
