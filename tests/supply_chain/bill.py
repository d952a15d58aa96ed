"""``python -m tests.supply_chain.bill SBOM REQUIREMENTS``: whether a bill names all that is locked, with hashes."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from msgspec import Struct, field

from tests.supply_chain.locked import locked, normal


class Reference(Struct):
    """Where a component comes from."""

    hashes: list[dict[str, str]] = []


class Component(Struct):
    """One package of a CycloneDX document."""

    name: str
    version: str
    references: list[Reference] = field(default_factory=list, name="externalReferences")


class Bill(Struct):
    """The part of a CycloneDX document that is looked at."""

    bom_format: str = field(name="bomFormat")
    components: list[Component]


def faults_of(bill: Bill, requirements: str) -> list[str]:
    """A sentence for each package that the bill and the lock do not both have alike, or that has no hash."""
    expected = locked(requirements)
    named = {normal(one.name): one.version for one in bill.components}
    faults = (
        [] if bill.bom_format == "CycloneDX" else [f"expected bomFormat CycloneDX, got {bill.bom_format}"]
    )
    for name in sorted(expected.keys() | named.keys()):
        if expected.get(name) != named.get(name):
            faults.append(f"{name}: locked {expected.get(name, 'not')}, named {named.get(name, 'not')}")
    unhashed = [one.name for one in bill.components if not any(each.hashes for each in one.references)]
    return [*faults, *(f"{name}: expected a hash, got none" for name in unhashed)]


def main() -> int:
    """Says how many packages the bill names; 1 if it is not that of the lock."""
    sbom, requirements = (Path(argument) for argument in sys.argv[1:])
    bill = msgspec.json.decode(sbom.read_bytes(), type=Bill)
    faults = faults_of(bill, requirements.read_text("utf-8"))
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    sys.stdout.write(f"{sbom}: {len(bill.components)} packages of {requirements}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
