"""What GitHub's and GitLab's logs make of special lines: annotations at a case's place, and groups that fold.

GitHub: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; GitLab:
https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from enum import Enum

from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.report.visible import visible

_COMMAND = re.compile(r"(?m)^([ \t]*)(?=::)|(?<=##)()(?=\[)")


class Log(Enum):
    """Who shows the log."""

    PLAIN = "plain"
    GITHUB = "github"
    GITLAB = "gitlab"

    @staticmethod
    def of(environment: Mapping[str, str] = os.environ) -> Log:
        """By the variables that each of them sets."""
        if environment.get("GITHUB_ACTIONS") == "true":
            return Log.GITHUB
        return Log.GITLAB if environment.get("GITLAB_CI") == "true" else Log.PLAIN


def opened(log: Log, heading: str, seconds: float) -> str:
    """The line that opens a group which is folded; ``seconds`` is the time since 1970."""
    match log:
        case Log.GITHUB:
            return f"::group::{heading}\n"
        case Log.GITLAB:
            return f"\x1b[0Ksection_start:{seconds:.0f}:{_slug(heading)}[collapsed=true]\r\x1b[0K{heading}\n"
        case Log.PLAIN:
            return ""


def closed(log: Log, heading: str, seconds: float) -> str:
    """The line that closes it."""
    match log:
        case Log.GITHUB:
            return "::endgroup::\n"
        case Log.GITLAB:
            return f"\x1b[0Ksection_end:{seconds:.0f}:{_slug(heading)}\r\x1b[0K\n"
        case Log.PLAIN:
            return ""


def annotated(cases: Sequence[CaseResult]) -> list[str]:
    """A line for each case that needs a look, killers first: ``::error file=…,line=…,title=…::…``."""
    lines: list[str] = []
    told = [case for case in cases if case.verdict in outcome.FAILING | {Verdict.WARN}]
    for case in outcome.most_telling_first(told):
        kind = "warning" if case.verdict is Verdict.WARN else "error"
        step = outcome.decisive_step(case)
        file, _, line = (step.source if step is not None else case.source).rpartition(":")
        where = f"file={_property(file)},line={line}," if file and line.isdecimal() else ""
        message = f"{case.name}: {case.reason or case.verdict}"
        if case.rerun:
            message += f"\nagain: {case.rerun}"
        lines.append(f"::{kind} {where}title={_property(case.title)}::{_data(message)}")
    return lines


def obeyed_by_nobody(log: Log, text: str) -> str:
    """``text`` in which no line is a command to who shows the log: GitHub looks for them behind blanks, too."""
    if log is not Log.GITHUB:
        return text
    return _COMMAND.sub(r"\g<0>\\", text)


def _slug(heading: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", heading)


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
