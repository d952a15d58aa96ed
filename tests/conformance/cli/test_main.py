"""The command line as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.outcome import ExitCode
from tests.conformance.conftest import Running, started
from tests.conformance.small_server import SECRET, SmallTarget

FEW = ["--filter", "ping"]


@contextmanager
def silent_listener() -> Iterator[str]:
    """Accepts connections and never says anything; yields HOST:PORT."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted: list[socket.socket] = []

        def accept() -> None:
            while True:
                connection, _ = listening.accept()
                accepted.append(connection)
                if connection.recv(1) == b"":
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        socket.create_connection(listening.getsockname()).close()
        thread.join()
        for connection in accepted:
            connection.close()


def case_file(tmp_path: Path, expected: str) -> str:
    """A file with one case, which expects ``expected`` as the answer to a ping."""
    path = tmp_path / "scenarios" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(
        "title: Mine\nclauses: [PING-1]\ncases:\n  - id: one\n    title: A ping\n    steps:\n"
        f"      - authenticate: app\n      - send: {{tokens: ping}}\n      - expect: {{tokens: '{expected}'}}\n",
        "utf-8",
    )
    return str(path)


def test_a_run_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", *FEW]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("cases against reference server (embedded)")
    assert lines[1].startswith("pass            ping/basic/answered")
    assert " pass · reference server (embedded) (v0.9.9-ref." in lines[-1]


def test_a_run_that_fails_says_why_and_how_to_repeat_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = case_file(tmp_path, "*|response|*|OK|gong")
    assert main(["server", "--scenarios", file]) == 1
    text = capsys.readouterr().out
    assert "✗ A ping  mine/one\n  PING-1 · ping is answered pong\n    MUST: `ping` is answered `OK`" in text
    assert (
        "mine.yaml:9  app gets *|response|*|OK|gong\n    expected  token 4: gong\n    actual    token 4: pong"
        in text
    )
    assert "─ ping ─" in text
    assert f"  again: drachtio-conformance server --scenarios {file} --filter mine/one\n" in text


def test_known_failures_do_not_fail_the_run_and_stale_ones_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.yaml"
    arguments = [
        "server",
        "--scenarios",
        case_file(tmp_path, "*|response|*|OK|gong"),
        "--baseline",
        str(known),
    ]
    known.write_text("known_failing:\n  mine/one: issue 12\n", "utf-8")
    assert main(arguments) == 0
    assert "1 known-failing" in capsys.readouterr().out
    known.write_text("known_failing:\n  mine/one: issue 12\n  mine/two: issue 13\n", "utf-8")
    assert main(arguments) == 1
    assert "baseline/mine/two" in capsys.readouterr().out


def test_a_known_failure_that_passes_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.yaml"
    known.write_text("known_failing:\n  mine/one: issue 12\n", "utf-8")
    file = case_file(tmp_path, "*|response|*|OK|pong")
    assert main(["server", "--scenarios", file, "--baseline", str(known)]) == 1
    assert "unexpected-pass" in capsys.readouterr().out


def test_reports_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "report"
    assert main(["server", *FEW, "--report", str(folder)]) == 0
    assert "<title>✓ " in (folder / "index.html").read_text("utf-8")
    assert json.loads((folder / "report.json").read_text("utf-8"))["exit_code"] == 0
    assert ElementTree.parse(folder / "junit.xml").getroot().get("failures") == "0"
    assert capsys.readouterr().out.splitlines()[-4:] == [
        f"report: {folder / name}" for name in ("index.html", "report.json", "junit.xml", "summary.md")
    ]


