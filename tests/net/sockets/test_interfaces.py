"""The addresses of this machine."""

from __future__ import annotations

from pathlib import Path

from reference_server.net.sockets.interfaces import (
    addresses_of,
    local_addresses,
    parse_fib_trie,
    parse_if_inet6,
)

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
Local:
           |-- 192.0.2.2
              /32 host LOCAL
"""
IF_INET6 = """\
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
20010db8000000000000000000000007 04 40 00 40     eth0
20010db8000000000000000000000002 04 40 00 82     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""


def test_ipv4_addresses_once_each() -> None:
    assert parse_fib_trie(FIB_TRIE) == ["127.0.0.1", "192.0.2.2"]


def test_ipv6_without_link_local_and_tentative_ones() -> None:
    assert parse_if_inet6(IF_INET6) == ["::1", "2001:db8::2"]


def test_both_families(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    (tmp_path / "if_inet6").write_text(IF_INET6)
    assert local_addresses(tmp_path) == ["127.0.0.1", "192.0.2.2", "::1", "2001:db8::2"]


def test_loopback_is_known_without_tables(tmp_path: Path) -> None:
    assert local_addresses(tmp_path)[0] == "127.0.0.1"


def test_this_machine() -> None:
    assert "127.0.0.1" in local_addresses()


def test_ipv6_addresses_of_one_interface() -> None:
    assert parse_if_inet6(IF_INET6, "lo") == ["::1"]
    assert parse_if_inet6(IF_INET6, "eth1") == []


def test_the_addresses_of_an_interface() -> None:
    assert addresses_of("lo")[0] == "127.0.0.1"
    assert set(addresses_of("lo")) <= set(local_addresses())
    assert addresses_of("no-such-interface") == []
