"""YAML as nodes, which know their lines: all scalars are texts, and no small file becomes large.

Each case file is read whenever the suite starts, so depth is watched while the nodes are made and not beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from yaml import BaseLoader as _Loader
else:
    # PyYAML with libyaml reads the suite in 0.1 s instead of 2; both make texts of all scalars.
    _Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_DEEPEST = 50
"""Lists and mappings in each other; a case needs ten."""
_NO_ALIASES = "aliases (*name) are not supported"


def compose(text: str) -> yaml.Node | None:
    """The nodes of a document, None if it is empty. Raises yaml.YAMLError."""
    if "&" in text:  # an alias leads nowhere without an anchor, &name
        _refuse_aliases(text)
    try:
        return yaml.compose(text, Loader=_Shallow)
    except yaml.MarkedYAMLError as error:
        if error.problem is not None and error.problem.startswith("found undefined alias"):
            error.problem = _NO_ALIASES
        raise


class _Shallow(_Loader):
    """Raises MarkedYAMLError at what is too deep, for which there would be no stack."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    # PyYAML calls these where a node begins and ends, and for its tag, which nobody looks at here.

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:
        self._depth += 1
        if current_node is not None and self._depth > _DEEPEST + 1:  # the innermost are texts
            raise yaml.MarkedYAMLError(
                problem=f"expected at most {_DEEPEST} lists and mappings in each other",
                problem_mark=current_node.start_mark,
            )

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        return ""


def _refuse_aliases(text: str) -> None:
    """Raise MarkedYAMLError at an alias: ``&a [*a]`` has no end."""
    for event in yaml.parse(text, Loader=_Shallow):
        if isinstance(event, yaml.AliasEvent):
            mark = event.start_mark
            raise yaml.MarkedYAMLError(problem=_NO_ALIASES, problem_mark=mark)  # type: ignore[arg-type]  # libyaml's