def test_an_interrupted_run_reports_what_it_learnt_and_is_no_pass(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drachtio_conformance.cli", "server", "--report", str(tmp_path)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        total = int(process.stdout.readline().split()[0])
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said, complaint = process.stdout.read().decode(), process.stderr.read()
    assert (process.returncode, complaint) == (130, b"drachtio-conformance: interrupted\n")
    document = json.loads((tmp_path / "report.json").read_text("utf-8"))
    ended = len(document["cases"])
    assert 0 < ended < total
    assert document["unreached"] == total - ended
    assert document["server_version"].startswith("v0.9.9-ref.")
    assert f"; interrupted, {total - ended} not run · " in said
    assert '<h1 class="bad">Interrupted</h1>' in (tmp_path / "index.html").read_text("utf-8")


def test_a_report_that_cannot_be_written_is_told_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", *FEW, "--json", "/proc/none/report.json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "/proc/none" in shown.err


def test_mutants_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--filter", "ping/basic/answered", "--mutants"]) == 0
    assert "broken twins of 1: 1 pass" in capsys.readouterr().out


def test_a_running_server(running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    arguments = ["server", *FEW, "--admin", running.admin, "--secret", running.secret, "--json", str(report)]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0].endswith(f"cases against {running.admin}")
    assert f"|{running.secret}|" not in shown.out + report.read_text("utf-8")
    rerun = json.loads(report.read_text("utf-8"))["cases"][0]["rerun"]
    assert rerun == (
        f'drachtio-conformance server --admin {running.admin} --secret "$DRACHTIO_SECRET" --filter ping/basic/answered'
    )


def test_the_secret_may_come_from_the_environment(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRACHTIO_SECRET", running.secret)
    assert main(["server", *FEW, "--admin", running.admin]) == 0
    assert " pass · " in capsys.readouterr().out


def test_a_wrong_secret_is_wrong_usage(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", *FEW, "--admin", running.admin, "--secret", "wrong"]) == 2
    assert "incorrect secret; give the right one by --secret or DRACHTIO_SECRET" in capsys.readouterr().err


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", *FEW, "--admin", "127.0.0.1:1"]) == 3
    assert "no connection to 127.0.0.1:1: Connection refused" in capsys.readouterr().err


def test_somebody_listens_and_never_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    with silent_listener() as address:
        assert main(["server", *FEW, "--admin", address, "--json", str(report)]) == 3
    assert "authenticate was not answered" in capsys.readouterr().err
    document = json.loads(report.read_text("utf-8"))
    assert document["exit_code"] == 3
    assert document["counts"]["error"] == len(document["cases"]) > 0


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--clause", "PING-1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["name"] == "ping/basic/answered"
    assert "PING-1" in rows[0]["clauses"]
    assert main(["list", "--clause", "route-3"]) == 0
    assert capsys.readouterr().out.startswith("ROUTE-3 · Verbs are compared in lower case · MUST · server\n")
    assert main(["list", *FEW]) == 0
    assert capsys.readouterr().out.startswith("ping/basic/answered")


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("PING-1", "PING-1 · ping is answered pong\nMUST · server · since 0.2"),
        ("ping-1", "  ping/basic/answered "),
        ("AUTH-6", "DEV-1 · AUTH-6\n  genuine server  accept every frame"),
        ("dev-1", "  why             security"),
        ("FRAME", "FRAME-1    MUST       A frame is a count, a # and that many octets"),
        ("ping/basic/answered", "steps\n   1  app authenticates"),
    ],
)
def test_explain(what: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", what]) == 0
    assert shown in capsys.readouterr().out


def test_explain_without_an_id_names_the_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^PROXY +[1-9][0-9]* clauses  Proxying; What a proxy does$", told, re.MULTILINE)


def test_every_clause_and_case_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    from drachtio_conformance.cases import specification, traceability
    from drachtio_conformance.cli import explain
    from drachtio_conformance.cli.main import load_cases

    rules, cases, stories = specification.load(), load_cases(), traceability.scenarios()
    for name in [*rules.clauses, *rules.families(), *rules.deviations, *(case.name for case in cases)]:
        text = explain.explain(name, rules, cases, scenarios=stories, width=80)
        assert name.lower() in text.lower() or name in rules.families()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["server", "--filter", "pingg"], "no case is called 'pingg' (did you mean ping"),
        (["server", "--clause", "PING-99"], "no case tests the clause 'PING-99' (did you mean PING-"),
        (
            ["server", "--secret", "x"],
            "--secret, --sip and --restart are about a running server: give its --admin HOST:PORT",
        ),
        (
            ["server", "--sip", "udp/127.0.0.1:5060"],
            "--secret, --sip and --restart are about a running server",
        ),
        (
            ["server", "--emulate", "0.9", "--admin", "127.0.0.1:9"],
            "--emulate is about the embedded server, --admin about a running one: give one of them",
        ),
        (["list", "--filter", "pingg"], "no case is called 'pingg'"),
        (["explain", "PINGG-1"], "no clause, deviation or case is called 'PINGG-1' (did you mean PING-1"),
        (["server", "--baseline", "/none.yaml"], "/none.yaml: No such file or directory"),
        (["server", "--profile", "/none.yaml"], "/none.yaml: No such file or directory"),
        (["server", "--scenarios", "/none"], "/none: there is no such file or folder of cases"),
        (["call", "sips:bob@127.0.0.1;transport=udp"], "sips goes by tls or wss, not by udp: try sip:"),
        (["call", "bob"], "expected a SIP URI like sip:bob@127.0.0.1:5060, got 'bob'"),
        (
            ["call", "sip:127.0.0.1", "--header", "nonsense"],
            "expected a header like 'X-Custom: abc', got 'nonsense'",
        ),
        (["call", "sip:127.0.0.1", "--body", "@/none"], "/none: No such file or directory"),
    ],
)
def test_wrong_usage_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_met = message.startswith("no case ")
    assert main(arguments) == (ExitCode.FAILURES if nothing_met else ExitCode.USAGE)
    shown = capsys.readouterr()
    assert shown.err.startswith(f"drachtio-conformance: {message}")
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage: drachtio-conformance"),
        (["serve"], "invalid choice: 'serve'"),
        (["server", "--admin", "localhost"], "expected HOST:PORT like 127.0.0.1:9022, got 'localhost'"),
        (["server", "--admin", "::1:9022"], "an IPv6 address stands in brackets"),
        (
            ["server", "--sip", "sctp/h:1"],
            "expected TRANSPORT/HOST:PORT with one of udp, tcp, tls, ws, wss, got 'sctp/h:1'",
        ),
        (["server", "--admin", "tls://h"], "expected HOST:PORT like 127.0.0.1:9022, got 'h'"),
        (["server", "--slow", "0"], "expected a factor from 0.1 to 1000, got '0'"),
        (["call", "sip:x", "--hold", "-1"], "expected"),
    ],
)
def test_options_are_checked(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_wrong_case_file_of_ones_own_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = case_file(tmp_path, "x").replace("mine.yaml", "wrong.yaml")
    Path(file).write_text("title: Wrong\ncases:\n  - id: one\n", "utf-8")
    assert main(["server", "--scenarios", file]) == 2
    assert "wrong.yaml:3: " in capsys.readouterr().err


def test_a_folder_without_cases_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--scenarios", str(tmp_path)]) == 2
    assert "expected case files, NAME.yaml, and there is none" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["list"], ["explain", "FRAME-1"], ["server", "--filter", "ping"]])
