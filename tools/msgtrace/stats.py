"""What a recording says in numbers: rates, codes, how long things took, and what became of calls as time went by.

Times go into buckets of five per cent, so that memory does not grow with the number of messages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from msgtrace.answers import Shown, between, seconds
from msgtrace.calls import Call, CallIndex
from msgtrace.render import duration
from msgtrace.verdict import Ending, judge

_FINER = math.log(1.05)
_SMALLEST = 1e-6
_COLUMNS = 60
_BLOCKS = " ▁▂▃▄▅▆▇█"


class Spread:
    """How durations are spread."""

    def __init__(self) -> None:
        self.count = 0
        self._buckets: Counter[int] = Counter()
        self.largest = 0.0

    def add(self, value: float) -> None:
        """One more, in seconds."""
        self.count += 1
        self.largest = max(self.largest, value)
        self._buckets[math.floor(math.log(max(value, _SMALLEST)) / _FINER)] += 1

    def percentile(self, part: float) -> float:
        """What ``part`` per cent are not above, to five per cent; 0 if there is none."""
        wanted = self.count * part / 100
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= wanted:
                return min(math.exp((bucket + 1) * _FINER), self.largest)
        return self.largest


class Interval(Struct):
    """A part of the time of a recording."""

    begin: float
    """seconds of the day"""
    good: int = 0
    failed: int = 0
    """calls that began in it, by what became of them; unfinished ones are good so far"""


class Figures:
    """Take the messages of a recording, then read the figures."""

    def __init__(self) -> None:
        self.index = CallIndex()
        self.messages = 0
        self.application = Spread()
        """from a request of the network to the application's first answer"""
        self.server = Spread()
        """from what an application asks to the server's answer"""
        self._first: float | None = None
        self._last = 0.0
        self._second = -1
        self._in_second = 0
        self.peak = 0
        """most messages in a second"""

    def take(self, items: Iterable[Shown]) -> None:
        """Count them."""
        for item in items:
            if item.message is None and item.sip is None:
                continue
            self.messages += 1
            at = seconds(item.entry.time or (item.message.get("time") if item.message else ""))
            if at is not None:
                self._passed(at)
            if item.round_trip is not None and item.round_trip >= 0:
                (self.server if item.from_server else self.application).add(item.round_trip)

    def _passed(self, at: float) -> None:
        if self._first is None:
            self._first = at
        self._last = at
        if int(at) != self._second:
            self._second, self._in_second = int(at), 0
        self._in_second += 1
        self.peak = max(self.peak, self._in_second)

    @property
    def span(self) -> float:
        """Seconds from the first message to the last."""
        return between(self._first, self._last) or 0.0

    def codes(self) -> dict[str, Counter[int]]:
        """Final responses by method, each transaction once."""
        found: dict[str, Counter[int]] = {}
        for call in self.index.calls:
            for one in call.transactions:
                finals = one.finals or one.elsewhere
                if finals:
                    found.setdefault(one.method, Counter())[finals[-1].status] += 1
        return found

    def setup(self) -> Spread:
        """From INVITE to its final response."""
        spread = Spread()
        for call in self.index.calls:
            for one in call.attempts:
                took = between(one.at, one.finals[0].at) if one.finals else None
                if took is not None and took >= 0:
                    spread.add(took)
        return spread

    def lengths(self) -> Spread:
        """From the 2xx to the first BYE."""
        spread = Spread()
        for call in self.index.calls:
            answered = next(
                (final.at for one in call.attempts for final in one.finals if 200 <= final.status < 300), None
            )
            took = between(answered, call.byes[0].at) if call.byes else None
            if took is not None and took >= 0:
                spread.add(took)
        return spread

    def intervals(self, most: int = _COLUMNS) -> list[Interval]:
        """Calls as time went by, in at most so many intervals of equal length."""
        starts = [(at, call) for call in self.index.calls if (at := seconds(call.begin)) is not None]
        if not starts:
            return []
        first = starts[0][0]
        width = max(1.0, math.ceil((self.span + 1e-9) / most))
        found = [Interval(first + width * number) for number in range(int(self.span // width) + 1)]
        for at, call in starts:
            place = min(int(max(0.0, between(first, at) or 0.0) // width), len(found) - 1)
            if judge(call).ending is Ending.BAD:
                found[place].failed += 1
            else:
                found[place].good += 1
        return found

    def endings(self) -> Counter[Ending]:
        """How many calls ended how."""
        return Counter(judge(call).ending for call in self.index.calls)


def lines(figures: Figures) -> Iterator[str]:
    """All of it as text."""
    span = figures.span
    rate = f", {figures.messages / span:,.1f} a second, at most {figures.peak:,} in one" if span else ""
    yield f"{figures.messages:,} messages in {duration(span)}{rate}"
    calls = figures.index.calls
    if calls:
        ends = figures.endings()
        yield (
            f"{_calls(calls)}: {ends[Ending.GOOD]:,} went well, {ends[Ending.WARN]:,} with a remark, "
            f"{ends[Ending.BAD]:,} failed, {ends[Ending.OPEN]:,} unfinished"
        )
    yield from _chart(figures.intervals())
    codes = figures.codes()
    if codes:
        yield ""
        yield "final responses"
        for method, counter in sorted(codes.items(), key=lambda pair: -pair[1].total()):
            told = "  ".join(f"{status} ×{count:,}" for status, count in sorted(counter.items()))
            yield f"  {method[:12]:12}  {told}"
    spreads = {
        "application answers a request": figures.application,
        "server answers the application": figures.server,
        "INVITE to its final response": figures.setup(),
        "answered call, until BYE": figures.lengths(),
    }
    if any(spread.count for spread in spreads.values()):
        yield ""
        yield f"{'how long':32}{'count':>9}{'median':>11}{'90 %':>11}{'99 %':>11}{'longest':>11}"
        for name, spread in spreads.items():
            if spread.count:
                parts = "".join(f"{duration(spread.percentile(part)):>11}" for part in (50, 90, 99))
                yield f"  {name:30}{spread.count:9,}{parts}{duration(spread.largest):>11}"


def _calls(calls: Sequence[Call]) -> str:
    return f"{len(calls):,} call{'s' if len(calls) != 1 else ''}"


def _chart(intervals: Sequence[Interval]) -> Iterator[str]:
    """Two rows of bars: calls, and those of them that failed."""
    if len(intervals) < 2:
        return
    most = max(one.good + one.failed for one in intervals)
    width = intervals[1].begin - intervals[0].begin
    yield ""
    yield f"calls that began, each column {duration(width)}, the highest {most:,}"
    yield f"  all     {''.join(_bar(one.good + one.failed, most) for one in intervals)}"
    yield f"  failed  {''.join(_bar(one.failed, most) for one in intervals)}"
    yield f"          {_clock(intervals[0].begin)}{_clock(intervals[-1].begin):>{max(9, len(intervals) - 8)}}"


def _bar(value: int, most: int) -> str:
    return _BLOCKS[math.ceil(value / most * (len(_BLOCKS) - 1))] if most else " "


def _clock(at: float) -> str:
    second = int(at) % 86400
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def svg(figures: Figures) -> str:
    """The chart as a drawing: a column for each interval, failed calls on top."""
    intervals = figures.intervals(120)
    most = max((one.good + one.failed for one in intervals), default=0) or 1
    width, height, left = 8, 160, 50
    total = left + width * max(1, len(intervals)) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height + 50}" font-family="sans-serif" '
        'font-size="11"><title>Calls that began, failed ones in red</title>'
    ]
    for number, one in enumerate(intervals):
        begin = left + width * number
        top = height + 10.0
        for count, colour in ((one.good, "#2a7"), (one.failed, "#c33")):
            size = count / most * height
            top -= size
            if count:
                parts.append(
                    f'<rect x="{begin}" y="{top:.1f}" width="{width - 1}" height="{size:.1f}" fill="{colour}">'
                    f"<title>{_clock(one.begin)}: {one.good} and {one.failed} failed</title></rect>"
                )
    parts.append(f'<text x="{left - 6}" y="20" text-anchor="end">{most:,}</text>')
    parts.append(f'<text x="{left - 6}" y="{height + 10}" text-anchor="end">0</text>')
    if intervals:
        parts.append(f'<text x="{left}" y="{height + 30}">{_clock(intervals[0].begin)}</text>')
        parts.append(
            f'<text x="{total - 20}" y="{height + 30}" text-anchor="end">{_clock(intervals[-1].begin)}</text>'
        )
    return "".join([*parts, "</svg>\n"])
