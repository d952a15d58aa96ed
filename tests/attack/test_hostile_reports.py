"""What a peer sent stands in reports and on consoles: it steers no terminal, is no markup, and gives no CI a command.

Every text of a run that may come from a peer holds a terminal's escapes, markup of each form of output, line ends with
commands of GitHub's behind them, and NUL.
"""

from __future__ import annotations

import io
import json
import re
import socket
import threading
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec import structs

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.results import CaseResult, RunResult, StepResult
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import ci_log, html_page, json_report, junit, markdown
from drachtio_conformance.report.ci_log import Log
from drachtio_conformance.report.console import RunConsole
from drachtio_conformance.report.visible import visible
from drachtio_load import cli as load_cli
from drachtio_load.answers import Answer
from drachtio_load.cli import main as load_main
from drachtio_load.complaints import FailedCall
from drachtio_load.report import write_csv, write_html, write_json
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, LoadRun
from drachtio_load.statistics import CallStatistics
from drachtio_load.verdict import judge
from tests.conformance.sample_run import sample_run, sample_specification

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m<script>alert(1)</script><img src=x onerror=alert(1)>\"'&]]>-->\0"
    "\r\n::stop-commands::x\n  ::error::forged\n##[error]forged\r\x1b[0Ksection_start:1:x\r\n```\n# Heading\n| a |"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SGR = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")
"""what a terminal is told by us: colours and links"""


def hostile(run: RunResult) -> RunResult:
    """``run`` with ``HOSTILE`` in all that a peer may have said."""
    return structs.replace(run, server_version=HOSTILE, cases=[_case(case) for case in run.cases])


def _case(case: CaseResult) -> CaseResult:
    return structs.replace(
        case,
        reason=case.reason and f"got {HOSTILE}",
        steps=[_step(step) for step in case.steps],
        events=[_event(event) for event in case.events],
    )


def _step(step: StepResult) -> StepResult:
    return structs.replace(step, expected=step.expected and HOSTILE, actual=step.actual and HOSTILE)


def _event(event: WireEvent) -> WireEvent:
    return structs.replace(event, summary=HOSTILE, data=HOSTILE)


RUN = hostile(sample_run())


def is_harmless(text: str) -> None:
    """No control character but line feed and tab."""
    found = CONTROL.search(text)
    assert found is None, repr(text[max(found.start() - 40, 0) :][:90])


def gives_no_commands(text: str) -> None:
    """No line is one that GitHub obeys; it looks behind blanks, and for its old form anywhere."""
    for line in text.splitlines():
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line


