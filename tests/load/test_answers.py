"""SIPp's counts and its error file, put together."""

from __future__ import annotations

from pathlib import Path

from drachtio_load.answers import Answer, read_answers

HEADING = "CurrentTime;ElapsedTime;0_INVITE_Sent;1_180_Recv;1_180_Unexp;2_200_Recv;3_200_Recv;4_BYE_Recv;"
ERROR = (
    "2026-11-23\t09:44:29.782540\t1795427069.5: Aborting call on unexpected message for Call-Id '{}': "
    "while expecting '180' (index 1), received 'SIP/2.0 {}\r\nVia: x\r\n\r\n'.\n"
)


def test_what_was_awaited_and_what_was_not(tmp_path: Path) -> None:
    counts, errors = tmp_path / "counts.csv", tmp_path / "errors.log"
    counts.write_text(f"{HEADING}\nx;y;9;1;0;1;0;0;\nx;y;9;3;2;3;2;4;\n")
    errors.write_text(ERROR.format("1@h", "404 Not Found") + ERROR.format("2@h", "200 Oh"))
    assert read_answers(counts, errors) == [
        Answer(name="180", awaited=3),
        Answer(name="200 Oh", awaited=5, unawaited=1),
        Answer(name="404 Not Found", unawaited=1),
        Answer(name="BYE", awaited=4),
    ]


def test_without_counts_nothing_is_told(tmp_path: Path) -> None:
    assert read_answers(tmp_path / "none.csv", tmp_path / "none.log") == []
