"""The JUnit XML report, in the form that Jenkins, GitLab and GitHub's test reporters read.

A test suite for each first part of a case's name. known-failing and not-applicable are ``skipped`` with their
reason, a harness error is an ``error``, and a warning passes with its reason in ``system-out``.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, Verdict
from drachtio_conformance.report.visible import visible

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(run: RunResult, path: Path) -> None:
    """Write the report."""
    path.write_bytes(render(run))


def render(run: RunResult) -> bytes:
    """The report as UTF-8 XML."""
    root = Element(
        "testsuites", {"name": "drachtio-conformance", **_sums(run.cases), "time": f"{run.duration:.3f}"}
    )
    for family, group in groupby(sorted(run.cases, key=outcome.family), key=outcome.family):
        cases = list(group)
        time = sum(case.duration for case in cases)
        attributes = {"name": family, **_sums(cases), "time": f"{time:.3f}", "timestamp": run.started}
        suite = SubElement(root, "testsuite", attributes)
        properties = SubElement(suite, "properties")
        for name, value in (("target", run.target), ("server-version", run.server_version)):
            SubElement(properties, "property", name=name, value=_clean(value))
        for case in cases:
            _case(suite, case)
    ElementTree.indent(root)
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(root, encoding='unicode')}\n".encode()
    )


def _sums(cases: list[CaseResult]) -> dict[str, str]:
    number = outcome.counts(cases)
    return {
        "tests": str(len(cases)),
        "failures": str(number[Verdict.FAIL] + number[Verdict.UNEXPECTED_PASS]),
        "errors": str(number[Verdict.ERROR]),
        "skipped": str(number[Verdict.NOT_APPLICABLE] + number[Verdict.KNOWN_FAILING]),
    }


def _case(suite: Element, case: CaseResult) -> None:
    family, _, rest = case.name.partition("/")
    file, _, line = case.source.partition(":")
    clauses = f" [{', '.join(case.clauses)}]" if case.clauses else ""
    attributes = {
        "classname": family,
        "name": f"{rest or family}{clauses}",
        "time": f"{case.duration:.3f}",
    }
    if file:
        attributes["file"] = file
    if line.isdigit():
        attributes["line"] = line
    element = SubElement(suite, "testcase", {key: _clean(value) for key, value in attributes.items()})
    properties = SubElement(element, "properties")
    for clause in case.clauses:
        SubElement(properties, "property", name="clause", value=clause)
    reason = _clean(case.reason)
    match case.verdict:
        case Verdict.FAIL | Verdict.UNEXPECTED_PASS:
            failure = SubElement(element, "failure", message=reason or case.verdict, type=case.verdict)
            failure.text = _clean(_story(case))
        case Verdict.ERROR:
            error = SubElement(element, "error", message=reason or "harness error", type="error")
            error.text = _clean(_story(case))
        case Verdict.NOT_APPLICABLE | Verdict.KNOWN_FAILING:
            SubElement(element, "skipped", message=f"{case.verdict}: {reason}")
        case Verdict.WARN:
            SubElement(element, "system-out").text = f"warning: {reason}"
        case Verdict.PASS:
            pass


def _story(case: CaseResult) -> str:
    """What a reader of the CI log needs: title, the step with expected and actual, and the command."""
    lines = [case.title, f"clauses: {', '.join(case.clauses)}"]
    for step in case.steps:
        if step.outcome in (StepOutcome.FAILED, StepOutcome.ERROR):
            lines += [
                f"{step.source}: {step.sentence}",
                f"expected: {step.expected}",
                f"actual:   {step.actual}",
            ]
    if case.rerun:
        lines.append(f"rerun: {case.rerun}")
    return "\n".join(lines)


def _clean(text: str) -> str:
    """``text`` without what XML 1.0 cannot hold, or what steers a terminal; that is written as ``\\x00``."""
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", visible(text))
