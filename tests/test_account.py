"""What is kept for peers."""

from __future__ import annotations

from reference_server.account import Account


def test_each_address_and_all_together_have_a_bound() -> None:
    account = Account(most=100, most_of_one=60, set_aside=0)
    assert account.admits("192.0.2.1", 60)
    assert not account.admits("192.0.2.1", 61)
    account.change("192.0.2.1", 60)
    assert not account.admits("192.0.2.1", 1)
    assert account.admits("192.0.2.2", 40)
    assert not account.admits("192.0.2.2", 41)
    assert (account.total, account.of("192.0.2.1"), account.of("192.0.2.2"), len(account)) == (60, 60, 0, 1)
    account.change("192.0.2.1", -60)
    assert (account.total, len(account)) == (0, 0)


def test_who_is_known_has_room_that_is_set_aside_and_no_share() -> None:
    account = Account(most=100, most_of_one=60, set_aside=20)
    account.change("192.0.2.1", 100)
    assert not account.admits("192.0.2.2", 1)
    account.meet("192.0.2.2")
    assert account.admits("192.0.2.2", 20)
    assert not account.admits("192.0.2.2", 21)
    assert account.admits_expected(20)
    assert not account.admits_expected(21)
    account.change("192.0.2.1", -100)
    assert account.admits("192.0.2.2", 100)


def test_of_ipv6_the_network_counts() -> None:
    account = Account(most=100, most_of_one=60, set_aside=20)
    account.change("2001:db8::1", 60)
    assert account.of("2001:db8::2") == 60
    assert not account.admits("2001:db8::2", 1)
    assert account.admits("2001:db8:0:1::2", 1)
    account.meet("2001:db8::3")
    assert account.admits("2001:db8::2", 60)


def test_strangers_without_number_are_not_remembered() -> None:
    account = Account()
    for number in range(30_000):
        host = f"2001:db8:{number:x}::1"
        account.change(host, 1)
        account.meet(host)
        account.change(host, -1)
    assert len(account) == 0
    assert max(len(account._known.known), len(account._shares.known)) <= 10_000
