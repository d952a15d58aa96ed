"""The command ``drachtio-conformance``: its options and what each subcommand prints. The work is done elsewhere.

Exit codes: 0 ok, 1 failures, 2 wrong usage, 3 the peer never came up, 4 the suite itself failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from drachtio_conformance import data
from drachtio_conformance.cases import loader, selection, specification, traceability
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.loader import LoadError
from drachtio_conformance.cases.selection import NothingMatches
from drachtio_conformance.cases.specification import Specification, SpecificationError
from drachtio_conformance.cli import explain
from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.cli.command_line import build_parser
from drachtio_conformance.cli.completion import answer_a_shell
from drachtio_conformance.cli.explain import NothingToExplain
from drachtio_conformance.cli.features_command import Missing
from drachtio_conformance.engine.baseline import BaselineError
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.profile import ProfileError
from drachtio_conformance.replay.files import TraceError
from drachtio_conformance.report import standard_output
from drachtio_conformance.report.visible import visible
from drachtio_conformance.telephone.acts import ScriptError
from drachtio_conformance.telephone.lines import CallError
from msgtrace.entries import NotARecording


class UsageError(Exception):
    """What was asked for cannot be done; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    standard_output.prepare()
    parser = build_parser(version("drachtio-conformance"))
    answer_a_shell(parser)
    options = parser.parse_args(arguments)
    try:
        code = _dispatch(options)
        sys.stdout.flush()
        return code
    except NothingMatches as error:
        return _complain(str(error), ExitCode.FAILURES)
    except (
        UsageError,
        Missing,
        NothingToExplain,
        BaselineError,
        ProfileError,
        TraceError,
        NotARecording,
        CallError,
        ScriptError,
    ) as error:
        return _complain(str(error), ExitCode.USAGE)
    except (LoadError, SpecificationError) as error:
        users_own = isinstance(error, LoadError) and getattr(options, "scenarios", None)
        return _complain(str(error), ExitCode.USAGE if users_own else ExitCode.HARNESS)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            return _complain(f"{error.filename or 'output'}: {error.strerror}", ExitCode.USAGE)
        standard_output.abandon()
        return ExitCode.OK
    except KeyboardInterrupt:
        return _complain("interrupted", 130)


def _dispatch(options: argparse.Namespace) -> int:
    match options.command:
        case "server":
            from drachtio_conformance.cli import server_command

            if options.admin is None and (options.secret is not None or options.sip or options.restart):
                raise UsageError(
                    "--secret, --sip and --restart are about a running server: give its --admin HOST:PORT, too"
                )
            if options.admin is not None and options.emulate:
                raise UsageError(
                    "--emulate is about the embedded server, --admin about a running one: give one of them"
                )
            options.secret = _secret(options)
            return server_command.run(options, load_cases(options.scenarios))
        case "client":
            from drachtio_conformance.cli import server_command

            try:
                return server_command.run(options, load_cases(options.scenarios, "client_scenarios"))
            except server_command.SeedWithoutFaults as error:
                raise UsageError(str(error)) from None
        case "features":
            from drachtio_conformance.cli import features_command

            return features_command.run(options, _secret(options))
        case "list":
            return _list(options)
        case "explain":
            return _explain(options.id)
        case "call":
            return _call(options)
        case "phone":
            from drachtio_conformance.cli import phone_command

            return phone_command.run(options, _print)
        case "shell":
            return _shell(options.address, _secret(options), options.brief)
        case "replay":
            from drachtio_conformance.replay import command

            return command.run(options)
        case "record":
            from drachtio_conformance.replay import record

            return record.run(options, load_cases(options.scenarios))
        case "compare":
            return _compare(options)
        case "coverage":
            from drachtio_conformance.cli import coverage_command

            return coverage_command.run(options.paths, specification.load(), _print, as_json=options.json)
        case "vectors":
            return _vectors(Path(options.folder))
        case _:
            return _traceability(options.check)


def _secret(options: argparse.Namespace) -> str:
    """The shared secret: the option, else the environment's."""
    return os.environ.get("DRACHTIO_SECRET", "") if options.secret is None else str(options.secret)


def all_cases() -> list[Case]:
    """The cases for servers and for clients. Raises LoadError, UsageError."""
    return [*load_cases(), *load_cases(None, "client_scenarios")]


def load_cases(folder: str | None = None, suite: str = "scenarios") -> list[Case]:
    """The cases of the suite, or of another folder or file. Raises LoadError, UsageError."""
    path = Path(folder) if folder else data.folder(suite)
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder of cases")
    cases = loader.load([path])
    if not cases:
        raise UsageError(f"{path}: expected case files, NAME.yaml, and there is none")
    return cases


