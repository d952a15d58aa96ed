"""What SIPp's error file tells of the first call that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_load.complaints import FailedCall, first_failed_call

SCENARIO = """<scenario name="x"><send/><recv response="100" optional="true"/><recv response="180" optional="true"/>
<recv response="200"/><pause/>
<recv request="BYE"/></scenario>"""
UNEXPECTED = (
    "2026-11-23\t14:25:46.2\t1795443946.2: Aborting call on unexpected message for Call-Id '1-2@127.0.0.1': "
    "while expecting '180' (index 2), received 'SIP/2.0 500 It's gone\r\nVia: x\r\n\r\n'"
)
PAUSING = (
    "Aborting call on unexpected message for Call-Id '4-2@127.0.0.1': "
    "while pausing (index 4), received 'BYE sip:a SIP/2.0\r\n\r\n'"
)
SILENCE = (
    "Call-Id: 3-2@127.0.0.1, receive timeout on message x:5 without label to jump to (ontimeout attribute): "
    "aborting call"
)


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        (UNEXPECTED, "First: 500 It's gone came where 180 or 200 was awaited (Call-ID 1-2@127.0.0.1)"),
        (PAUSING + UNEXPECTED, "First: BYE sip:a SIP/2.0 came (Call-ID 4-2@127.0.0.1)"),
        (SILENCE + UNEXPECTED, "First: nothing came where BYE was awaited (Call-ID 3-2@127.0.0.1)"),
    ],
)
def test_the_first_failed_call(tmp_path: Path, errors: str, sentence: str) -> None:
    failed = told(tmp_path, errors)
    assert failed is not None
    assert failed.sentence() == sentence


def test_errors_that_fail_no_call(tmp_path: Path) -> None:
    assert (
        told(tmp_path, "Dead call 6-456@127.0.0.1 (aborted at index 2), received 'SIP/2.0 200 OK\r\n\r\n'")
        is None
    )
    assert first_failed_call(tmp_path / "missing.log", tmp_path / "scenario.xml") is None


def told(folder: Path, errors: str) -> FailedCall | None:
    (folder / "scenario.xml").write_text(SCENARIO)
    (folder / "errors.log").write_bytes(errors.encode("latin-1"))
    return first_failed_call(folder / "errors.log", folder / "scenario.xml")
