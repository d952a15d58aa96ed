"""Runs the calls of the guides on the reference server, and gives what crossed the wires.

The suite does the running, by its command and its report in JSON, so that the guides show what really happens. What
differs from run to run (times, ports, ids) is left out or given a name; what the server sends at one moment to
different sides is put in one order: SIP first.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

SERVER = "server"


class RunFailed(RuntimeError):
    """A call of a guide did not go as the guide says; the message is the suite's."""


class Event(Struct, kw_only=True):
    """One message, or a remark; the fields that the suite's report has."""

    at: float
    kind: str
    """``frame``, ``sip`` or ``note``"""
    source: str
    target: str
    summary: str
    data: str = ""
    """the octets, one character each"""


class _Case(Struct):
    name: str
    verdict: str
    events: list[Event]
    reason: str = ""


class _Report(Struct):
    cases: list[_Case]


class Play(Struct, frozen=True, kw_only=True):
    """What is to be run."""

    name: str
    setup: Sequence[object]
    """steps of the suite that are not shown"""
    steps: Sequence[object]
    after: Sequence[object]
    """steps that end what is still up, not shown either"""


def run(plays: Sequence[Play]) -> dict[str, list[Event]]:
    """The events of each play's shown steps, by its name. Raises RunFailed."""
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / "guides.yaml", Path(folder) / "report.json"
        cases = [
            {
                "id": play.name,
                "title": play.name,
                "clauses": ["PING-1"],
                "steps": [
                    *play.setup,
                    {"advance": f"{_BEGIN}s"},
                    *play.steps,
                    {"advance": f"{_END}s"},
                    *play.after,
                ],
            }
            for play in plays
        ]
        file.write_text(yaml.safe_dump({"title": "Guides", "cases": cases}, allow_unicode=True), "utf-8")
        command = [str(_suite()), "server", "--scenarios", str(file), "--json", str(report), "--full"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunFailed(f"{done.stdout}{done.stderr}")
        decoded = msgspec.json.decode(report.read_bytes(), type=_Report)
    return {case.name.rpartition("/")[2]: arranged(shown(case.events)) for case in decoded.cases}


_BEGIN, _END = 0.011, 0.012
"""seconds by which the clock is advanced, as marks in the record"""


def _suite() -> Path:
    return Path(sys.executable).with_name("drachtio-conformance")


def shown(events: Iterable[Event]) -> list[Event]:
    """What lies between the two marks; of other remarks only that a connection ended."""
    found: list[Event] = []
    showing = False
    for event in events:
        if event.kind != "note":
            found += [event] if showing else []
        elif f"{_BEGIN:g}s" in event.summary:
            showing = True
        elif f"{_END:g}s" in event.summary:
            showing = False
        elif showing and _ENDED.search(event.summary):
            found.append(event)
    return found


_ENDED = re.compile(r"closed|reset|broken")


def arranged(events: list[Event]) -> list[Event]:
    """The events with what the server sends in a row ordered: to the network first."""
    result: list[Event] = []
    row: list[Event] = []
    for event in events:
        if event.source == SERVER:
            row.append(event)
            continue
        result += sorted(row, key=lambda each: each.kind != "sip")
        result.append(event)
        row = []
    return result + sorted(row, key=lambda each: each.kind != "sip")
