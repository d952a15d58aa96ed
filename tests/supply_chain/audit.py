"""``python -m tests.supply_chain.audit PIP-AUDIT REQUIREMENTS``: known vulnerabilities of what is locked.

pip-audit alone ends with "No known vulnerabilities found" also where it has learned of no package at all; here that is
said, and no success.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec
from msgspec import Struct


class Vulnerability(Struct):
    """One that is known."""

    id: str
    fix_versions: list[str] = []


class Dependency(Struct):
    """One package, and what is known of it."""

    name: str
    version: str = ""
    skip_reason: str = ""
    vulns: list[Vulnerability] = []


class Answer(Struct):
    """What ``pip-audit --format json`` writes."""

    dependencies: list[Dependency]


FINE, VULNERABLE, NOT_REACHED = 0, 1, 3
"""the program's status"""


def judged(answer: Answer) -> tuple[int, list[str]]:
    """The status, and what to say."""
    said: list[str] = []
    for one in answer.dependencies:
        for found in one.vulns:
            mended = ", ".join(found.fix_versions) or "no version yet"
            said.append(f"{one.name} {one.version}: {found.id}, mended in {mended}")
    vulnerable = bool(said)
    unknown = [one for one in answer.dependencies if one.skip_reason]
    known = len(answer.dependencies) - len(unknown)
    said.append(f"{known} of {len(answer.dependencies)} packages could be asked about")
    said += [f"not asked about: {one.name} ({one.skip_reason})" for one in unknown]
    if vulnerable:
        return VULNERABLE, said
    return (FINE if known and not unknown else NOT_REACHED), said


def main() -> int:
    """0: nothing is known of any package; 1: something is; 3: the service could not be asked about each of them."""
    program, requirements = sys.argv[1:]
    command = [program, "--require-hashes", "--disable-pip", "--timeout", "5", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--format", "json", "-r", requirements], capture_output=True, text=True, check=False
    )
    if not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        sys.stdout.write(f"{requirements}: the service of known vulnerabilities was not reached: {last}\n")
        return NOT_REACHED
    status, said = judged(msgspec.json.decode(done.stdout, type=Answer))
    sys.stdout.writelines(f"{requirements}: {line}\n" for line in said)
    return status


if __name__ == "__main__":
    sys.exit(main())
