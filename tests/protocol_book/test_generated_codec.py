"""docs/protocol.json is enough to make a codec of: one is generated here, as source text, and reads the vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = json.loads((ROOT / "docs" / "protocol.json").read_text("utf-8"))
VECTORS = [
    vector
    for name in ("to-server", "to-application")
    for vector in json.loads((ROOT / "vectors" / f"{name}.json").read_text("utf-8"))
]


def generate() -> str:
    """The source of a module with ``decode(direction, payload)`` and an ``encode_NAME(…)`` for each frame."""
    lines = ["def decode(direction, payload):"]
    lines += [
        "    line, _, message = payload.partition('\\r\\n')",
        "    t = line.split('|')",
        "    n = len(t)",
    ]
    for frame in PROTOCOL["frames"]:
        tests = [f"direction == {frame['direction']!r}"]
        for condition in frame["conditions"]:
            place = condition.get("token", 0)
            value = f"(t[{place}] if n > {place} else '')"
            if "equals" in condition:
                tests.append(f"{value} == {condition['equals']!r}")
            if "empty" in condition:
                tests.append(f"({value} == '') is {condition['empty']}")
            if "contains" in condition:
                tests.append(f"{condition['contains']!r} in {value}")
            if "tokens_at_least" in condition:
                tests.append(f"n >= {condition['tokens_at_least']}")
            if "tokens_at_most" in condition:
                tests.append(f"n <= {condition['tokens_at_most']}")
            if "message_begins" in condition:
                tests.append(f"message.startswith({condition['message_begins']!r})")
        lines.append(f"    if {' and '.join(tests)}:")
        lines += [
            f"        if n < {frame['required_tokens']}:",
            f"            return {frame['name']!r}, None, message",
        ]
        names = [token["name"] for token in frame["tokens"]]
        if frame["tokens"][-1]["type"] == "rest-of-line":
            lines.append(f"        t = [*t[:{len(names) - 1}], '|'.join(t[{len(names) - 1}:])]")
        lines.append(f"        tokens = dict(zip({names!r}, t))")
        if "more" in frame:
            more = frame["more"]["name"]
            lines.append(
                f"        tokens |= {{f'{more}-{{i}}': v for i, v in enumerate(t[{len(names)}:], 1)}}"
            )
        lines.append(f"        return {frame['name']!r}, tokens, message")
    lines.append("    return 'unknown', None, message")
    for frame in PROTOCOL["frames"]:
        parameters = ["_".join(token["name"].split("-")) for token in frame["tokens"]]
        optional = ["=None" if token.get("optional") else "" for token in frame["tokens"]]
        signature = ", ".join(name + default for name, default in zip(parameters, optional, strict=True))
        function = "_".join(frame["name"].replace(":", "-").replace(".", "-").split("-"))
        more = ", *further" if "more" in frame else ""
        lines.append(f"def encode_{function}({signature}{more}, message=''):")
        further = ", *further" if "more" in frame else ""
        lines.append(f"    tokens = [v for v in ({', '.join(parameters)}{further},) if v is not None]")
        lines.append("    payload = '|'.join(tokens) + ('\\r\\n' + message if message else '')")
        lines.append("    return f'{len(payload)}#{payload}'")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def codec() -> dict[str, Callable[..., object]]:
    """The generated module's functions."""
    functions: dict[str, Callable[..., object]] = {}
    exec(compile(generate(), "generated_codec.py", "exec"), functions)
    return functions


def octets(text: str) -> str:
    return text.encode().decode("latin-1")


def message_of(decoded: dict[str, str]) -> str:
    hexadecimal = decoded.get("sip-hex", "")
    return bytes.fromhex(hexadecimal).decode("latin-1") if hexadecimal else octets(decoded.get("sip", ""))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_the_generated_codec_reads_every_vector(
    vector: dict[str, object], codec: dict[str, Callable[..., object]]
) -> None:
    wire = bytes.fromhex(str(vector["wire"])).decode("latin-1")
    name, tokens, message = read(codec["decode"](vector["direction"], wire.partition("#")[2]))
    decoded = vector.get("decoded")
    if not isinstance(decoded, dict):
        assert name == "unknown" or tokens is None
        return
    assert name == decoded["frame"]
    assert message == message_of(decoded)
    if name != "unknown":
        assert tokens == {key: octets(value) for key, value in decoded["tokens"].items()}


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector.get("canonical") and vector.get("dialect") != "0.8"],
    ids=lambda vector: str(vector["id"]),
)
def test_the_generated_codec_writes_every_canonical_vector(
    vector: dict[str, object], codec: dict[str, Callable[..., object]]
) -> None:
    decoded = vector["decoded"]
    assert isinstance(decoded, dict)
    function = codec["encode_" + str(decoded["frame"]).replace(":", "_").replace("-", "_")]
    values = [octets(value) for value in decoded["tokens"].values()]
    assert function(*values, message=message_of(decoded)) == bytes.fromhex(str(vector["wire"])).decode(
        "latin-1"
    )


def read(result: object) -> tuple[str, dict[str, str] | None, str]:
    assert isinstance(result, tuple)
    name, tokens, message = result
    return name, tokens, message
