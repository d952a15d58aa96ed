"""The options of ``call`` and ``phone`` that tell a telephone what to do, one for each act, in the order as given.

An act with a value becomes an option with one: ``Hold`` is ``--hold [SECONDS]``, ``Cancel``, whose field is ``after``,
``--cancel-after SECONDS``. They add up in ``options.script``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

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
        group.add_argument("--busy", action=_append(lambda _: Answer(486)), nargs=0, help="answer 486")


def _add(group: argparse._ArgumentGroup, kind: type[Act]) -> None:
    fields = msgspec.structs.fields(kind)
    help_text = _sentence(kind)
    if not fields:
        group.add_argument(f"--{kind.name()}", action=_append(lambda _: _made(kind)), nargs=0, help=help_text)
        return
    (field,) = fields
    name = f"--{kind.name()}-after" if field.name == "after" else f"--{kind.name()}"
    required = field.default is NODEFAULT or field.name == "after"
    default = "" if required else f" (default: {field.default:g})"
    group.add_argument(
        name,
        action=_append(lambda value: _made(kind, {} if value is None else {field.name: value})),
        nargs=None if required else "?",
        type=_reader(field),
        metavar=_METAVARS.get(field.name, "SECONDS"),
        help=f"{help_text}{default}",
    )


def _sentence(kind: type[Act]) -> str:
    text = (kind.__doc__ or "").strip().rstrip(".")
    return text[0].lower() + text[1:] if text[1:2].islower() else text


def _reader(field: FieldInfo) -> Callable[[str], object]:
    if field.name in ("seconds", "after"):
        return seconds
    return _status if field.name == "status" else str


def _status(text: str) -> int:
    """A status."""
    if not (text.isascii() and text.isdigit() and len(text) == 3):
        raise argparse.ArgumentTypeError(f"expected a status from 200 to 699, got '{text}'")
    return int(text)


def _made(kind: type[Act], value: dict[str, object] | None = None) -> Act:
    return msgspec.convert({"do": kind.name(), **(value or {})}, kind)


def _append(make: Callable[[object], Act]) -> type[argparse.Action]:
    class Append(argparse.Action):
        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: str | Sequence[object] | None,
            option_string: str | None = None,
        ) -> None:
            namespace.script = [*namespace.script, make(values)]

    return Append
