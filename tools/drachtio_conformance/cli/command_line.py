"""The options of ``drachtio-conformance`` and their help texts; nothing is done here."""

from __future__ import annotations

import argparse
import os
from typing import TypeAlias

from drachtio_conformance.cli import script_options
from drachtio_conformance.cli.arguments import admin_address, count, factor, jobs, seconds, sip_endpoint
from drachtio_conformance.engine.emulated import PROFILES
from drachtio_conformance.peers.transports import TRANSPORTS
from drachtio_conformance.telephone.acts import Side

_EXAMPLES = """\
examples:
  drachtio-conformance server                             the suite against its own reference server
  drachtio-conformance server --admin 127.0.0.1:9022 --secret cymru
                                                          the suite against a server that runs already
  drachtio-conformance server --filter 'framing/**' --report report
  drachtio-conformance client -- node app.js              the suite against a client library, by an app of its author
  drachtio-conformance explain AUTH-6                     what a clause says, and what tests it
  drachtio-conformance shell 127.0.0.1:9022 --secret cymru
                                                          speak the admin protocol by hand
  drachtio-conformance call sip:bob@127.0.0.1:5060        place a call and draw its ladder

exit code: 0 ok, 1 failures, or nothing to run, 2 wrong usage, 3 the peer never came up, 4 the suite itself failed
"""

_SERVER = """\
Tests a drachtio server: what it does with frames, authentication, routes, requests, responses, calls. SIP endpoints
come from the server's authenticate reply; with no --admin the reference server is started in this process.
"""