def _list(options: argparse.Namespace) -> int:
    cases = load_cases(options.scenarios) if options.scenarios else all_cases()
    cases = selection.select(cases, options.filter, options.clause)
    if options.json:
        rows = [
            {
                "name": case.name,
                "title": case.title,
                "clauses": case.clauses,
                "level": case.level,
                "requires": case.requires,
                "slow": case.slow,
                "source": case.source,
            }
            for case in cases
        ]
        _print(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return ExitCode.OK
    for clause in specification.load().named(options.clause) if options.clause else ():
        _print(f"{clause.id} · {clause.title} · {clause.level} · {clause.party}")
    width = max(len(case.name) for case in cases)
    for case in cases:
        _print(f"{case.name:{width}}  {' '.join(case.clauses):16}  {case.title}")
    return ExitCode.OK


def _explain(what: str | None) -> int:
    width = min(shutil.get_terminal_size().columns, 110)
    if what is None:
        _print(explain.contents(specification.load()))
        return ExitCode.OK
    _print(
        explain.explain(
            what, specification.load(), all_cases(), scenarios=traceability.scenarios(), width=width
        )
    )
    return ExitCode.OK


def _call(options: argparse.Namespace) -> int:
    from drachtio_conformance.cli import call_command
    from drachtio_conformance.cli.call_command import Call
    from msgtrace import ladder
    from msgtrace.octets import readable

    call = Call(
        uri=options.uri,
        method=options.method.upper(),
        transport=options.transport or "",
        headers=_headers(options.header, options.body),
        body=_body(options.body),
        script=tuple(options.script),
        patience=options.timeout,
    )
    outcome = asyncio.run(call_command.place(call))
    if options.json:
        told = {
            "exit_code": int(outcome.exit_code),
            "sentence": outcome.sentence,
            "did": outcome.did,
            "events": outcome.events,
        }
        _print(msgspec.json.encode(told).decode())
        return outcome.exit_code
    if outcome.events:
        drawn = ladder.text(outcome.events, width=min(shutil.get_terminal_size().columns, 100))
        _print(visible(drawn.rstrip("\n")))
    if options.full:
        for event in outcome.events:
            _print(f"\n{event.at:8.3f}  {event.source} → {event.target}\n{readable(event.data).rstrip()}")
    sentence = visible(outcome.sentence)
    _print(f"\n{sentence}" if outcome.events else sentence)
    return outcome.exit_code


def _headers(given: list[str], body: str | None) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"expected a header like 'X-Custom: abc', got '{line}'")
        headers.append((name.strip(), value.strip().encode("utf-8").decode("latin-1")))
    if body and "content-type" not in {name.lower() for name, _ in headers}:
        kind = "application/sdp" if (_body(body) or "").startswith("v=0") else "text/plain"
        headers.append(("Content-Type", kind))
    return tuple(headers)


def _body(given: str | None) -> str | None:
    """``@FILE``: the file's octets; else the text itself."""
    if given is None:
        return None
    if not given.startswith("@"):
        return given.encode("utf-8").decode("latin-1")
    try:
        return Path(given[1:]).read_bytes().decode("latin-1")
    except OSError as error:
        raise UsageError(f"{given[1:]}: {error.strerror}") from None


def _shell(address: AdminAddress, secret: str, brief: bool) -> int:
    from drachtio_conformance.cli import shell_terminal
    from drachtio_conformance.cli.shell_connection import CannotConnect

    try:
        good = shell_terminal.run(address, secret, brief=brief)
    except CannotConnect as error:
        return _complain(str(error), ExitCode.NO_PEER)
    return ExitCode.OK if good else ExitCode.USAGE


def _compare(options: argparse.Namespace) -> int:
    from drachtio_conformance.report import side_by_side, side_by_side_page

    runs = []
    for given in options.reports:
        name, equals, path = given.partition("=")
        if not equals or not name or not path:
            raise UsageError(f"expected NAME=REPORT.json, got '{given}'")
        try:
            runs.append(side_by_side.load(name, Path(path)))
        except side_by_side.NoReport as error:
            raise UsageError(str(error)) from None
    text = side_by_side.markdown(runs, title=options.title)
    if options.html:
        page = side_by_side_page.render(runs, specification.load(), title=options.title)
        Path(options.html).write_text(page, "utf-8")
    if options.markdown:
        Path(options.markdown).write_text(text, "utf-8")
    elif not options.html:
        _print(text.rstrip("\n"))
    return ExitCode.OK


def _vectors(folder: Path) -> int:
    from drachtio_conformance.cli import vectors

    for file in vectors.export(folder):
        _print(f"{file.path}  {file.vectors} vectors" if file.vectors else str(file.path))
    return ExitCode.OK


def _traceability(check: bool) -> int:
    if data.installed():
        raise UsageError("this is an installed package; the documents are written in a checkout")
    rules, cases, features = specification.load(), all_cases(), traceability.scenarios()
    problems = traceability.problems(rules, cases, features)
    for problem in problems:
        _complain(problem, ExitCode.FAILURES)
    wanted = _documents(rules, cases, features)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    if check:
        for path in stale:
            _complain(
                f"{data.shown(path)} is stale: run drachtio-conformance traceability", ExitCode.FAILURES
            )
        return ExitCode.FAILURES if problems or stale else ExitCode.OK
    for path in stale:
        path.write_text(wanted[path], "utf-8")
        _print(f"wrote {data.shown(path)}")
    if not stale:
        _print("all documents are up to date")
    return ExitCode.FAILURES if problems else ExitCode.OK


def _documents(
    rules: Specification, cases: Sequence[Case], features: Sequence[traceability.Scenario]
) -> dict[Path, str]:
    """What this command writes: path and content."""
    from drachtio_conformance.report import json_report

    docs = data.folder("docs")
    return {
        docs / "traceability.md": traceability.render(rules, cases, features),
        docs / "report.schema.json": json_report.schema(),
    }


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"drachtio-conformance: {visible(text)}\n")
    return code
