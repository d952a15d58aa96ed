"""``msgtrace dissector``: a dissector of the admin protocol for Wireshark, in Lua, made of the tables by which msgtrace
decodes.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_OF_ANSWERS = (
    "request-id",
    "outcome",
    "reason",
    "hostports",
    "version",
    "local-hostports",
    "text",
    "reserved",
    "role",
)
"""names of tokens that answers and call detail records have besides"""


def add_dissector(commands: Commands) -> None:
    """Add the command."""
    dissector = commands.add_parser(
        "dissector",
        help="write a Wireshark dissector for the protocol (Lua)",
        description="Writes a dissector in Lua: wireshark -X lua_script:drachtio.lua, or into its folder of plugins. "
        "Fields are drachtio.type, drachtio.transaction_id and their like; SIP goes to Wireshark's own dissector.",
    )
    dissector.set_defaults(run=_run, parser=dissector)


def _run(options: argparse.Namespace) -> int:
    sys.stdout.write(lua())
    return 0


def lua() -> str:
    """The whole script."""
    from importlib.resources import files  # here, since decode has no use for it, and it is slow to load

    from msgtrace.messages import MessageKind, token_names

    tables = token_names()
    rows, seen = [], dict.fromkeys(_OF_ANSWERS)
    for kind, names in tables.items():
        if kind is not MessageKind.UNKNOWN:
            rows.append(f'  ["{kind.value}"] = {{{_listed(names)}}},')
        seen.update(dict.fromkeys(names))
    text = (files("msgtrace") / "page" / "dissector.lua").read_text("utf-8")
    return text.replace("@@names@@", "\n".join(rows)).replace("@@fields@@", _listed(sorted(seen)))


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
