"""What a browser of recordings shows, without the terminal."""

from __future__ import annotations

import pytest

from msgtrace import browsing
from msgtrace.answers import shown
from msgtrace.browsing import Browsing
from msgtrace.recordings import read
from tests.bench import msgtrace as bench
from tests.msgtrace import samples


def loaded(text: str, *, show_secrets: bool = False) -> Browsing:
    found = Browsing(show_secrets=show_secrets)
    for item in shown(read(text.encode())):
        found.take(item)
    return found


def test_calls_are_found_by_any_of_their_words() -> None:
    both = loaded(bench.written("client log", [*bench.exchange(1), *samples.EXCHANGE]))
    assert [row.call.number for row in both.calls()] == [1, 2, 3]
    assert [row.call.number for row in both.calls("ALICE")] == [1]
    assert [row.call.number for row in both.calls("busy")] == [2]
    assert [row.call.number for row in both.calls("call02")] == [3]
    assert both.calls("nobody") == []
    assert {row.call.number for row in both.calls(failed_only=True)} >= {2}
    assert both.causes()[0][0] == 1


def test_a_call_has_its_messages_and_its_story() -> None:
    looked = loaded(samples.client()).look(1)
    assert {looked.items[row.number].number for row in looked.rows if row.kind == "frame"} == {3, 5, 6}
    assert "486 Busy Here" in looked.story


@pytest.mark.parametrize("secrets", [False, True])
def test_credentials_are_shown_only_if_asked_for(secrets: bool) -> None:
    found = loaded(samples.client(), show_secrets=secrets)
    item = found.look(1).items[3]
    assert ("abcdef" in found.message(item)) is secrets


def test_of_very_many_messages_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "MOST", 9)
    found = loaded(bench.written("client log", [*bench.exchange(1), *bench.exchange(2)]))
    assert found.count == 18
    assert found.look(1).rows == []
    assert len(found.look(2).rows) >= 9
