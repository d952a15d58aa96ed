"""The published schema of the trace file, made from the types of its lines.

``python -m reference_server.observe.trace_schema > docs/trace.schema.json`` writes it anew.
"""

from __future__ import annotations

import json
import sys

import msgspec

from reference_server.observe.jsonl import EventRecord, FrameRecord, SipRecord, StartRecord

RECORDS = [StartRecord, FrameRecord, SipRecord, EventRecord]


def trace_schema() -> str:
    """docs/trace.schema.json."""
    _, definitions = msgspec.json.schema_components(RECORDS, ref_template="#/$defs/{name}")
    for name in ("FrameRecord", "SipRecord"):
        payload = [{"required": ["text"]}, {"required": ["base64"]}]
        definitions[name]["oneOf"] = payload
        for member in ("text", "base64"):
            definitions[name]["properties"][member] = {"type": "string"}
        definitions[name]["properties"]["direction"] = {"enum": ["sent", "received"]}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a trace file of the drachtio reference server (--trace)",
        "oneOf": [{"$ref": f"#/$defs/{record.__name__}"} for record in RECORDS],
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(trace_schema())
