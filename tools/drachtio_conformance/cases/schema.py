"""The JSON schema of case files, generated from the types, for editors and for authors in other languages.

``python -m drachtio_conformance.cases.schema`` prints it; a test keeps ``scenarios/schema.json`` equal to it.
YAML without types has texts for numbers and booleans, so the schema allows both.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import TypeAlias

import msgspec

from drachtio_conformance.cases.case import Level
from drachtio_conformance.cases.vocabulary import STEP_TYPES
from drachtio_conformance.targets.settings import ServerSettings

Schema: TypeAlias = "dict[str, Schema] | list[Schema] | str | int | float | bool | None"

_TEXT: dict[str, Schema] = {"type": "string"}


def schema() -> dict[str, Schema]:
    """The schema of a case file."""
    kinds = STEP_TYPES.values()
    _, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    settings = msgspec.json.schema(ServerSettings)
    defs: dict[str, Schema] = {}
    for name, definition in sorted(definitions.items()):
        defs[name] = _lenient(definition)
    defs["ServerSettings"] = _lenient(settings["$defs"]["ServerSettings"])
    defs["Step"] = _step_union(defs)
    shared: dict[str, Schema] = {
        "clauses": {"type": "array", "items": {"type": "string"}},
        "requires": {"type": "array", "items": {"type": "string"}},
        "server": {"$ref": "#/$defs/ServerSettings"},
        "level": {"enum": [level.value for level in Level]},
        "slow": _lenient({"type": "boolean"}),
    }
    steps: Schema = {"type": "array", "items": {"$ref": "#/$defs/Step"}}
    under: Schema = {
        "anyOf": [
            {"type": "string"},
            _mapping(
                {"reason": _TEXT, "steps": steps, "at": _TEXT, "got": _TEXT},
                ["reason"],
            ),
        ]
    }
    case_fields: dict[str, Schema] = {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"},
        "title": {"type": "string"},
        "steps": steps,
        "ends_open": _lenient({"type": "boolean"}),
        "expect_under": {"type": "object", "additionalProperties": under},
        "danger": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    file_fields: dict[str, Schema] = {
        "title": {"type": "string"},
        "before": steps,
        "cases": {"type": "array", "items": _mapping(case_fields | shared, ["id", "title", "steps"])},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "drachtio-conformance case file",
        **_mapping(file_fields | shared, ["title", "cases"]),
        "$defs": defs,
    }


def _mapping(properties: dict[str, Schema], required: list[str]) -> dict[str, Schema]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _step_union(defs: dict[str, Schema]) -> Schema:
    """One-key mappings, and bare words for steps that need no argument."""
    forms: dict[str, Schema] = {}
    words: list[Schema] = []
    for name, kind in STEP_TYPES.items():
        reference: Schema = {"$ref": f"#/$defs/{kind.__name__}"}
        definition = defs[kind.__name__]
        assert isinstance(definition, dict)
        properties = definition["properties"]
        assert isinstance(properties, dict)
        properties.pop("step", None)
        required = [item for item in _texts(definition.get("required")) if item != "step"]
        definition["required"] = list(required)
        arguments = [reference]
        if kind.shorthand:
            encoded = {item.name: item.encode_name for item in msgspec.structs.fields(kind)}
            arguments.append(properties[encoded[kind.shorthand]])
        value: Schema = {"anyOf": list(arguments)} if len(arguments) > 1 else reference
        forms[name] = value
        if not required:
            words.append(name)
    # One form of all steps: who checks a step, or completes it in an editor, goes by its name and tries no others.
    return {"anyOf": [{"enum": words}, _mapping(forms, []) | {"minProperties": 1, "maxProperties": 1}]}


def _texts(value: Schema) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _lenient(value: Schema) -> Schema:
    """Numbers and booleans may also be written as texts; descriptions stand as they do in no source."""
    if isinstance(value, list):
        return [_lenient(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed: dict[str, Schema] = {key: _lenient(item) for key, item in value.items()}
    if isinstance(description := changed.get("description"), str):
        changed["description"] = inspect.cleandoc(description)  # Python 3.13 has done so
    match changed.get("type"):
        case "integer" | "number" as kind:
            changed["type"] = [kind, "string"]
        case "boolean":
            changed["type"] = ["boolean", "string"]
    return changed


def text() -> str:
    """The schema as it is kept in ``scenarios/schema.json``."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
