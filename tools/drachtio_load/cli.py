"""The command ``drachtio-load``: SIPp callers against a server, with a verdict that can be trusted.

Exit codes: 0 every call successful, 1 some failed, 2 wrong usage, 3 nothing came from the peer,
4 sipp is missing or failed itself, 130 interrupted (what there is until then is told and written all the same).
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from drachtio_conformance.cli.arguments import count, host_port, positive, seconds
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.admin_peer import told
from drachtio_conformance.report import standard_output
from drachtio_conformance.report.visible import visible, visible_on_one_line
from drachtio_load import completion, refusal, report
from drachtio_load.answers import Answer
from drachtio_load.callee import CalleePlan, run_callee
from drachtio_load.progress import RunProgress
from drachtio_load.scenarios import (
    LoadScenario,
    ScenarioError,
    find_callee,
    find_scenario,
    load_callees,
    load_scenarios,
)
from drachtio_load.series import milliseconds, percentiles
from drachtio_load.sipp import LoadPlan, LoadRun, SippMissing, Transport, run_sipp, sipp_command
from drachtio_load.stopping import Stopping
from drachtio_load.verdict import INTERRUPTED, judge


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    standard_output.prepare()
    parser = _parser()
    completion.answer_a_shell(parser)
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args(words)
    try:
        if options.command == "list":
            code: int = _list()
        elif options.command == "callee":
            code = run_callee(_callee(options), _say)
        else:
            code = _run(_plan(options), options, words)
        sys.stdout.flush()
        return code
    except ScenarioError as error:
        return _complain(ExitCode.USAGE, str(error))
    except SippMissing as error:
        return _complain(ExitCode.HARNESS, str(error))
    except BrokenPipeError:
        standard_output.abandon()
        return ExitCode.OK
    except OSError as error:
        return _complain(ExitCode.USAGE, f"{error.filename or 'output'}: {error.strerror}")
    except KeyboardInterrupt:
        sys.stderr.write("drachtio-load: interrupted\n")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drachtio-load",
        description="Calls a server with SIPp and judges by SIPp's statistics.",
        epilog="Exit code: 0 all calls successful, 1 some failed, 2 usage, 3 nothing came, 4 sipp failed, "
        "130 interrupted: Ctrl-C begins no more calls and lets those that are open end, a second one does not wait; "
        "the figures until then are told and written.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('drachtio-conformance')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the scenarios and the callees, one a line")
    callee = commands.add_parser("callee", help="be a telephone that is called")
    callee.add_argument("name", metavar="NAME", help="a callee of `drachtio-load list`")
    callee.add_argument("--host", default="127.0.0.1", metavar="IP", help="address (default: 127.0.0.1)")
    callee.add_argument("--port", type=int, default=0, metavar="N", help="port (default: a free one)")
    callee.add_argument("--transport", type=Transport, choices=list(Transport), default=Transport.UDP)
    callee.add_argument("--calls", type=count, default=1, metavar="N", help="end behind so many (default: 1)")
    callee.add_argument("--deadline", type=positive, metavar="S", help="seconds for all (default: no limit)")
    run = commands.add_parser("run", help="run one scenario")
    scenario = "a name of `drachtio-load list`, or an XML file"
    completion.is_a_scenario(run.add_argument("scenario", metavar="SCENARIO", help=scenario))
    run.add_argument("target", type=host_port, metavar="HOST:PORT", help="where the server takes SIP")
    option = run.add_argument
    option("--transport", type=Transport, choices=list(Transport), default=Transport.UDP, help="default: udp")
    option("--rate", type=positive, default=10.0, metavar="R", help="calls begun in a second (default: 10)")
    option("--calls", type=count, default=1, metavar="N", help="calls in all (default: 1)")
    option("--concurrent", type=count, metavar="L", help="most calls open at once (default: SIPp's)")
    option("--hold", type=seconds, default=0.0, metavar="S", help="seconds between ACK and BYE (default: 0)")
    option("--answer-within", type=positive, default=10.0, metavar="S", help="for each message (default: 10)")
    option("--deadline", type=positive, metavar="S", help="seconds for all (default: what the others need)")
    option("--user", default="service", help="user part of the Request-URI (default: service)")
    option("--auth", type=_credentials, metavar="USER:PASSWORD", help="for scenarios that answer a challenge")
    option(
        "--set",
        type=_value,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what [NAME] stands for in a scenario of your own; may be repeated",
    )
    for name, value, about in (
        ("--json", "FILE", "write the figures to FILE"),
        ("--csv", "FILE", "write the figures of each second to FILE"),
        ("--report", "FILE", "write a page with plots to FILE (HTML)"),
        ("--keep", "DIR", "leave sipp's files in DIR, every message included"),
    ):
        completion.is_a_path(option(name, type=Path, metavar=value, help=about))
    return parser


def _plan(options: argparse.Namespace) -> LoadPlan:
    host, port = options.target
    scenario: LoadScenario = find_scenario(options.scenario)
    return LoadPlan(
        scenario=scenario,
        host=host,
        port=port,
        transport=options.transport,
        rate=options.rate,
        calls=options.calls,
        concurrent=options.concurrent,
        hold=options.hold,
        answer_within=options.answer_within,
        deadline=options.deadline,
        user=options.user,
        credentials=options.auth,
        values=tuple(options.set),
        trace_messages=options.keep is not None,
    )


def _callee(options: argparse.Namespace) -> CalleePlan:
    return CalleePlan(
        scenario=find_callee(options.name),
        host=options.host,
        port=options.port,
        transport=options.transport,
        calls=options.calls,
        deadline=options.deadline,
    )


def _list() -> int:
    scenarios, callees = load_scenarios(), load_callees()
    width = max(len(scenario.name) for scenario in [*scenarios, *callees])
    for scenario in scenarios:
        _say(f"{scenario.name:{width}}  {scenario.about}")
    for scenario in callees:
        _say(f"{scenario.name:{width}}  callee: {scenario.about}")
    return ExitCode.OK


def _run(plan: LoadPlan, options: argparse.Namespace, words: Sequence[str]) -> int:
    sipp_command()
    command = _shown(words, options.auth)
    keep: Path | None = options.keep
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            return _complain(ExitCode.USAGE, f"--keep: expected an empty or new folder, and {keep} has files")
    with tempfile.TemporaryDirectory(prefix="drachtio-load-") as temporary:
        folder = keep.resolve() if keep is not None else Path(temporary)
        began = datetime.now()
        try:
            with RunProgress(plan, sys.stderr) as progress:
                run = asyncio.run(_attempt(plan, folder, progress))
        except OSError as error:
            why = told(error) if error.errno else "no answer in time"
            return _complain(ExitCode.NO_PEER, f"{plan.host}:{plan.port} ({plan.transport}): {why}")
    judgement = judge(run)
    _say(judgement.sentence)
    _table(run)
    if options.json is not None:
        report.write_json(options.json, run, judgement, command)
    if options.csv is not None:
        report.write_csv(options.csv, run)
    if options.report is not None:
        report.write_html(options.report, run, judgement, began, command)
    return judgement.code


async def _attempt(plan: LoadPlan, folder: Path, progress: RunProgress) -> LoadRun:
    """Runs it, unless the network says that nobody listens; raises OSError then."""
    if plan.transport is Transport.TCP:
        await refusal.connect(plan.host, plan.port, plan.answer_within)
    stopping = Stopping()
    with stopping.by_signals(progress.interrupted):
        run = asyncio.ensure_future(run_sipp(plan, folder, progress.report, stopping))
        if plan.transport is Transport.TCP:
            return await run
        refused = asyncio.ensure_future(refusal.refused(plan.host, plan.port))
        await asyncio.wait({run, refused}, return_when=asyncio.FIRST_COMPLETED)
        unnecessary = refused if run.done() else run
        unnecessary.cancel()
        await asyncio.gather(unnecessary, return_exceptions=True)
        return await (run if unnecessary is refused else refused)


def _table(run: LoadRun) -> None:
    figures = run.statistics
    if figures is None:
        return
    times = percentiles(run.responses)
    rows = [
        ("calls", f"{figures.created}"),
        ("successful", f"{figures.successful}"),
        ("failed", f"{figures.failed}"),
        ("hung", f"{figures.unfinished}"),
        ("retransmissions", f"{figures.retransmissions}"),
        ("calls a second", f"{figures.rate:.1f}"),
    ]
    if times.count:
        shown = (("p50", times.p50), ("p90", times.p90), ("p99", times.p99))
        mean = figures.response_milliseconds
        rows.append(("response, mean", f"{mean:.1f} ms" if mean >= 1 else milliseconds(0)))
        rows += [(f"response, {name}", milliseconds(value)) for name, value in shown]
    for name, value in rows:
        _say(f"  {name:16}{value:>12}")
    if run.answers:
        _say(f"  answers: {', '.join(map(_answer, run.answers))}")


def _answer(answer: Answer) -> str:
    """``200 × 40``; what failed its call is marked."""
    total = answer.awaited + answer.unawaited
    mark = f" ({answer.unawaited} not awaited)" if answer.unawaited else ""
    return f"{total} × {answer.name}{mark}"


def _shown(words: Sequence[str], credentials: tuple[str, str] | None) -> str:
    """The command line as one could type it again, but for the password."""
    if credentials is not None:
        secret, instead = ":".join(credentials), f"{credentials[0]}:***"
        words = [instead if word == secret else word.replace(f"={secret}", f"={instead}") for word in words]
    return shlex.join(["drachtio-load", *words])


def _credentials(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (colon and user):
        raise argparse.ArgumentTypeError(f"expected USER:PASSWORD, got {text!r}")
    return user, password


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def _complain(code: ExitCode, sentence: str) -> int:
    sys.stderr.write(f"drachtio-load: {visible(sentence)}\n")
    return code


def _say(line: str) -> None:
    sys.stdout.write(f"{visible_on_one_line(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