def test_output_that_nobody_reads_or_that_knows_no_arrows(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "drachtio_conformance.cli", *arguments]
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
    ascii_only = subprocess.run(
        command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=True
    )
    assert ascii_only.stdout.isascii()
    assert not ascii_only.stderr


def test_vectors_are_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "vectors"
    assert main(["vectors", "export", str(folder)]) == 0
    written = json.loads((folder / "framing.json").read_text("utf-8"))
    assert f"{folder / 'framing.json'}  {len(written)} vectors\n" in capsys.readouterr().out
    assert (folder / "README.md").is_file()
    assert main(["vectors", "export", "/proc/none"]) == 2
    assert "/proc/none: " in capsys.readouterr().err


def test_call_draws_a_ladder(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["call", f"sip:bob@{running.sip}", "--method", "message", "--body", "hi", "--full"]
    assert main([*arguments, "--header", "X-A: é"]) == 1
    text = capsys.readouterr().out
    assert "MESSAGE sip:bob@" in text.splitlines()[1]
    assert "\nX-A: é\n" in text
    assert "\nContent-Type: text/plain\n" in text
    assert text.endswith("\nMESSAGE was answered 503 Service Unavailable\n")


def test_a_known_release_is_told_that_there_is_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    ready: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        server, over = await SmallTarget().start(None), asyncio.Event()
        ready.put((server.endpoints.admin[1], asyncio.get_running_loop(), over))
        await over.wait()
        await server.stop()

    serving = threading.Thread(target=lambda: asyncio.run(serve()))
    serving.start()
    port, loop, over = ready.get()
    arguments = [
        "server",
        "--admin",
        f"127.0.0.1:{port}",
        "--secret",
        SECRET,
        "--filter",
        "ping/basic/answered",
    ]
    try:
        assert main(arguments) == ExitCode.OK
        assert "--profile drachtio-0.9.5 comes with the suite" in capsys.readouterr().out
        assert main([*arguments, "--profile", "drachtio-0.9.5"]) == ExitCode.OK
        assert "comes with the suite" not in capsys.readouterr().out
    finally:
        loop.call_soon_threadsafe(over.set)
        serving.join()


def test_a_case_is_explained_with_what_genuine_servers_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "authenticate/gate/ping"]) == ExitCode.OK
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "On drachtio-0.9: needs no authentication (DEV-1); at step 3 comes token 3: OK; token 4: pong" in told
    )
    assert main(["explain", "timer/as_caller/nothing-in-the-200"]) == ExitCode.OK
    assert "Not run on drachtio-0.9: DEV-126: it dies" in " ".join(capsys.readouterr().out.split())
    assert main(["explain", "network/registrations/expired"]) == ExitCode.OK
    assert "On drachtio-0.9.5, by its profile: " in " ".join(capsys.readouterr().out.split())


