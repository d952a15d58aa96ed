"""The log as JSON lines."""

from __future__ import annotations

import io
import json

import pytest

from reference_server.config.model import LogLevel
from reference_server.observe.background import missed_in
from reference_server.observe.json_lines import JsonLines
from reference_server.observe.log import Console, Log

AT = 1795419925.000411  # 2026-11-23 07:45:25 UTC


def test_a_line_is_an_object_whose_time_is_utc() -> None:
    stream = io.BytesIO()
    log = Log(LogLevel.INFO, [Console(stream)], wall=lambda: AT, form=JsonLines())
    log.warning('a "quoted"\r\nword')
    assert stream.getvalue() == (
        b'{"time":"2026-11-23T07:45:25.000411Z","level":"warning","message":"a \\"quoted\\"\\r\\nword"}\n'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("caf\xc3\xa9", "café"),
        ("caf\xe9", "caf\\xe9"),
        ("ours … \xe9", "ours … é"),
        ("\ud800 …", "\\ud800 …"),
        ("", ""),
    ],
)
def test_octets_and_our_own_words(text: str, message: str) -> None:
    assert json.loads(JsonLines()(LogLevel.NOTICE, text, AT))["message"] == message


def test_missing_records_are_said_in_the_same_form() -> None:
    line = json.loads(missed_in(JsonLines())(7, AT))
    assert line["level"] == "error"
    assert line["message"].startswith("7 records are missing here")
