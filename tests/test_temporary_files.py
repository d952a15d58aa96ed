"""Temporary files of the server and the tools: in folders that nobody else can foresee, read or write."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from drachtio_conformance.peers.tls import available, own_certificate

ROOT = Path(__file__).parents[1]
SOURCES = [path for room in ("reference_server", "tools") for path in sorted((ROOT / room).rglob("*.py"))]
_FORESEEN = re.compile(r"""\b(?:mktemp|gettempdir|gettempdirb)\b|["'](?:/var)?/tmp/""")


def foreseen(source: str) -> list[str]:
    """What in ``source`` makes a temporary file by a name that others may know before it is there."""
    return _FORESEEN.findall(source)


def test_no_temporary_file_has_a_name_that_can_be_foreseen() -> None:
    assert SOURCES
    assert {path.name: found for path in SOURCES if (found := foreseen(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "tempfile.mktemp()",
        "open('/tmp/x', 'w')",
        'Path("/var/tmp/drachtio.log")',
        "Path(tempfile.gettempdir()) / 'x'",
    ],
)
def test_one_that_can_be_is_noticed(source: str) -> None:
    assert foreseen(source)


@pytest.mark.skipif(not available(), reason="needs the command openssl")
def test_the_key_of_the_suite_is_for_its_owner_only() -> None:
    key = own_certificate().key
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
