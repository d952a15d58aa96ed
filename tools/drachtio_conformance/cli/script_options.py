"""The options of ``call`` and ``phone`` that tell a telephone what to do, one for each act, in the order as given.

An act with a value becomes an option with one: ``Hold`` is ``--hold [SECONDS]``, ``Cancel``, whose field is ``after``,
``--cancel-after SECONDS``. They add up in ``options.script``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo

from drachtio_conformance.cli.arguments import seconds
from drachtio_conformance.telephone.acts import ACTS, Act, Answer, Side

_METAVARS = {"status": "NNN", "digits": "DIGITS", "to": "URI"}


def add(parser: argparse.ArgumentParser, side: Side) -> None:
    """Add those that a caller or callee has."""
    who = "the caller" if side is Side.CALLER else "the telephone"
    group = parser.add_argument_group(f"what {who} does, in this order")
    parser.set_defaults(script=[])
    for kind in ACTS:
        if side in kind.sides:
            _add(group, kind)
    if side is Side.CALLEE:
        group.add_argument(
            "--busy", dest="script", action="append_const", const=Answer(486), help="answer 486"
        )


def _add(group: argparse._ArgumentGroup, kind: type[Act]) -> None:
    fields = msgspec.structs.fields(kind)
    text = _sentence(kind)
    if not fields:
        group.add_argument(
            f"--{kind.name()}", dest="script", action="append_const", const=_made(kind), help=text
        )
        return
    (field,) = fields
    after = field.name == "after"
    needed = after or field.default is NODEFAULT
    group.add_argument(
        f"--{kind.name()}-after" if after else f"--{kind.name()}",
        dest="script",
        action="append",
        nargs=None if needed else "?",
        const=None if needed else _made(kind),
        type=_reader(kind, field),
        metavar=_METAVARS.get(field.name, "SECONDS"),
        help=text if needed else f"{text} (default: {field.default:g})",
    )


def _sentence(kind: type[Act]) -> str:
    text = (kind.__doc__ or "").strip().rstrip(".")
    return text[0].lower() + text[1:] if text[1:2].islower() else text


def _reader(kind: type[Act], field: FieldInfo) -> Callable[[str], Act]:
    """Makes the act of its value."""
    values: dict[str, Callable[[str], object]] = {"seconds": seconds, "after": seconds, "status": _status}

    def read(text: str) -> Act:
        return _made(kind, {field.name: values.get(field.name, str)(text)})

    return read


def _status(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 3):
        raise argparse.ArgumentTypeError(f"expected a status from 200 to 699, got '{text}'")
    return int(text)


def _made(kind: type[Act], value: dict[str, object] | None = None) -> Act:
    return msgspec.convert({"do": kind.name(), **(value or {})}, kind)