class Elements(HTMLParser):
    """The elements of a page, and what they do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("log", Log)
def test_the_suites_console(log: Log) -> None:
    out = io.StringIO()
    console = RunConsole(out, sample_specification(), log=log, verbose=True)
    console.started(len(RUN.cases), f"host {HOSTILE}")
    for case in RUN.cases:
        console.running(case.name)
        console.finished(case)
    console.remark(f"remark {HOSTILE}")
    console.paragraph("heading", [HOSTILE])
    console.summary(RUN)
    shown = out.getvalue()
    if log is Log.GITLAB:  # whose own marks are escapes
        shown = re.sub(r"\x1b\[0Ksection_(start|end):\d+:[a-z]+(\[collapsed=true\])?\r\x1b\[0K", "", shown)
    if log is Log.GITHUB:
        gives_no_commands(re.sub(r"(?m)^::(group::[a-z]+|endgroup::)$", "", shown))
    is_harmless(shown)
    assert "owned" in shown


def test_a_terminal_is_told_colours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    console = RunConsole(out, sample_specification(), log=Log.PLAIN)
    console.summary(RUN)
    assert "\x1b[" in out.getvalue()
    is_harmless(SGR.sub("", out.getvalue()))


def test_annotations() -> None:
    lines = ci_log.annotated(RUN.cases)
    assert lines
    for line in lines:
        assert line.startswith(("::error ", "::warning "))
        is_harmless(line)
        assert "\n" not in line


def test_markdown() -> None:
    text = markdown.render(RUN, sample_specification())
    is_harmless(text)
    outside = re.sub(r"(?ms)^(`{3,})[a-z]*\n.*?^\1$", "", text)
    assert "<script" not in outside.replace(r"\<", "")
    assert "<img" not in outside.replace(r"\<", "")
    assert not re.search(r"(?m)^# Heading", outside)


def test_junit() -> None:
    text = junit.render(RUN).decode()
    root = ElementTree.fromstring(text)
    is_harmless(text)
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped"),
        "system-out",
    }


def test_the_suites_page_and_json(tmp_path: Path) -> None:
    harmless, page = tmp_path / "harmless.html", tmp_path / "page.html"
    html_page.write(sample_run(), sample_specification(), harmless)
    html_page.write(RUN, sample_specification(), page)
    found, usual = Elements(page.read_text("utf-8")), Elements(harmless.read_text("utf-8"))
    assert found.names.count("script") == usual.names.count("script")
    assert "img" not in found.names
    assert found.handlers == usual.handlers
    is_harmless(page.read_text("utf-8"))
    json_report.write(RUN, tmp_path / "run.json", ExitCode.FAILURES)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", (tmp_path / "run.json").read_text("utf-8"))
    assert json.loads((tmp_path / "run.json").read_bytes())["server_version"] == HOSTILE


def loaded(tmp_path: Path) -> LoadRun:
    """A run of drachtio-load whose callee has said such things."""
    statistics = CallStatistics(
        created=4,
        successful=3,
        failed=1,
        unfinished=0,
        retransmissions=0,
        unexpected=1,
        began=0.0,
        seconds=1.0,
        response_milliseconds=1.0,
        failures={f"unexpected message {HOSTILE}": 1},
    )
    return LoadRun(
        plan=LoadPlan(scenario=find_scenario("answered"), host="127.0.0.1", port=5060, calls=4),
        exit_code=1,
        ended_by_deadline=False,
        statistics=statistics,
        received=4,
        complaint=HOSTILE,
        first_failed=FailedCall(HOSTILE, "200", f"SIP/2.0 404 {HOSTILE}"),
        messages=[],
        answers=[Answer(name=f"404 {HOSTILE}", unawaited=1)],
    )


def test_what_drachtio_load_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = loaded(tmp_path)
    judgement = judge(run)
    load_cli._say(judgement.sentence)
    load_cli._table(run)
    load_cli._complain(ExitCode.HARNESS, HOSTILE)
    printed = capsys.readouterr()
    is_harmless(printed.out + printed.err)
    assert "\nforged" not in printed.out
    page = tmp_path / "run.html"
    write_html(page, run, judgement, datetime.now(UTC), f"drachtio-load {HOSTILE}")
    is_harmless(page.read_text("utf-8"))
    elements = Elements(page.read_text("utf-8"))
    assert not {"script", "img"} & set(elements.names)
    assert elements.handlers == []
    write_csv(tmp_path / "run.csv", run)
    assert re.fullmatch(r"[a-z0-9_,.\r\n]*", (tmp_path / "run.csv").read_text("utf-8"))
    write_json(tmp_path / "run.json", run, judgement, HOSTILE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", (tmp_path / "run.json").read_text("utf-8"))
    assert json.loads((tmp_path / "run.json").read_bytes())["answers"][0]["name"] == f"404 {HOSTILE}"


@pytest.mark.parametrize("escape", ["\x1b[2J", "\x9b31m", "<b>"])
def test_a_callee_that_answers_with_them(
    escape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Refusing(f"404 Not{escape}Found") as port:
        arguments = [
            "run",
            "options",
            f"127.0.0.1:{port}",
            "--calls",
            "2",
            "--report",
            str(tmp_path / "run.html"),
        ]
        assert load_main(arguments) == ExitCode.FAILURES
    printed = capsys.readouterr()
    assert visible(f"404 Not{escape}Found") in printed.out
    is_harmless(SGR.sub("", printed.out + printed.err))
    is_harmless((tmp_path / "run.html").read_text("utf-8"))
    assert f"Not{escape}Found" not in (tmp_path / "run.html").read_text("utf-8")


class Refusing:
    """Answers each request with one status line."""

    def __init__(self, status: str) -> None:
        self._status = status
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> int:
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"end", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65535)
            if data == b"end":
                return
            head = data.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")[1:]
            kept = [
                line
                for line in head
                if line.partition(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")
            ]
            text = "\r\n".join([f"SIP/2.0 {self._status}", *kept, "Content-Length: 0", "", ""])
            self._socket.sendto(text.encode("latin-1"), peer)
