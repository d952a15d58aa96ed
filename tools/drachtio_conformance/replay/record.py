"""``record``: plays cases of the suite and writes what crossed the wires as traces that ``replay`` reads.

Frames are written as they were; the shared secret stands as asterisks. Octets that are no single frame, and broken
connections, have no place in a trace: such cases are not written, and the reason is told.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from drachtio_conformance.cases import selection
from drachtio_conformance.cases.case import Case
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.peers.recorder import SERVER, WireEvent
from drachtio_conformance.replay.files import LOG_SUFFIX, clock_of, partner, seconds_of_day
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.settings import ServerSettings
from msgtrace import sip

_FRAME = re.compile(r"(\d{1,8})#", re.ASCII)
_TIME = re.compile(r"\|([0-2]\d:[0-5]\d:[0-6]\d\.\d{6})(?=\||\r)")
_NOON = 12 * 3600.0


class NotRecordable(Exception):
    """A case shows what a trace cannot hold."""


def run(options: argparse.Namespace, cases: Sequence[Case]) -> int:
    """Record the chosen cases into a folder; returns the exit code. Raises NothingMatches, OSError."""
    chosen = selection.select(cases, options.filter, options.clause)
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_record(chosen, folder))


async def _record(cases: Sequence[Case], folder: Path) -> ExitCode:
    written = 0
    for case in cases:
        if case.server is not None and case.server != ServerSettings(
            emulate=case.server.emulate, cdrs=case.server.cdrs
        ):
            sys.stdout.write(f"{case.name}: not recorded: a trace does not tell the server's settings\n")
            continue
        runner = Runner(EmbeddedTarget(), Options())  # a server for each: its clock begins at the present
        try:
            result = await runner.run_case(case)
            write(result, folder)
        except NotRecordable as reason:
            sys.stdout.write(f"{case.name}: not recorded: {reason}\n")
        else:
            written += 1
        finally:
            await runner.close()
    sys.stdout.write(f"{written} of {len(cases)} cases are in {folder}\n")
    return ExitCode.OK if written else ExitCode.FAILURES


def write(result: CaseResult, folder: Path) -> Path:
    """Write a case that passed as NAME.log and NAME.sip.txt; returns the former. Raises :class:`NotRecordable`."""
    if result.verdict is not Verdict.PASS:
        raise NotRecordable(f"{result.verdict}: {result.reason}")
    begin = _midnight_offset(result.events)
    frames = [event for event in result.events if event.kind == "frame"]
    log = "".join(_frame(event) for event in frames)
    rest = "".join(
        _sip_or_remark(event, begin, result.events) for event in result.events if event.kind != "frame"
    )
    path = folder / f"{result.name.replace('/', '-')}{LOG_SUFFIX}"
    path.write_bytes(log.encode("latin-1"))
    partner(path).write_bytes(rest.encode("latin-1"))
    return path


def _midnight_offset(events: Sequence[WireEvent]) -> float:
    """What must be added to an event's time to get the server's time of day."""
    for event in events:
        token = _TIME.search(event.data.partition("\r\n")[0] + "|") if event.kind == "frame" else None
        if token is not None and event.source == SERVER:
            return seconds_of_day(token[1]) - event.at
    return _NOON


def _frame(event: WireEvent) -> str:
    length = _FRAME.match(event.data)
    if length is None or len(event.data) != length.end() + int(length[1]):
        raise NotRecordable(f"{event.summary}: no single frame")
    if event.source == SERVER:
        return f"<===[{event.target}]\r\n{event.data}\r\n"
    return f"===>[{event.source}]\r\n{event.data}\r\n"


def _sip_or_remark(event: WireEvent, begin: float, events: Sequence[WireEvent]) -> str:
    at = clock_of(begin + event.at)
    if event.kind == "note":
        if "reset" in event.summary or "broken" in event.summary:
            raise NotRecordable(f"{event.source}: {event.summary}")
        closed = event.summary == "closed by the application"
        return f"### {at} NOTE {event.source} closed\n\n" if closed and _goes_on(event, events) else ""
    from_server = event.source == SERVER
    name = event.target if from_server else event.source
    transport, endpoint, server = _addresses(event, name, events)
    way = f"{server} -> {name}({endpoint})" if from_server else f"{name}({endpoint}) -> {server}"
    return f"### {at} {transport} {way} ({len(event.data)} bytes)\n{event.data}\n"


def _goes_on(event: WireEvent, events: Sequence[WireEvent]) -> bool:
    """Whether anything follows; at the end of a case everybody closes."""
    position = next(index for index, one in enumerate(events) if one is event)
    return any(later.kind != "note" for later in events[position + 1 :])


def _addresses(event: WireEvent, name: str, events: Sequence[WireEvent]) -> tuple[str, str, str]:
    """Transport and addresses of an endpoint and the server, from a request that crossed between them."""
    position = next(index for index, one in enumerate(events) if one is event)
    # A name may have stood for one socket after another: the latest request tells, else the next.
    for one in [*events[position::-1], *events[position:]]:
        message = sip.parse(one.data)
        if one.kind != "sip" or name not in (one.source, one.target) or not message.is_request:
            continue
        via = re.match(r"SIP/2\.0/(\w+) ([0-9.]+:\d+)", message.first("Via"))
        target = re.search(r"@?([0-9.]+:\d+)", message.uri)
        if via is None or target is None:
            raise NotRecordable(f"{event.summary}: no numeric addresses in Via and Request-URI")
        endpoint, server = (via[2], target[1]) if one.source == name else (target[1], via[2])
        return via[1].lower(), endpoint, server
    raise NotRecordable(f"{event.summary}: no request that tells the addresses")
