"""Acts as TypeScript: ``python -m drachtio_testing.typescript > packages/node-test-server/acts.d.ts``."""

from __future__ import annotations

import sys

import msgspec
from msgspec import NODEFAULT

from drachtio_conformance.telephone.acts import ACTS

_TYPES = {float: "number", int: "number", str: "string"}


def declarations() -> str:
    """The content of the file."""
    lines = [
        "// Made by python -m drachtio_testing.typescript: what a telephone can be told to do.",
        "",
        "/** One act of a script; a script is an array of them, carried out one after the other. */",
        "export type Act =",
    ]
    for kind in ACTS:
        who = "" if len(kind.sides) == 2 else f" ({next(iter(kind.sides)).value})"
        members = [f"do: '{kind.name()}'"]
        for field in msgspec.structs.fields(kind):
            optional = "" if field.default is NODEFAULT else "?"
            members.append(f"{field.name}{optional}: {_TYPES[field.type]}")
        lines += [
            f"  /** {(kind.__doc__ or '').strip().rstrip('.')}{who}. */",
            f"  | {{{'; '.join(members)}}}",
        ]
    lines[-1] += ";"
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(declarations())
