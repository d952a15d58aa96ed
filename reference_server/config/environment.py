"""The variables ``DRACHTIO_…`` of the environment; an empty one counts as not set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_server.config.given import Given, Problem, nearest, warning
from reference_server.config.table import BY_VARIABLE

PREFIX = "DRACHTIO_"


@dataclass(slots=True)
class Variables:
    """What the environment gives, in alphabetical order, and what is wrong with it."""

    given: list[Given] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_variables(environment: Mapping[str, str]) -> Variables:
    """Pick the variables that are meant for this server."""
    variables = Variables()
    for name in sorted(environment):
        if not name.startswith(PREFIX) or not environment[name]:
            continue
        place = f"variable {name}"
        setting = BY_VARIABLE.get(name[len(PREFIX) :])
        if setting is None:
            hint = nearest(name[len(PREFIX) :], BY_VARIABLE, PREFIX + "{}")
            variables.problems.append(warning(place, f"unknown variable, ignored{hint}"))
        else:
            variables.given.append(Given(setting, environment[name], place))
    return variables
