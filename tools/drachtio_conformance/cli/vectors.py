"""``vectors export DIR``: the test vectors for codecs, for use from any language (vectors/README.md says how)."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from drachtio_conformance import data


class Exported(Struct, frozen=True):
    """One file that was written."""

    path: Path
    vectors: int
    """how many it holds; 0 for the description"""


def export(folder: Path) -> list[Exported]:
    """Write all vector files and their description to ``folder``, which is made; files of these names are replaced.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    exported: list[Exported] = []
    for source in sorted([*data.folder("vectors").glob("*.json"), *data.folder("vectors").glob("*.md")]):
        content = source.read_bytes()
        (folder / source.name).write_bytes(content)
        vectors = len(msgspec.json.decode(content, type=list[msgspec.Raw])) if source.suffix == ".json" else 0
        exported.append(Exported(folder / source.name, vectors))
    return exported
