"""``msgtrace to-scenario``: a recorded call becomes a case in YAML, which the suite plays against any server."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from pathlib import Path

import msgspec
import yaml

from drachtio_conformance.cases import specification
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.loader import LoadError, parse
from drachtio_conformance.data import shown
from drachtio_conformance.replay import expected
from drachtio_conformance.replay.command import known_rows
from drachtio_conformance.replay.conversion import convert
from drachtio_conformance.replay.expected import Expectations
from drachtio_conformance.replay.files import TraceError
from drachtio_conformance.replay.recordings import read
from drachtio_conformance.replay.written import written


class NotReplayable(Exception):
    """A recording cannot become a case; the message says which and why."""


def scenario_of(file: str, calls: Collection[str], *, listed: str | None, keylog: str = "") -> str:
    """The same as :func:`scenario` with names of files. Raises NotReplayable, OSError."""
    try:
        known = expected.load(Path(listed), known_rows(specification.load())) if listed else None
        return scenario(Path(file), calls, listed=known, keylog=keylog)
    except (TraceError, LoadError) as error:
        raise NotReplayable(str(error)) from None


def scenario(
    path: Path, calls: Collection[str] = (), *, listed: Expectations | None = None, keylog: str = ""
) -> str:
    """The text of a case file that replays what ``path`` recorded; of several ``calls`` only these.

    ``listed`` are known differences, which stand in the case then; ``keylog`` is a file of keys for the TLS of a
    capture. Raises TraceError where the recording cannot be replayed, OSError.
    """
    recorded = read(path, calls, keylog)
    differences = [one.listed for one in listed.of(recorded.trace.name)] if listed else []
    case = convert(recorded.trace, path, differences, moments=recorded.moments).case
    text = _text(case, path, calls, one_sided=recorded.trace.one_sided)
    try:
        again = parse(text, name="scenario", file="scenario")
    except (LoadError, UnicodeEncodeError) as error:
        raise TraceError(f"{path}: YAML cannot hold what was recorded: {error}") from None
    if [one.step for one in again[0].steps] != [one.step for one in case.steps]:
        raise TraceError(f"{path}: YAML cannot hold what was recorded: some octets are no text")
    return text


def _text(case: Case, path: Path, calls: Collection[str], *, one_sided: bool) -> str:
    what = f"call {', '.join(sorted(calls))} of {path.name}" if calls else path.name
    head: dict[str, object] = {"title": f"Recorded: {what}"}
    fields: dict[str, object] = {"id": "recorded", "title": "As recorded", "ends_open": True}
    settings = msgspec.to_builtins(case.server) if case.server is not None else {}
    if given := {key: value for key, value in settings.items() if value is not None}:
        fields["server"] = given
    lines = [f"# Made by msgtrace to-scenario from {shown(path)}."]
    if one_sided:
        lines.append("# It holds frames alone: what came to the endpoints is not known, and not compared.")
    lines += [_yaml(head).rstrip(), "cases:"]
    lines += textwrap.indent(_yaml([fields]).rstrip(), "  ").splitlines()
    lines.append("    steps:")
    for located in case.steps:
        lines += textwrap.indent(written(located.step).removesuffix("\n"), "      ").split("\n")
    return "\n".join(lines) + "\n"


def _yaml(value: object) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110))
