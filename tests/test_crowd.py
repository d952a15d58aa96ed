"""Who makes room: compared with what the sentence says, whatever has happened before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reference_server.crowd import Crowd, share_of

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["add", "heard", "remove"]), st.integers(0, 11), st.integers(0, 4)), max_size=80
)


@given(ACTIONS, st.integers(1, 6))
def test_of_the_address_that_has_most_one_goes_that_is_not_used(
    actions: list[tuple[str, int, int]], most: int
) -> None:
    crowd: Crowd[int] = Crowd(most)
    there: dict[int, str] = {}  # the longest silent first
    heard: set[int] = set()
    for action, member, number in actions:
        match action:
            case "add" if member not in there:
                there[member] = f"192.0.2.{number}"
                expected = None
                if len(there) > most:
                    have = [*there.values()]
                    of_most = [one for one in there if have.count(there[one]) == max(map(have.count, have))]
                    unheard = [one for one in of_most if one not in heard and one != member]
                    silent = [one for one in of_most if one in heard]
                    (expected, *_) = [*unheard, *silent, *of_most]
                    del there[expected]
                    heard.discard(expected)
                assert crowd.add(member, f"192.0.2.{number}") == expected
            case "heard":
                crowd.heard(member)
                if member in there:
                    there[member] = there.pop(member)
                    heard.add(member)
            case "remove":
                crowd.remove(member)
                there.pop(member, None)
                heard.discard(member)
        assert sorted(crowd) == sorted(there)
        assert len(crowd) == len(there)
        assert all(member in crowd for member in there)


def test_one_address_crowds_out_nobody_but_itself() -> None:
    crowd: Crowd[str] = Crowd(100)
    for number in range(10):
        assert crowd.add(f"honest {number}", f"192.0.2.{number}") is None
    crowded_out = [crowd.add(f"greedy {number}", "198.51.100.1") for number in range(10_000)]
    assert crowded_out[:90] == [None] * 90
    assert crowded_out[90:] == [f"greedy {number}" for number in range(9910)]


def test_where_all_have_been_heard_the_longest_silent_makes_room_for_the_newest() -> None:
    crowd: Crowd[int] = Crowd(3)
    for number in range(3):
        crowd.add(number, "192.0.2.1")
        crowd.heard(number)
    crowd.heard(0)
    assert crowd.add(3, "192.0.2.1") == 1


def test_from_many_addresses_the_longest_silent_of_all_goes() -> None:
    crowd: Crowd[int] = Crowd(1000)
    for number in range(1000):
        crowd.add(number, f"10.0.{number // 250}.{number % 250}")
    crowd.heard(0)
    assert crowd.add(1000, "10.1.1.1") == 1
    assert crowd.add(1001, "10.1.1.2") == 2


def test_nothing_is_left_of_who_has_gone() -> None:
    crowd: Crowd[int] = Crowd(10)
    for number in range(10):
        crowd.add(number, f"192.0.2.{number % 3}")
    for number in range(10):
        crowd.remove(number)
    assert [len(crowd), crowd._shares, crowd._addresses, crowd._silent_since] == [0, {}, {}, {}]


def test_a_host_of_ipv6_has_one_share_whatever_addresses_it_takes() -> None:
    assert share_of("2001:db8::1") == share_of("2001:db8::ffff:1") != share_of("2001:db8:0:1::1")
    assert share_of("fe80::1%eth0") == "fe80::"
    assert share_of("192.0.2.1") == "192.0.2.1"


def test_of_one_address_there_may_be_fewer() -> None:
    crowd: Crowd[int] = Crowd(10, most_of_one=2)
    for number in range(2):
        assert crowd.add(number, "2001:db8::1") is None
        crowd.heard(number)
    assert crowd.add(2, "192.0.2.1") is None
    assert crowd.add(3, "2001:db8::2") == 0, "of its own network, though there is room"
    assert crowd.add(4, "192.0.2.1") is None
    crowd.bound(4, 0)
    assert crowd.add(5, "192.0.2.2") == 2, "then the address that has most, and of it who was never heard"
    assert sorted(crowd) == [1, 3, 4, 5]
