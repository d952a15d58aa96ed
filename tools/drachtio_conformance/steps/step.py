"""What a step is: its fields, its sentence, and how it is carried out, all in one class.

YAML, Gherkin sentences and replayed traces all become these values, and one runner executes them. In YAML
a step is a mapping with one key, the step's name; where one argument is obvious a scalar or a list stands for
it (the class variable ``shorthand`` names that argument). STEPS.md shows the YAML form of each step;
``scenarios/schema.json`` is generated from the types in this folder, all of which ``cases/vocabulary.py`` finds.

Text in a step is ordinary text; it goes to the wire as UTF-8. ``${name}`` stands for a variable everywhere.
In what is *expected*, a text is a pattern (patterns.py).
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from drachtio_conformance.peers.variables import spelled_out
from drachtio_conformance.steps.stage import Finding, Stage


class Step(Struct, frozen=True, kw_only=True, tag_field="step", forbid_unknown_fields=True):
    """One step of a case. Its name in YAML is the tag of its type."""

    shorthand: ClassVar[str] = ""
    """the argument that a scalar or a list stands for"""
    is_check: ClassVar[bool] = False
    """whether it looks at what the peer does, and so has broken twins"""

    def words(self) -> str:
        """What it does, in the present tense, with the names of the case; variables are not replaced."""
        raise NotImplementedError

    async def carry_out(self, stage: Stage) -> Finding:
        """Do it. Raises CheckFailed, and StepError and its like where it cannot be done."""
        raise NotImplementedError


def name_of(step: Step) -> str:
    """The step's name in YAML."""
    return str(step.__struct_config__.tag)


def sentence(step: Step) -> str:
    """One line for reports."""
    return spelled_out(step.words())


class Located(Struct, frozen=True):
    """A step and where it was written."""

    step: Step
    source: str
    """``file:line``"""
