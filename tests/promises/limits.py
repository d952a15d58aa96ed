"""The rows of ``limits.yaml``, what they name in the sources, and the table that is made of them."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from reference_server.config.setting import Effect, Setting
from reference_server.config.shown_by import name_of
from reference_server.config.table import TABLE

FILE = Path(__file__).with_name("limits.yaml")
SOURCES = Path(__file__).parents[2] / "reference_server"

SOUNDS_LIKE_A_LIMIT = re.compile(
    r"MOST|LARGEST|LONGEST|(?<!UN)LIMIT|KEPT\b|QUEUE|BACKLOG|HELD|PATIENCE|SECONDS|SET_ASIDE|MAX_|AT_ONCE|_DATAGRAM\b"
    r"|FORGOTTEN|(?<![A-Z_])INTERVAL\b"
)
"""Names of numeric constants of modules that need a row, or stand in ``NO_LIMITS``."""

COUNTED = re.compile(r"number|bytes|seconds|ms")
"""Kinds of settings of which the same is true."""

NO_LIMITS = {
    "emulation.control:_LONGEST_ID": "the genuine server's, emulated",
    "emulation.door:_LARGEST": "the genuine server's, emulated",
    "emulation.door:_MOST_DIGITS": "the genuine server's, emulated",
    "emulation.received:_LARGEST_FORWARDS": "the genuine server's, emulated",
    "account:MOST": "the default of --kept-for-peers",
    "account:MOST_OF_ONE": "a half of it",
    "account:SET_ASIDE": "a quarter of it",
    "account:_KNOWN_KEPT": "a cache, bounded by it",
    "accepting:AT_ONCE": "how many are accepted in one turn; the others in the next",
    "config.reading:_LARGEST_ID_OF_HEP_2": "what HEP 2 can say",
    "core.application_loss:PORTION_SECONDS": "between two portions",
    "core.dialog.glare:_LONGEST_RETRY_AFTER": "a value that is sent",
    "core.dialog.session_timer:_GIVE_WAY_SECONDS": "when we try again",
    "core.dialog.subscription:_DEFAULT_SECONDS": "where nothing is said",
    "core.location.registered_flows:DEFAULT_SECONDS": "where nothing is said",
    "core.proxy.challenges:MEMORY_SECONDS": "how long who was asked for credentials is remembered",
    "handlers.answer:LIMIT": "the default of --callback-answer-limit",
    "net.blacklist:_MOST_NAMED": "what one line shows",
    "net.connections:OF_ALL_KEPT": "the part of --kept-for-peers that connections may have",
    "net.locate.resolver:_KEPT": "a cache, emptied when it is full",
    "net.network:_TARGETS_KEPT": "a cache, emptied when it is full",
    "net.network:_LONGEST_TARGET_KEPT": "a cache does not keep longer ones",
    "sip.messages.message:_SHAPES_KEPT": "a cache does not keep longer ones",
    "net.udp:_FLOWS_KEPT": "a cache, emptied when it is full",
    "net.udp:_QUEUE_OCTETS": "beside _QUEUE_LIMIT, whichever comes first",
    "net.websocket:LARGEST": "the default of --header-limit and --body-limit together",
    "observe.background:PATIENCE": "how long the end waits for what is written",
    "observe.datagrams:PATIENCE": "how long the end waits for what is sent",
    "sip.deadline:_EXACT_SECONDS": "how exact the clock of a timer is",
    "sip.messages.stream:DEFAULT_HEADER_LIMIT": "the default of --header-limit",
    "sip.messages.stream:DEFAULT_BODY_LIMIT": "the default of --body-limit",
    "sip.messages.via:_LONGEST_KEPT": "a cache does not keep longer ones",
    "sip.forwarding:DEFAULT_MAX_FORWARDS": "a value that is sent",
    "sip.session_timer:_LONGEST": "what delta-seconds can say",
    "sip/timers/t1": "a timer of RFC 3261",
    "sip/timers/t2": "a timer of RFC 3261",
    "sip/timers/t4": "a timer of RFC 3261",
    "sip/timers/t1x64": "a timer of RFC 3261",
    "sip/udp-buffer-size": "a buffer of the system",
    "sip/capture-server@id": "a name",
    "sip/blacklist/refresh-secs": "how often it is read",
    "logging/file/maxFiles": "what the archive keeps",
}
"""What sounds like a limit and is none, by setting or module and constant, with what it is."""


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""

    of: str
    """what there is only so much of"""
    by: str
    """a setting by its name in the table of settings, or ``module:CONSTANT`` below ``reference_server``"""
    above: str
    """what happens then"""
    tests: tuple[str, ...]
    """as in the other rows"""
    why: str = ""
    """why it is no setting"""
    told: str = ""
    """events of the log, separated by commas"""
    name: str | None = None
    """what stands behind ``limit=``; by default the option's, and empty if the event does not say"""

    @property
    def met(self) -> str:
        """Its name in log and figure."""
        if not self.told:
            return ""
        return self.by.removeprefix("--") if self.name is None else self.name


def limits() -> list[Limit]:
    """The rows; msgspec.ValidationError says which has not the form of one."""
    return msgspec.yaml.decode(FILE.read_bytes(), type=list[Limit])


@cache
def settings() -> dict[str, Setting[object]]:
    """Settings in effect, by their name in the table."""
    return {
        name: setting
        for setting in TABLE
        if setting.effect is Effect.NOW
        for name in (name_of(setting), f"--{setting.option}")
    }


def counted_settings() -> Iterator[str]:
    """Those that are numbers, by the name by which they stand in the table."""
    for setting in TABLE:
        if setting.effect is Effect.NOW and COUNTED.fullmatch(setting.kind.name):
            yield name_of(setting)


@cache
def constants() -> dict[str, int | float]:
    """Numeric constants of modules whose name sounds like a limit, as ``module:NAME``."""
    found: dict[str, int | float] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        below = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for name in _assigned(ast.parse(path.read_text("utf-8"))):
            if SOUNDS_LIKE_A_LIMIT.search(name):
                value = getattr(importlib.import_module(f"reference_server.{below}"), name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found[f"{below}:{name}"] = value
    return found


def _assigned(module: ast.Module) -> Iterator[str]:
    """The names that a module gives values to, outside of functions and classes."""
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and name.id.isupper():
                    yield name.id


def default_of(limit: Limit) -> str:
    """As a user would write it; KeyError if there is no such setting or constant."""
    if ":" in limit.by:
        value = constants()[limit.by]
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    default = settings()[limit.by].default
    return f"{int(default):,}" if default.isdigit() else default


def limits_table(rows: list[Limit]) -> str:
    """``rows`` as a table in Markdown."""
    lines = ["| at most | | by | above it | log, `limit=` | test |", "|---|---|---|---|---|---|"]
    for row in rows:
        by = f"`{row.by}`" if not row.why else f"`{row.by}`: {row.why}"
        told = ", ".join(f"`{one.strip()}`" for one in row.told.split(",")) if row.told else ""
        told += f", `{row.met}`" if row.met else ""
        tests = ", ".join(f"`{one.removeprefix('case:').rpartition('::')[2]}`" for one in row.tests)
        cells = (row.of, default_of(row), by, row.above.replace("|", "\\|"), told, tests)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
