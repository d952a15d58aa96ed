"""The vocabulary, its schema and its description agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from drachtio_conformance.cases import loader, schema
from drachtio_conformance.cases.vocabulary import STEP_TYPES
from drachtio_conformance.steps.step import Located, sentence
from drachtio_conformance.steps.terms import seconds

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "tools" / "drachtio_conformance" / "STEPS.md"
HEAD = "title: Guide\nclauses: [X-1]\ncases:\n  - id: guide\n    title: From the guide\n    steps:\n"


def guide_blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def guide_steps() -> list[Located]:
    found: list[Located] = []
    for block in guide_blocks()[1:]:
        text = HEAD + "".join(f"      {line}\n" for line in block.splitlines())
        found += loader.parse(text, name="guide", file="STEPS.md")[0].steps
    return found


def test_the_example_of_the_guide_loads() -> None:
    (case,) = loader.parse(guide_blocks()[0], name="ping/basic", file="STEPS.md")
    assert case.name == "ping/basic/answered"


def test_the_guide_shows_every_step() -> None:
    assert {located.step.__struct_config__.tag for located in guide_steps()} == set(STEP_TYPES)


def test_every_step_has_words() -> None:
    for located in guide_steps():
        assert sentence(located.step).strip()


def test_the_published_schema_is_current() -> None:
    assert (ROOT / "scenarios" / "schema.json").read_text() == schema.text(), (
        "run: python -m drachtio_conformance.cases.schema > scenarios/schema.json"
    )


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """Of the published schema, which is a schema."""
    published = json.loads(schema.text())
    jsonschema.Draft202012Validator.check_schema(published)
    return jsonschema.Draft202012Validator(published)


def untyped(text: str) -> object:
    """YAML whose scalars are texts."""
    return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def test_the_schema_accepts_every_case_file(validator: jsonschema.Draft202012Validator) -> None:
    files = sorted((ROOT / "scenarios").rglob("*.yaml"))
    assert files
    for file in files:
        document = untyped(file.read_text())
        problems = [
            f"{file}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)
        ]
        assert not problems


@pytest.mark.parametrize(
    "step", ["{send: {token: x}}", "{advance: 32}", "{respond: {}}", "frobnicate", "{alive: {}, ping: {}}"]
)
def test_the_schema_refuses_what_the_loader_refuses(
    step: str, validator: jsonschema.Draft202012Validator
) -> None:
    text = f"{HEAD}      - {step}\n"
    with pytest.raises(loader.LoadError):
        loader.parse(text, name="x", file="x.yaml")
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(untyped(text))


def test_durations() -> None:
    assert (seconds("500ms"), seconds("32s"), seconds("1.5s")) == (0.5, 32.0, 1.5)
