"""Steps as YAML, the way a case file writes them."""

from __future__ import annotations

from functools import cache

import msgspec
import yaml

from drachtio_conformance.steps.step import Step


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    plain = value.isprintable() or "\r" in value
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else "|")


_Dumper.add_representer(str, _text)


@cache
def _defaults(kind: type[Step]) -> dict[str, object]:
    """By field; to ask takes longer than to write a step, and there are a few dozen kinds."""
    fields = msgspec.structs.fields(kind)
    return {one.encode_name: one.default for one in fields if one.default is not msgspec.NODEFAULT}


def written(step: Step) -> str:
    """One item of a list of steps; what has its default is left out."""
    values = msgspec.to_builtins(step)
    name, defaults = str(values.pop("step")), _defaults(type(step))
    given = {
        key: value
        for key, value in values.items()
        if value not in ([], {}) and (key not in defaults or value != defaults[key])
    }
    text = str(
        yaml.dump(
            [{name: given} if given else name], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200
        )
    )
    return text.removesuffix("...\n")  # the end of a document, behind line ends that are kept