_SERVER_EXAMPLES = """\
examples:
  drachtio-conformance server
  drachtio-conformance server --filter ping --filter 'route/**'
  drachtio-conformance server --clause AUTH --junit results.xml
  drachtio-conformance server --admin 127.0.0.1:9022 --secret cymru --report report
  drachtio-conformance server --admin tls://127.0.0.1:9023 --secret cymru
  DRACHTIO_SECRET=cymru drachtio-conformance server --admin 127.0.0.1:9022 --baseline known.yaml

A baseline lists known failures with their reasons; they run, and one that passes fails the run:
  known_failing:
    route/basic/upper-case: verbs are lower-cased, issue 12

A profile says what the peer is, can do and is known for (profiles/ has two):
  name: drachtio-0.9.9
  features: [ipv6, cdrs]

exit code: 0 ok, 1 failures, or no case that a filter meets, 2 wrong usage, 3 the server never came up or never
answered, 4 the suite itself failed
"""


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of the whole command; the subcommand's name lands in ``command``."""
    parser = argparse.ArgumentParser(
        prog="drachtio-conformance",
        description="Tests implementations of the drachtio admin protocol, and explains it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"drachtio-conformance {version}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    _server(commands)
    _client(commands)
    _features(commands)
    _list(commands)
    _explain(commands)
    _call(commands)
    _phone(commands)
    _shell(commands)
    _replay(commands)
    _record(commands)
    _compare(commands)
    _coverage(commands)
    _vectors(commands)
    _traceability(commands)
    return parser


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(
    commands: _Commands, name: str, summary: str, *, description: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _server(commands: _Commands) -> None:
    parser = _command(commands, "server", "test a server", description=_SERVER, epilog=_SERVER_EXAMPLES)
    target = parser.add_argument_group("what to test")
    target.add_argument(
        "--admin",
        type=admin_address,
        metavar="[tls://]HOST:PORT",
        help="admin port of a running server; by TLS its certificate is not verified",
    )
    _secret(target)
    target.add_argument(
        "--sip",
        action="append",
        default=[],
        type=sip_endpoint,
        metavar="udp/HOST:PORT",
        help="where the server takes SIP, if its authenticate reply does not say it right; may be repeated",
    )
    target.add_argument(
        "--profile",
        metavar="NAME|FILE",
        help="what the server is and is known for: drachtio-0.9.9 or another that comes with the suite, or a file",
    )
    target.add_argument(
        "--emulate",
        choices=tuple(PROFILES),
        help="test the embedded server as that genuine release, defects included, by the profile of the release",
    )
    target.add_argument("--baseline", metavar="FILE", help="known failures, with reasons")
    target.add_argument(
        "--restart",
        metavar="COMMAND",
        help="starts the server anew when a case has killed it; must end once that is under way",
    )
    _selection(parser.add_argument_group("which cases"))
    _how(parser)
    _reports(parser)


_CLIENT = """\
Tests a client library in any language: the suite plays the server and the phones, starts the conformance app of the
library's author for each case, and tells it what to do by SIP requests. docs/conformance-app.md says what such an app
does; every frame that it sends is judged besides.
"""

_CLIENT_EXAMPLES = """\
examples:
  drachtio-conformance client -- python conformance_apps/python/app.py
  drachtio-conformance client --filter 'cancel/**' --report report -- node app.js
  drachtio-conformance client --baseline known.yaml --junit results.xml -- ./app
  drachtio-conformance client --faults random --seed 4711 -- ./app

A baseline is a file as for 'server'. What the app answers 501 to it does not do: such cases are not applicable.

exit code: 0 ok, 1 failures, or no case that a filter meets, 2 wrong usage, 3 there is no such command, 4 the suite
itself failed
"""


def _client(commands: _Commands) -> None:
    parser = _command(
        commands, "client", "test a client library", description=_CLIENT, epilog=_CLIENT_EXAMPLES
    )
    parser.add_argument(
        "app", nargs="+", metavar="COMMAND", help="starts the conformance app; write -- before it"
    )
    parser.add_argument("--baseline", metavar="FILE", help="known failures, with reasons")
    _selection(parser.add_argument_group("which cases"))
    _how(parser)
    _reports(parser)
    parser.add_argument(
        "--faults",
        choices=["random", "pieces"],
        help="mix into all cases what every library has to bear: pieces: frames in pieces, glued together, and late; "
        "random: these, and frames of unknown types and with tokens more; the seed is told",
    )
    parser.add_argument("--seed", type=count, metavar="N", help="of --faults: the same mixture again")
    parser.add_argument(
        "--jobs",
        type=jobs,
        default=max(4, min(8, 2 * (os.cpu_count() or 1))),
        metavar="N",
        help="run so many cases side by side, for they mostly wait (default: two for each processor, 4 to 8)",
    )
    parser.set_defaults(admin=None, secret=None, sip=[], profile=None, emulate=None, restart=None)


def _how(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how")
    how.add_argument(
        "--mutants", action="store_true", help="also prove that every check can fail (broken twins)"
    )
    how.add_argument(
        "--slow",
        nargs="?",
        type=factor,
        const=1.0,
        metavar="N",
        help="run cases that take real time, too; N times longer deadlines for a slow peer",
    )
    how.add_argument("--verbose", action="store_true", help="on a terminal, name every case")


def _reports(parser: argparse.ArgumentParser) -> None:
    reports = parser.add_argument_group("reports")
    reports.add_argument(
        "--report", metavar="DIR", help="write index.html, report.json, junit.xml and summary.md there"
    )
    reports.add_argument("--json", metavar="FILE", help="write the JSON report (docs/report.schema.json)")
    reports.add_argument(
        "--full", action="store_true", help="steps and messages of cases that passed in the JSON report, too"
    )
    reports.add_argument("--junit", metavar="FILE", help="write the JUnit XML report")
    reports.add_argument(
        "--markdown",
        metavar="FILE",
        help="write a summary for a pull request; on GitHub it becomes the summary of the job as well",
    )
    reports.add_argument(
        "--github",
        action="store_true",
        help="print an annotation (::error …) for each failed case, at its line",
    )


def _features(commands: _Commands) -> None:
    parser = _command(
        commands,
        "features",
        "run the stories in Gherkin",
        description="Runs the features: what happens to a call, in words, each sentence carried out.\n"
        "Needs pytest and pytest-bdd: pip install 'drachtio-conformance[features]'.",
        epilog="examples:\n  drachtio-conformance features\n  drachtio-conformance features cancel proxy\n"
        "  drachtio-conformance features --target 127.0.0.1:9022 --secret cymru\n",
    )
    parser.add_argument("feature", nargs="*", metavar="NAME", help="only these features (default: all)")
    parser.add_argument(
        "--target",
        "--admin",
        type=admin_address,
        metavar="[tls://]HOST:PORT",
        help="admin port of a running server (default: the reference server, embedded)",
    )
    _secret(parser)
    parser.add_argument(
        "--cdrs", action="store_true", help="with --target: it is configured to send call detail records"
    )
    parser.add_argument("--slow", action="store_true", help="with --target: also stories that take minutes")
    parser.add_argument("--junit", metavar="FILE", help="write the JUnit XML report")


def _list(commands: _Commands) -> None:
    parser = _command(
        commands, "list", "list the cases", description="Lists the cases of the suite.", epilog=""
    )
    _selection(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def _explain(commands: _Commands) -> None:
    parser = _command(
        commands,
        "explain",
        "explain a clause or a case",
        description="Explains a clause (its text, an example, deviations, what tests it) or a case "
        "(its steps in words).",
        epilog="examples:\n  drachtio-conformance explain\n  drachtio-conformance explain FRAME-1\n"
        "  drachtio-conformance explain DEV-3\n"
        "  drachtio-conformance explain ping/basic/answered\n",
    )
    parser.add_argument(
        "id",
        metavar="ID",
        nargs="?",
        help="FRAME-1, a family (FRAME), a deviation (DEV-3), or a case's name; without it, the families",
    )


def _call(commands: _Commands) -> None:
    parser = _command(
        commands,
        "call",
        "place a call and draw its ladder",
        description="Sends an INVITE, acknowledges the answer, does what the options say one after the other, hangs\n"
        "up half a second later, and draws what happened. Other methods: one request.",
        epilog="examples:\n  drachtio-conformance call sip:bob@127.0.0.1:5060\n"
        "  drachtio-conformance call 'sip:bob@127.0.0.1:5060;transport=tcp' --hang-up-after 2 --full\n"
        "  drachtio-conformance call sip:bob@127.0.0.1 --dtmf 12 --hold 2 --talk 1 --refer sip:carol@127.0.0.1\n"
        "  drachtio-conformance call sip:bob@127.0.0.1 --header 'Supported: 100rel'\n"
        "  drachtio-conformance call sip:bob@127.0.0.1 --method MESSAGE --body 'hello' --header 'X-A: 1'\n"
        "  drachtio-conformance call sip:bob@127.0.0.1 --cancel-after 1 --json\n\n"
        "exit code: 0 answered 2xx, or as --cancel-after, --early-bye, --no-ack want it, and all was done,\n"
        "1 another answer, or something was not done, 2 wrong usage, 3 no answer at all\n",
    )
    parser.add_argument("uri", metavar="URI", help="sip:user@host:port, sips: for TLS")
    parser.add_argument(
        "--method", default="INVITE", metavar="NAME", help="INVITE (default), OPTIONS, MESSAGE …"
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="add or replace; may be repeated",
    )
    parser.add_argument("--body", metavar="TEXT", help="the body; @FILE reads it from a file")
    parser.add_argument("--transport", choices=TRANSPORTS, help="default: the URI's, else udp, or tls")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=32.0,
        metavar="SECONDS",
        help="wait so long for an answer (default: 32)",
    )
    script_options.add(parser, Side.CALLER)
    parser.add_argument("--full", action="store_true", help="show the messages, too")
    parser.add_argument("--json", action="store_true", help="say what happened as JSON")


def _phone(commands: _Commands) -> None:
    parser = _command(
        commands,
        "phone",
        "be a telephone that is called",
        description="Listens for calls, takes them as it is told, and says what happened. The first line of output\n"
        'is JSON: {"uri": …}, whom to call. Without an end of its own a call lasts until the other side hangs up.\n'
        "Requests in a call are answered 200; a REFER as if the other telephone had been reached.",
        epilog="examples:\n  drachtio-conformance phone --answer\n"
        "  drachtio-conformance phone --ring 2 --busy --port 5090 --calls 3 --json\n"
        "  drachtio-conformance phone --ring 1 --answer --dtmf 1 --hang-up-after 2 --transport tls\n\n"
        "exit code: 0 so many calls came and ended as they should, 1 one did not, 3 none came\n",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="IP", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port (default: a free one)")
    parser.add_argument(
        "--transport", choices=TRANSPORTS, default="udp", help="by which it is called (default: udp)"
    )
    script_options.add(parser, Side.CALLEE)
    parser.add_argument("--calls", type=int, default=1, metavar="N", help="end behind so many (default: 1)")
    parser.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="SECONDS", help="for each call to come (default: 60)"
    )
    parser.add_argument("--json", action="store_true", help="say what happened as JSON, a line for each call")


def _shell(commands: _Commands) -> None:
    parser = _command(
        commands,
        "shell",
        "speak the admin protocol by hand",
        description="An admin connection to type into. Message ids and lengths are computed, every "
        "frame is shown decoded.\n"
        "Type help for the commands. On a pipe it runs the lines one after the other.",
        epilog="examples:\n  drachtio-conformance shell 127.0.0.1:9022 --secret cymru\n"
        "  printf 'ping\\nroute invite\\nwait 60\\nrespond 486\\n' |\n"
        "    drachtio-conformance shell 127.0.0.1:9022 --secret cymru\n",
    )
    parser.add_argument(
        "address",
        type=admin_address,
        metavar="[tls://]HOST:PORT",
        help="admin port of a server; by TLS its certificate is not verified",
    )
    _secret(parser)
    parser.add_argument("--brief", action="store_true", help="one line for each frame")


def _replay(commands: _Commands) -> None:
    parser = _command(
        commands,
        "replay",
        "run recorded traces again",
        description="Plays what applications and SIP endpoints sent in a recording to the reference "
        "server, and compares every\n"
        "token and every octet of what it sends with what was recorded, but for what a server chooses freely\n"
        "(ids, tags, branches, times, its version). Time is not waited for.",
        epilog="examples:\n  drachtio-conformance replay tests/replay/recorded\n"
        "  drachtio-conformance replay traces --expect tests/replay/expect.yaml\n"
        "  drachtio-conformance replay call.log --steps\n\n"
        "A recording is NAME.log (===> or <===, then LENGTH#PAYLOAD) beside NAME.sip.txt (### time transport\n"
        "NAME(host:port) -> host:port (n bytes), then the message). Known differences stand in an expect.yaml.\n",
    )
    parser.add_argument("paths", nargs="+", metavar="FILE|DIR", help="a recording, or a folder of them")
    parser.add_argument(
        "--expect",
        metavar="FILE",
        help="known differences (default: expect.yaml in the folder, if there is one)",
    )
    parser.add_argument(
        "--steps", action="store_true", help="replay nothing; show the steps of each recording"
    )
    parser.add_argument("--verbose", action="store_true", help="on a terminal, name every recording")
    parser.add_argument("--report", metavar="DIR", help="write index.html and report.json there")


def _record(commands: _Commands) -> None:
    parser = _command(
        commands,
        "record",
        "write cases as recordings",
        description="Runs cases against the reference server and writes what crossed the wires as "
        "NAME.log and NAME.sip.txt,\n"
        "which replay reads. The shared secret is left out.",
        epilog="example:\n  drachtio-conformance record --filter 'call/**' recordings\n",
    )
    _selection(parser)
    parser.add_argument("folder", metavar="DIR", help="made if need be; files of the same names are replaced")


def _compare(commands: _Commands) -> None:
    parser = _command(
        commands,
        "compare",
        "lay several runs side by side",
        description="Makes a matrix of cases and runs from JSON reports (--json): of several servers, of several\n"
        "client libraries, of yesterday and today.",
        epilog="example:\n  drachtio-conformance compare srf-5=five.json srf-4=four.json --html matrix.html\n",
    )
    parser.add_argument("reports", nargs="+", metavar="NAME=REPORT.json", help="a run and what it is called")
    parser.add_argument("--html", metavar="FILE", help="one page with filters, clauses, ladders and octets")
    parser.add_argument(
        "--markdown", metavar="FILE", help="the cases that do not pass everywhere (default: print it)"
    )
    parser.add_argument("--title", default="Runs side by side", help="of the Markdown")


def _coverage(commands: _Commands) -> None:
    parser = _command(
        commands,
        "coverage",
        "say which clauses a recording of an application has exercised",
        description="Reads recordings in any form that msgtrace knows and judges what applications sent, by the rules\n"
        "of client mode and of the server's --lint: which clauses were exercised, which violated, and where.",
        epilog="examples:\n  drachtio-conformance coverage trace.jsonl\n"
        "  drachtio-conformance coverage --json *.log\n\n"
        "exit code: 0 no MUST is violated, 1 one is, 2 no recording\n",
    )
    parser.add_argument("paths", nargs="+", metavar="TRACE", help="a recording; - is standard input")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _vectors(commands: _Commands) -> None:
    parser = _command(
        commands,
        "vectors",
        "write the test vectors for codecs",
        description="Frames in hexadecimal, each with what it decodes to or the error, as JSON for any language.",
        epilog="example:\n  drachtio-conformance vectors export testdata/drachtio\n",
    )
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    export = actions.add_parser("export", help="write the files to a folder")
    export.add_argument("folder", metavar="DIR", help="made if need be; files of the same names are replaced")


def _traceability(commands: _Commands) -> None:
    parser = _command(
        commands,
        "traceability",
        "write docs/traceability.md",
        description="Checks that every clause has a case and every case names known clauses, and "
        "writes the generated documents\n"
        "(docs/traceability.md, docs/report.schema.json).",
        epilog="",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is stale")


def _secret(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--secret",
        metavar="S",
        help="shared secret (default: the environment's DRACHTIO_SECRET)",
    )


def _selection(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="GLOB",
        help="only these cases: a name, its beginning, or a pattern like 'sip/**'; may be repeated",
    )
    parser.add_argument(
        "--clause",
        action="append",
        default=[],
        metavar="ID",
        help="only cases that test this clause (FRAME-1) or family (FRAME); may be repeated",
    )
    parser.add_argument(
        "--scenarios", metavar="PATH", help="a file or folder of cases instead of the suite's own"
    )
