"""Rewrites what a peer sent, so that a check can show that it would have noticed (broken twins).

Rewrites of one message stand here; those of its coming (drop, duplicate, delay, inject) are the stage's.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from drachtio_conformance.peers.variables import octets
from msgtrace import messages
from msgtrace.frames import Frame, LengthUnit
from msgtrace.sip import canonical


class MutationKind(StrEnum):
    """How a broken twin alters what the peer sent."""

    TOKEN = "token"
    """replace token ``index`` of the meta line by ``value``"""
    ADD_TOKEN = "add-token"
    """append a token to the meta line"""
    DROP_TOKEN = "drop-token"
    """remove the last token of the meta line"""
    START = "start"
    """replace the start line of the SIP message by ``value``"""
    HEADER = "header"
    """replace the value of every ``name`` field by ``value``"""
    DROP_HEADER = "drop-header"
    """remove every ``name`` field"""
    ADD_HEADER = "add-header"
    """add a field ``name: value``"""
    SWAP_HEADERS = "swap-headers"
    """exchange the places of the fields ``name`` and ``value``"""
    BODY = "body"
    """replace the body by ``value``"""
    DROP = "drop"
    """the message, or the close, never comes"""
    DUPLICATE = "duplicate"
    """the message comes twice; the next check on the same channel must notice"""
    DELAY = "delay"
    """the message comes after the deadline"""
    INJECT = "inject"
    """another message comes first, or comes where nothing should"""
    LENGTH = "length"
    """the frame's length counts something else"""
    REPLACE = "replace"
    """the message is ``value``"""


class Mutation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broken twin: one rewrite of what the peer sent, which the check must notice."""

    kind: MutationKind
    index: int = 0
    """token number, from 0"""
    name: str = ""
    """header name"""
    value: str = ""
    check: int = 0
    """which check of a step that consists of several, from 0"""


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
