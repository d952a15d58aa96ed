"""Which recorded traces the reference server can be held to by now, judged by what is in them.

What it does not speak yet is declared here and nowhere else: when it learns one of these, its line goes, and the
traces that it kept back are replayed.
"""

from __future__ import annotations

from collections.abc import Callable

from drachtio_conformance.replay.files import Remark, Trace


def not_yet_spoken(trace: Trace) -> str:
    """Why a trace is not replayed; empty if it is."""
    return next((reason for reason, applies in _REASONS.items() if applies(trace)), "")


_REASONS: dict[str, Callable[[Trace], bool]] = {
    "HTTP request handlers and outbound connections": lambda trace: (
        any("outbound" in frame.application for frame in trace.frames)
        or any(isinstance(item, Remark) and "http" in item.text for item in trace.sip)
    ),
}
