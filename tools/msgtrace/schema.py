"""The published schemas of the JSON lines that msgtrace writes, made from their types.

``python -m msgtrace.schema decode > docs/msgtrace.schema.json`` and ``python -m msgtrace.schema record >
docs/recording.schema.json`` write them anew.
"""

from __future__ import annotations

import json
import sys

import msgspec

from msgtrace.render import JsonLine


def decoded_schema() -> str:
    """docs/msgtrace.schema.json: a line of ``msgtrace decode --jsonl``."""
    (_,), definitions = msgspec.json.schema_components([JsonLine], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of msgtrace decode --jsonl",
        **definitions["JsonLine"],
    }
    schema["properties"]["direction"] = {"enum": ["to-server", "from-server"]}
    schema["additionalProperties"] = False
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write one of them to standard output."""
    from msgtrace.recorder import recording_schema

    sys.stdout.write(recording_schema() if sys.argv[1:] == ["record"] else decoded_schema())


if __name__ == "__main__":
    main()
