"""A server that dies in the middle of a run: a process of its own, killed by one of the cases."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.loader import parse
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.results import RunResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.engine.survival import Gone, Survival
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.foreign import ForeignTarget

SECRET = "s3cret"
SERVER = """
import os, socketserver, sys
class Admin(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            length = b""
            while not length.endswith(b"#"):
                octet = self.request.recv(1)
                if not octet:
                    return
                length += octet
            payload = self.rfile.read(int(length[:-1])).decode()
            tokens = payload.split("|")
            if "die" in tokens:
                os._exit(1)
            rest = {"authenticate": "OK|udp/127.0.0.1:9|v0.9.5-rc3", "ping": "OK|pong"}[tokens[1]]
            answer = f"00000000-0000-4000-8000-000000000001|response|{tokens[0]}|{rest}"
            self.wfile.write(f"{len(answer)}#{answer}".encode())
            if "last" in tokens:
                self.wfile.flush()
                os._exit(1)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
with Server(("127.0.0.1", int(sys.argv[1])), Admin) as server:
    open(sys.argv[2], "a").write(f"{os.getpid()}\\n")
    server.serve_forever()
"""
CASES = """
title: T
clauses: [X-1]
cases:
  - {id: before, title: Before, steps: [authenticate: app, ping: app]}
  - {id: killer, title: Killer, steps: [authenticate: app, send: {tokens: die}, expect: {tokens: "**"}]}
  - {id: after, title: After, steps: [authenticate: app, ping: app]}
  - {id: later, title: Later, steps: [authenticate: app, ping: app]}
"""


class Process:
    """The server's program, and how to start it."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        (folder / "server.py").write_text(SERVER)
        self.started = folder / "started"
        self.command = f"{sys.executable} {folder}/server.py {self.port} {self.started} &"

    def start(self) -> None:
        subprocess.run(self.command, shell=True, check=True, stdout=subprocess.DEVNULL)

    def pids(self) -> list[int]:
        return [int(line) for line in self.started.read_text().split()] if self.started.exists() else []


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    running = Process(tmp_path)
    running.start()
    yield running
    for pid in running.pids():
        subprocess.run(["kill", str(pid)], check=False, stderr=subprocess.DEVNULL)


def cases(text: str = CASES) -> list[Case]:
    return parse(text, name="t", file="t.yaml")


def run(
    process: Process,
    chosen: list[Case],
    restart: str,
    *,
    seconds: float = 10.0,
    told: list[str] | None = None,
) -> RunResult:
    async def story() -> RunResult:
        target = ForeignTarget("127.0.0.1", process.port, SECRET)
        await Survival(target, seconds=10.0, pause=0.02).bring_back()  # it is still starting
        survival = Survival(target, restart, seconds=seconds, pause=0.02)
        tell = None if told is None else told.append
        runner = Runner(target, Options(pace=Pace(deadline=2.0)), survival=survival, tell=tell)
        return await runner.run(chosen)

    return asyncio.run(story())


def verdicts(result: RunResult) -> list[tuple[str, Verdict, bool]]:
    return [(case.name, case.verdict, case.killer) for case in result.cases]


def test_the_killer_is_named_and_the_run_goes_on(process: Process) -> None:
    told: list[str] = []
    result = run(process, cases(), process.command, told=told)
    assert told == ["t/killer kills the server; waiting for it to come back"]
    assert verdicts(result) == [
        ("t/before", Verdict.PASS, False),
        ("t/killer", Verdict.FAIL, True),
        ("t/after", Verdict.PASS, False),
        ("t/later", Verdict.PASS, False),
    ]
    reason = result.cases[1].reason
    assert reason.startswith("kills the server: ")
    assert f"127.0.0.1:{process.port}: " in reason
    assert "; t.yaml:6: expected **, but the server closed the connection" in reason
    assert len(process.pids()) == 2
    assert (result.lost, outcome.exit_code(result)) == ("", ExitCode.FAILURES)


def test_a_case_that_passes_kills_as_well(process: Process) -> None:
    quiet = CASES.replace("tokens: die", "tokens: ping|last")
    result = run(process, cases(quiet), process.command)
    assert [case.killer for case in result.cases] == [False, True, False, False]
    assert result.cases[1].verdict is Verdict.FAIL


def test_without_a_way_back_the_rest_does_not_run_and_does_not_fail(process: Process) -> None:
    result = run(process, cases(), "", seconds=0.2)
    assert [case.name for case in result.cases] == ["t/before", "t/killer"]
    assert result.unreached == 2
    assert result.lost.startswith("it did not come back within 0.2 s without --restart COMMAND: ")
    assert "1 pass, 1 fail; the server went away, 2 not run" in outcome.sentence(result)


def test_a_command_that_fails_is_told(process: Process) -> None:
    result = run(process, cases(), "exit 3", seconds=0.2)
    assert "after 'exit 3', which ended with status 3: " in result.lost


def test_a_server_that_died_between_two_cases_is_the_former_ones_doing(process: Process) -> None:
    class Late(Runner):
        """Looks for the first time when it is too late: after the case behind the next, which is not run."""

        looks = 0

        async def _gone(self) -> str:
            Late.looks += 1
            return "" if Late.looks <= 2 else await super()._gone()

    async def story() -> RunResult:
        target = ForeignTarget("127.0.0.1", process.port, SECRET)
        await Survival(target, seconds=10.0, pause=0.02).bring_back()
        skipped = {"t/after": "has nothing to do with it"}
        options = Options(pace=Pace(deadline=2.0), restart=process.command, not_applicable=skipped)
        return await Late(target, options).run(cases()[1:])

    result = asyncio.run(story())
    assert verdicts(result) == [
        ("t/killer", Verdict.FAIL, True),
        ("t/after", Verdict.NOT_APPLICABLE, False),
        ("t/later", Verdict.PASS, False),
    ]


def test_the_killer_comes_first_where_failures_are_told(process: Process) -> None:
    wrong = "authenticate: app, send: {tokens: ping}, expect: {tokens: x}"
    early = CASES.replace("authenticate: app, ping: app", wrong, 1)
    result = run(process, cases(early), process.command)
    failed = [case for case in result.cases if case.verdict is Verdict.FAIL]
    assert [case.name for case in failed] == ["t/before", "t/killer"]
    assert [case.name for case in outcome.most_telling_first(failed)] == ["t/killer", "t/before"]


def test_a_wait_for_nobody_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    survival = Survival(ForeignTarget("127.0.0.1", port, SECRET), seconds=0.05, pause=0.01)
    with pytest.raises(Gone, match=r"within 0\.05 s without --restart COMMAND: .*Connection refused"):
        asyncio.run(survival.bring_back())


def test_as_a_user_runs_it(process: Process, tmp_path: Path) -> None:
    """The command names the killer first, starts the server anew, and goes on."""
    file = tmp_path / "t.yaml"
    wrong = "authenticate: app, send: {tokens: ping}, expect: {tokens: x}"
    file.write_text(CASES.replace("authenticate: app, ping: app", wrong, 1))
    asyncio.run(Survival(ForeignTarget("127.0.0.1", process.port, SECRET), seconds=10.0).bring_back())
    command = [sys.executable, "-m", "drachtio_conformance.cli", "server", "--scenarios", str(file)]
    command += ["--admin", f"127.0.0.1:{process.port}", "--secret", SECRET, "--restart", process.command]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (ExitCode.FAILURES, "")
    assert "t/killer kills the server; waiting for it to come back\n" in ended.stdout
    told = ended.stdout[ended.stdout.index("\n✗ ") :]
    assert told.startswith("\n✗ Killer  t/killer\n")
    assert "  fail: kills the server: " in told
    assert "4 cases in " in told
    assert "2 pass, 2 fail" in told
