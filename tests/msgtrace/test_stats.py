"""What a recording says in numbers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.recordings import read
from msgtrace.stats import Figures, Spread, lines, svg
from tests.bench import msgtrace as bench
from tests.msgtrace.call_set import message


def log(*calls: tuple[int, float, int]) -> bytes:
    """A server's log of calls: (seconds at which it begins, seconds until its final response, the status)."""
    events: list[tuple[float, str]] = []
    for number, (begin, took, status) in enumerate(calls):
        for at, way, start in ((begin, "recv {} bytes from", "INVITE sip:b@h SIP/2.0"),
                               (begin + took, "send {} bytes to", f"SIP/2.0 {status} Said")):  # fmt: skip
            text = message(
                start, f"c{number}", "1 INVITE", ("a", "" if "INVITE" in start[:6] else "b"), vias=["h:1 x"]
            )
            clock = f"{int(at) // 3600:02}:{int(at) // 60 % 60:02}:{int(at) % 60:02}.{round(at % 1 * 1e6):06}"
            way = way.format(len(text))
            events.append((at, f"2026-11-23 {clock} {way} udp/[192.0.2.9]:5060 at {clock}:\n{text}\n"))
    return "".join(text for _, text in sorted(events)).encode()


def figures(data: bytes) -> Figures:
    found = Figures()
    found.take(shown(read(data), hold=0, learn=found.index.learn))
    return found


@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200), st.sampled_from([50, 90, 99, 100]))
def test_percentiles_are_right_to_five_per_cent(values: list[float], part: float) -> None:
    spread = Spread()
    for value in values:
        spread.add(value)
    ordered = sorted(values)
    exact = ordered[max(0, -(-len(values) * int(part) // 100) - 1)]
    assert exact <= spread.percentile(part) * (1 + 1e-9)
    assert spread.percentile(part) <= exact * 1.0501
    assert spread.largest == max(values)


def test_codes_rates_and_times() -> None:
    found = figures(log((0, 0.5, 486), (1, 0.25, 486), (10, 2, 404)))
    assert {method: dict(counter) for method, counter in found.codes().items()} == {
        "INVITE": {486: 2, 404: 1}
    }
    assert found.setup().count == 3
    assert found.setup().largest == pytest.approx(2)
    assert found.span == pytest.approx(12)
    told = "\n".join(lines(found))
    assert "6 messages in 12.0 s, 0.5 a second, at most 2 in one" in told
    assert "3 calls: 0 went well, 0 with a remark, 3 failed, 0 unfinished" in told
    assert "INVITE        404 ×1  486 ×2" in told


def test_calls_as_time_goes_by() -> None:
    found = figures(log(*[(minute * 60, 0.1, 200 if minute % 2 else 500) for minute in range(100)]))
    intervals = found.intervals()
    assert len(intervals) <= 60
    assert sum(one.failed for one in intervals) == 50
    assert sum(one.good for one in intervals) == 50
    assert intervals[1].begin - intervals[0].begin == 100


def test_answers_of_both_sides() -> None:
    found = figures(bench.written("server log", [*bench.exchange(1), *bench.exchange(2)]).encode())
    assert (found.application.count, found.server.count) == (6, 6)
    assert found.lengths().count == 2


def test_a_recording_over_midnight() -> None:
    found = figures(log((86399, 2, 200)).replace(b" 24:00:01", b" 00:00:01"))
    assert found.span == pytest.approx(2)
    assert [one.good + one.failed for one in found.intervals()] == [1, 0, 0]


def test_the_drawing_has_a_column_for_what_failed(tmp_path: Path) -> None:
    found = figures(log((0, 0.5, 486), (5, 0.25, 200)))
    root = ET.fromstring(svg(found))
    colours = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert colours == ["#c33", "#2a7"]
    (tmp_path / "x.log").write_bytes(log((0, 0.5, 486), (5, 0.25, 200)))
    assert main(["stats", str(tmp_path / "x.log"), "--svg", str(tmp_path / "x.svg")]) == 0
    assert (tmp_path / "x.svg").read_text() == svg(found)


def test_nothing_to_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_text("2026-11-23 07:36:00.000000 nothing\n")
    assert main(["stats", str(tmp_path / "x.log")]) == 1
    assert "no message in it" in capsys.readouterr().err
