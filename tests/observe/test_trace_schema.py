"""The published schema of the trace file."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from reference_server.observe.trace_schema import trace_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "trace.schema.json"


def test_it_is_current() -> None:
    assert SCHEMA.read_text() == trace_schema(), (
        "run: python -m reference_server.observe.trace_schema > docs/trace.schema.json"
    )


def test_it_is_a_schema_that_wants_one_form_of_a_payload() -> None:
    schema = json.loads(trace_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    frame = {
        "kind": "frame",
        "time": "2026-11-23T07:44:09.846150Z",
        "connection": 1,
        "direction": "sent",
        "octets": 1,
    }
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({**frame, "text": "a"})
    assert not validator.is_valid(frame)
    assert not validator.is_valid({**frame, "text": "a", "base64": "YQ=="})
