"""Which endpoint a request leaves from (the choices that were observed at the genuine server, and ours)."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Endpoint
from reference_server.net.locate.local_endpoint import Candidate, candidate, choose
from reference_server.sip.transport import TCP, UDP, Transport


def _candidate(
    host: str, transport: Transport = UDP, local_net: str = "", external_ip: str = ""
) -> Candidate:
    return candidate(Endpoint(transport, host, 5060, external_ip or host, ""), local_net, external_ip)


THREE = [_candidate("127.0.0.1"), _candidate("127.0.0.2"), _candidate("127.0.0.3", external_ip="9.9.9.9")]


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("127.0.0.3", "127.0.0.3"),
        ("127.0.0.9", "127.0.0.1"),
    ],
)
def test_observed(target: str, host: str) -> None:
    endpoint = choose(THREE, UDP, target)
    assert endpoint is not None
    assert endpoint.host == host


@pytest.mark.parametrize(
    ("hosts", "target", "expected"),
    [
        ([_candidate("127.0.0.1"), _candidate("192.0.2.2")], "198.51.100.1", "192.0.2.2"),
        ([_candidate("192.0.2.2"), _candidate("198.51.100.9")], "198.51.100.1", "198.51.100.9"),
        (
            [_candidate("192.0.2.2"), _candidate("192.0.2.3", external_ip="9.9.9.9")],
            "198.51.100.1",
            "192.0.2.3",
        ),
        (
            [_candidate("192.0.2.2"), _candidate("10.1.2.3", local_net="198.51.0.0/16")],
            "198.51.100.1",
            "10.1.2.3",
        ),
        ([_candidate("11.9.9.9"), _candidate("10.1.2.3")], "10.7.7.7", "10.1.2.3"),
        ([_candidate("127.0.0.1"), _candidate("::1")], "::1", "::1"),
    ],
)
def test_preference(hosts: list[Candidate], target: str, expected: str) -> None:
    endpoint = choose(hosts, UDP, target)
    assert endpoint is not None
    assert endpoint.host == expected


@pytest.mark.parametrize(("transport", "target"), [(TCP, "127.0.0.1"), (UDP, "::1")])
def test_none_of_that_kind(transport: Transport, target: str) -> None:
    assert choose(THREE, transport, target) is None


def test_a_wrong_local_net() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        _candidate("127.0.0.1", local_net="10.0.0.0/99")