def test_the_embedded_server_may_be_a_genuine_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--emulate", "0.9", "--filter", "authenticate/gate/*"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "7 known-failing" in told
    assert "reference server (embedded) as 0.9" in told


def test_a_profile_of_the_suite_does_for_cases_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = case_file(tmp_path, "*|response|*|OK|pong")
    assert main(["server", "--scenarios", file, "--profile", "drachtio-0.9.5"]) == ExitCode.OK


def test_the_example_of_a_baseline_names_a_case_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["server", "--help"])
    example = re.search(r"known_failing:\n +(\S+): ", capsys.readouterr().out)
    assert example is not None
    assert main(["explain", example[1]]) == ExitCode.OK


def test_a_server_is_tested_by_tls(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["server", "--admin", f"tls://{running.secure_admin}", "--secret", running.secret]
    assert main([*arguments, "--filter", "connection/tls", "--filter", "network/secure/call-by-tls"]) == 0
    told = capsys.readouterr().out
    assert f"5 pass · tls://{running.secure_admin} (v" in " ".join(told.split())
    # By the other door the cases about TLS say why they do not apply, and the SIP endpoints are found all the same.
    arguments[2] = running.admin
    assert (
        main([*arguments, "--filter", "connection/tls/pieces", "--filter", "network/secure/call-by-tls"]) == 0
    )
    told = capsys.readouterr().out
    assert "needs an admin port by TLS: --admin tls://HOST:PORT" in told
    assert "1 pass, 1 not-applicable" in told


def test_who_speaks_no_tls_is_told(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["server", "--admin", f"tls://{running.admin}", "--secret", "cymru", "--filter", "ping"]
    assert main(arguments) == ExitCode.NO_PEER
    assert f"no connection to {running.admin}: " in capsys.readouterr().err


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_a_call_goes_by_any_transport(
    running: Running, capsys: pytest.CaptureFixture[str], transport: str
) -> None:
    uri = f"sip:bob@{running.doors[transport]};transport={transport}"
    assert main(["call", uri, "--method", "options", "--full"]) == 1
    told = capsys.readouterr().out
    assert f"\nVia: SIP/2.0/{transport.upper()} 127.0.0.1:" in told
    assert told.endswith("\nOPTIONS was answered 503 Service Unavailable\n")


def test_a_sips_uri_is_called_by_tls(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", f"sips:bob@{running.doors['tls']}", "--method", "options"]) == 1
    assert "OPTIONS was answered 503" in capsys.readouterr().out
    assert main(["call", f"sips:bob@{running.sip}", "--timeout", "5"]) == ExitCode.NO_PEER
    assert "no TLS connection to " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scheme", "kind", "cases"), [("http", "GET", "http/question"), ("tcp", "tcp", "outbound/direct")]
)
def test_cases_of_handlers_against_a_server_that_is_configured_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scheme: str, kind: str, cases: str
) -> None:
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{kept.getsockname()[1]}"
        profile = tmp_path / "profile.yaml"
        profile.write_text(f"configured: {{request-handler: {kind}}}\nhandler: {place}\n", "utf-8")
        with started("--http-handler", f"{scheme}://{place}") as server:
            target = ["--admin", server.admin, "--secret", server.secret, "--profile", str(profile)]
            report = tmp_path / "report.json"
            few = ["--filter", cases, "--filter", "ping"]
            assert main(["server", *target, *few, "--json", str(report)]) == 0
    verdicts = {case["name"]: case["verdict"] for case in json.loads(report.read_text("utf-8"))["cases"]}
    assert verdicts["ping/basic/answered"] == "not-applicable"
    played = [name for name, verdict in verdicts.items() if verdict == "pass"]
    assert len(played) == {"GET": 9, "tcp": 2}[kind], capsys.readouterr().out
