"""Who wants what: round robin per verb, double shares, tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.admin.routes import RouteTable
from tests.core.world import RecordingApplication, World


@pytest.fixture
def applications() -> list[RecordingApplication]:
    """Four applications that have routed nothing."""
    world = World()
    return [world.application(tags=tags) for tags in ("", "red", "red,blue", "blue")]


def order(registry: RouteTable, count: int, verb: str = "invite", tag: str = "") -> list[int]:
    """The numbers of those who are selected."""
    return [found.number if (found := registry.select(verb, tag)) else 0 for _ in range(count)]


def test_nobody(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    assert registry.select("invite") is None
    registry.add_route(applications[0], "INVITE")
    registry.add_route(applications[0], "")
    registry.add_route(applications[0], "*")
    assert registry.select("invite") is None


def test_in_turn(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in applications[:3]:
        registry.add_route(application, "invite")
    assert order(registry, 7) == [1, 2, 3, 1, 2, 3, 1]


def test_each_verb_has_its_own_turn(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in applications[:2]:
        registry.add_route(application, "invite")
        registry.add_route(application, "options")
    assert order(registry, 3) == [1, 2, 1]
    assert order(registry, 3, "options") == [1, 2, 1]


def test_who_asks_twice_gets_a_double_share(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in (applications[0], applications[1], applications[0]):
        registry.add_route(application, "invite")
    assert order(registry, 6) == [1, 2, 1, 1, 2, 1]
    assert len(registry) == 3


def test_removing_a_verb_removes_all_its_entries_and_no_other(
    applications: list[RecordingApplication],
) -> None:
    registry = RouteTable()
    for verb in ("invite", "invite", "options"):
        registry.add_route(applications[0], verb)
        registry.add_route(applications[1], verb)
    registry.remove_route(applications[0], "invite")
    registry.remove_route(applications[0], "never")
    registry.remove_route(applications[2], "invite")
    assert order(registry, 2) == [2, 2]
    assert sorted(order(registry, 2, "options")) == [1, 2]


def test_who_is_gone_is_gone_from_every_verb(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for verb in ("invite", "options"):
        for application in applications[:2]:
            registry.add_route(application, verb)
    registry.remove(applications[0])
    registry.remove(applications[3])
    assert order(registry, 2) == [2, 2]
    assert order(registry, 2, "options") == [2, 2]
    registry.remove(applications[1])
    assert len(registry) == 0
    assert registry.select("invite") is None


def test_who_is_not_connected_is_passed_over(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in applications[:3]:
        registry.add_route(application, "invite")
    applications[1].connected = False
    assert order(registry, 4) == [1, 3, 1, 3]
    applications[0].connected = applications[2].connected = False
    assert registry.select("invite") is None


def test_who_does_not_read_is_passed_over_until_it_does(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in applications[:2]:
        registry.add_route(application, "invite")
    applications[0].reads = False
    assert order(registry, 3) == [2, 2, 2]
    applications[1].reads = False
    assert registry.select("invite") is None
    applications[0].reads = True
    assert order(registry, 2) == [1, 1]


@pytest.mark.parametrize(("tag", "expected"), [("red", [2, 3, 2]), ("blue", [3, 4, 3]), ("green", [0, 0, 0])])
def test_tags(applications: list[RecordingApplication], tag: str, expected: list[int]) -> None:
    registry = RouteTable()
    for application in applications:
        registry.add_route(application, "invite")
    assert order(registry, 3, tag=tag) == expected


def test_a_tag_does_not_stand_in_for_a_route(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    registry.add_route(applications[1], "options")
    assert registry.select("invite", "red") is None


def test_while_entries_come_and_go_nobody_starves(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    registry.add_route(applications[0], "invite")
    assert order(registry, 3) == [1, 1, 1]
    registry.add_route(applications[1], "invite")
    assert set(order(registry, 2)) == {1, 2}
    registry.remove_route(applications[1], "invite")
    registry.add_route(applications[2], "invite")
    assert set(order(registry, 2)) == {1, 3}


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "gone", "select"]), st.integers(0, 3)), max_size=30
)


@given(ACTIONS)
def test_shares_are_even_whatever_happened_before(actions: list[tuple[str, int]]) -> None:
    world = World()
    applications = [world.application() for _ in range(4)]
    registry = RouteTable()
    entries: list[int] = []
    for action, index in actions:
        match action:
            case "add":
                registry.add_route(applications[index], "invite")
                entries.append(index + 1)
            case "drop":
                registry.remove_route(applications[index], "invite")
                entries = [entry for entry in entries if entry != index + 1]
            case "gone":
                registry.remove(applications[index])
                entries = [entry for entry in entries if entry != index + 1]
            case _:
                assert order(registry, 1)[0] in (entries or [0])
    assert len(registry) == len(entries)
    if entries:
        assert sorted(order(registry, 3 * len(entries))) == sorted(entries * 3)


def test_so_many_routes_and_no_more(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    assert [registry.add_route(applications[0], verb, 2) for verb in ("a", "a", "b")] == [True, True, False]
    assert registry.add_route(applications[1], "b", 2)
    registry.remove_route(applications[0], "a")
    assert registry.add_route(applications[0], "b", 1)
    registry.remove(applications[0])
    assert registry.add_route(applications[0], "b", 1), "who is gone has none"


def test_who_is_passed_over_is_not_selected_until_it_is_not(applications: list[RecordingApplication]) -> None:
    registry = RouteTable()
    for application in applications[:3]:
        registry.add_route(application, "invite")
    registry.pass_over(frozenset(applications[:2]))
    assert order(registry, 3) == [3, 3, 3]
    assert order(registry, 1, tag="red") == [3]
    registry.pass_over(frozenset(applications))
    assert order(registry, 2) == [0, 0]
    registry.pass_over(frozenset())
    assert sorted(order(registry, 3)) == [1, 2, 3]
