"""The error queue: a datagram to a port where nobody listens comes back with its beginning."""

from __future__ import annotations

import select
import socket
import sys

import pytest

from reference_server.net.sockets.icmp import read_undelivered

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the queue")

_LOOPBACK = [
    (socket.AF_INET, "127.0.0.1", socket.IPPROTO_IP, 11),
    (socket.AF_INET6, "::1", socket.IPPROTO_IPV6, 25),
]


@pytest.mark.parametrize(("family", "host", "level", "option"), _LOOPBACK)
def test_what_did_not_arrive_is_named(family: int, host: str, level: int, option: int) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sender, socket.socket(family, socket.SOCK_DGRAM) as gone:
        gone.bind((host, 0))
        nobody = gone.getsockname()
        gone.close()
        sender.setsockopt(level, option, 1)
        sender.setblocking(False)
        sender.sendto(b"OPTIONS sip:x SIP/2.0", nobody)
        poll = select.poll()
        poll.register(sender, 0)
        assert poll.poll(5000), "the error is reported"
        assert list(read_undelivered(sender)) == [b"OPTIONS sip:x SIP/2.0"]
        assert list(read_undelivered(sender)) == []


def test_an_empty_queue_is_no_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as quiet:
        quiet.setblocking(False)
        assert list(read_undelivered(quiet)) == []
