"""The states of a connection, a request, a call and a subscription, as an application sees them: tables and drawings.

A drawing has a lifeline for each state and an arrow for each change, drawn by the same renderer as ladders of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from msgtrace import ladder
from protocol_book.recorded import Event
from protocol_book.suite import Specification
from protocol_book.tables import table

NOTICE: Final = "<!-- made by python -m protocol_book from tools/protocol_book/machines.py -->\n"


class Change(Struct, frozen=True):
    """What moves something from one state to another."""

    before: str
    event: str
    after: str
    clause: str


class Machine(Struct, frozen=True, kw_only=True):
    """The states of one thing."""

    name: str
    about: str
    states: tuple[str, ...]
    """the first is where it begins, the last where it ends"""
    changes: tuple[Change, ...]


MACHINES: Final = (
    Machine(
        name="Connection",
        about="An admin connection. Only in *open* anything but `authenticate` has an effect.",
        states=("connecting", "waiting", "open", "closed"),
        changes=(
            Change("connecting", "send authenticate", "waiting", "APP-1"),
            Change("waiting", "OK", "open", "AUTH-2"),
            Change("waiting", "NO", "closed", "AUTH-3"),
            Change("open", "authenticate again: OK", "open", "AUTH-7"),
            Change("open", "NO", "closed", "FRAME-11"),
            Change("open", "FIN, RST, no pong", "closed", "APP-25"),
            Change("closed", "connect again", "connecting", "APP-24"),
        ),
    ),
    Machine(
        name="Request from the network",
        about="A request that the server has delivered, until it is answered. Its name is the transaction id.",
        states=("delivered", "provisional", "proxied", "over"),
        changes=(
            Change("delivered", "send 1xx", "provisional", "RSP-1"),
            Change("provisional", "send 1xx", "provisional", "RSP-24"),
            Change("delivered", "send final response", "over", "RSP-13"),
            Change("provisional", "send final response", "over", "RSP-13"),
            Change("delivered", "send proxy", "proxied", "PROXY-10"),
            Change("proxied", "last answer", "over", "PROXY-8"),
            Change("delivered", "CANCEL comes", "over", "SIP-7"),
            Change("provisional", "CANCEL comes", "over", "SIP-6"),
            Change("provisional", "BYE comes", "over", "CALL-16"),
            Change("delivered", "31.5 s, INVITE 64 s", "over", "CALL-10"),
            Change("delivered", "connection ends", "over", "CONN-3"),
        ),
    ),
    Machine(
        name="Request of the application",
        about=(
            "A request that the application sends. Until the echo its name is the id of its frame, "
            "then the transaction id."
        ),
        states=("sent", "echoed", "provisional", "over"),
        changes=(
            Change("sent", "NOK", "over", "APP-4"),
            Change("sent", "OK, the echo", "echoed", "FRAME-26"),
            Change("echoed", "1xx comes", "provisional", "OUT-5"),
            Change("echoed", "final response comes", "over", "APP-13"),
            Change("provisional", "send CANCEL (INVITE)", "provisional", "OUT-8"),
            Change("provisional", "final response comes", "over", "APP-13"),
        ),
    ),
    Machine(
        name="Call",
        about="A dialog that an INVITE makes, from either side. Its name is the dialog id.",
        states=("none", "early", "confirmed", "ending", "over"),
        changes=(
            Change("none", "1xx", "early", "APP-9"),
            Change("none", "2xx", "confirmed", "APP-9"),
            Change("early", "2xx", "confirmed", "OUT-10"),
            Change("early", "300 or above", "over", "OUT-17"),
            Change("early", "CANCEL or BYE comes", "over", "CALL-16"),
            Change("confirmed", "re-INVITE, UPDATE, INFO …", "confirmed", "DLG-4"),
            Change("confirmed", "send BYE", "ending", "CALL-13"),
            Change("ending", "final response to BYE", "over", "CALL-13"),
            Change("confirmed", "BYE comes", "over", "CALL-12"),
            Change("confirmed", "unsolicited BYE", "over", "APP-15"),
            Change("confirmed", "connection ends", "confirmed", "CONN-4"),
        ),
    ),
    Machine(
        name="Subscription",
        about="A dialog that a 2xx to SUBSCRIBE makes, from either side.",
        states=("none", "active", "ending", "over"),
        changes=(
            Change("none", "2xx to SUBSCRIBE", "active", "SUB-1"),
            Change("none", "NOTIFY ahead of the 2xx", "active", "SUB-4"),
            Change("active", "SUBSCRIBE, NOTIFY", "active", "SUB-2"),
            Change("active", "NOTIFY: terminated", "ending", "OUT-19"),
            Change("ending", "it is answered", "over", "OUT-19"),
            Change("active", "time is over; no frame", "over", "SUB-3"),
        ),
    ),
)


def events(machine: Machine) -> list[Event]:
    """The changes as rows of a ladder, one lifeline for each state in the machine's order."""
    rows = [
        Event(
            at=float(number),
            kind="frame",
            source=change.before,
            target=change.after,
            summary=change.event if change.before != change.after else f"{change.event} ↺",
        )
        for number, change in enumerate(machine.changes, 1)
    ]
    order = [Event(at=0, kind="frame", source=state, target=state, summary="") for state in machine.states]
    return [*order, *rows]


def drawing(machine: Machine) -> str:
    """The states and changes as text."""
    rows = events(machine)
    width = 28 * len(machine.states)
    drawn = ladder.text(rows, server=machine.states[0], width=width).split("\n")
    kept = [drawn[0], *drawn[1 + len(machine.states) :]]
    return "\n".join(line[9:] for line in kept)


def page(specification: Specification) -> str:
    """docs/guides/state-machines.md."""
    parts = [
        NOTICE,
        "# State machines\n",
        "What an application has to keep in mind, and what changes it. Each column of a drawing is a state, each "
        "arrow a change; what stays in its state is in brackets.\n",
    ]
    for machine in MACHINES:
        parts += [
            f"## {machine.name}\n",
            f"{machine.about}\n",
            f"```text\n{drawing(machine)}```\n",
            _table(machine.changes, specification),
        ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(changes: Sequence[Change], specification: Specification) -> str:
    return table(
        ("state", "event", "then", "clause"),
        [
            (
                change.before,
                change.event,
                change.after,
                f"{change.clause} {specification.clauses[change.clause].title}",
            )
            for change in changes
        ],
    )
