"""Rewrites what a peer sent, so that a check can show that it would have noticed (broken twins).

Rewrites of one message stand here; those of its coming (drop, duplicate, delay, inject) are the executor's.
"""

from __future__ import annotations

from msgspec.structs import replace

from drachtio_conformance.steps import Mutation, MutationKind
from drachtio_conformance.variables import octets
from msgtrace import messages
from msgtrace.frames import Frame, LengthUnit
from msgtrace.sip import canonical

FOREIGN_FRAME = Frame(0, 0, "00000000-0000-4000-8000-000000000000|mutant", tuple(LengthUnit))
"""What ``inject`` puts on an admin connection."""
FOREIGN_SIP = (
    "MUTANT sip:mutant@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKmutant\r\n"
    "Call-ID: mutant\r\nCSeq: 1 MUTANT\r\nContent-Length: 0\r\n\r\n"
)
"""What ``inject`` sends to a SIP peer."""


def rewrite_frame(frame: Frame, mutation: Mutation) -> Frame:
    """The frame as a broken server would have sent it."""
    tokens, content = messages.split(frame.payload)
    value = octets(mutation.value)
    match mutation.kind:
        case MutationKind.REPLACE:
            return replace(frame, payload=value)
        case MutationKind.LENGTH:
            return replace(frame, units=(LengthUnit.INFLATED,))
        case MutationKind.TOKEN:
            tokens[mutation.index : mutation.index + 1] = [value]
        case MutationKind.ADD_TOKEN:
            tokens.append(value)
        case MutationKind.DROP_TOKEN:
            tokens.pop()
        case _:
            content = rewrite_sip(content, mutation)
    meta = "|".join(tokens)
    return replace(frame, payload=f"{meta}\r\n{content}" if "\r\n" in frame.payload else meta)


def rewrite_sip(raw: str, mutation: Mutation) -> str:
    """The SIP message as a broken server would have sent it."""
    head, blank, body = raw.partition("\r\n\r\n")
    lines = head.replace("\r\n ", "\n ").replace("\r\n\t", "\n\t").split("\r\n")
    name = canonical(mutation.name)
    value = octets(mutation.value)
    match mutation.kind:
        case MutationKind.REPLACE:
            return value
        case MutationKind.START:
            lines[0] = value
        case MutationKind.HEADER:
            lines = [f"{_spelled(line)}: {value}" if _name(line) == name else line for line in lines]
        case MutationKind.DROP_HEADER:
            lines = [line for line in lines if _name(line) != name]
        case MutationKind.ADD_HEADER:
            lines.insert(1, f"{mutation.name}: {value}")
        case MutationKind.SWAP_HEADERS:
            _swap(lines, name, canonical(mutation.value))
        case MutationKind.BODY:
            body = value
        case _:
            pass
    return "\r\n".join(lines).replace("\n ", "\r\n ").replace("\r\r\n", "\r\n") + blank + body


def _spelled(line: str) -> str:
    return line.partition(":")[0]


def _name(line: str) -> str:
    name, colon, _ = line.partition(":")
    return canonical(name) if colon and " " not in name.strip() else ""


def _swap(lines: list[str], first: str, second: str) -> None:
    places = {_name(line): index for index, line in reversed(list(enumerate(lines)))}
    if first in places and second in places:
        one, two = places[first], places[second]
        lines[one], lines[two] = lines[two], lines[one]
