"""Datagrams of a thread: whoever writes waits for nothing, and each that is lost is counted once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from reference_server.observe.datagrams import LARGEST, Datagrams, Lost

PATIENCE = 10.0


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(PATIENCE)
        yield opened


def port_of(receiver: socket.socket) -> int:
    return int(receiver.getsockname()[1])


def test_all_arrive_in_order(receiver: socket.socket) -> None:
    out = Datagrams("localhost", port_of(receiver), pace=0)
    for number in range(100):
        out.write(b"%d" % number)
    assert [receiver.recv(100) for _ in range(100)] == [b"%d" % number for number in range(100)]
    out.close()
    assert not out.losing
    out.write(b"too late")
    receiver.setblocking(False)
    with pytest.raises(BlockingIOError):
        receiver.recv(100)


def test_the_rest_leaves_at_the_end(receiver: socket.socket) -> None:
    out = Datagrams("127.0.0.1", port_of(receiver), pace=PATIENCE)
    out.write(b"last")
    out.close()
    assert receiver.recv(100) == b"last"


def test_what_nobody_listens_for_is_counted_but_for_the_last() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = port_of(closed)
    out = Datagrams("127.0.0.1", port, pace=0)
    for _ in range(5):
        out.write(b"x", stands_for=2)
    out.close()
    assert out.take_lost() == Lost(8, "nobody listens there: Connection refused")
    assert out.take_lost() is None


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []

    def unknown(host: str, *_: object, **__: object) -> list[object]:
        questions.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    out = Datagrams("nowhere.invalid", 9, pace=0)
    for _ in range(5):
        out.write(b"x")
    out.close()
    lost = out.take_lost()
    assert lost is not None
    assert lost.count == 5
    assert "Name or service not known" in lost.reason
    assert questions == ["nowhere.invalid"], "it is not looked up for each datagram"


def test_a_name_is_looked_up_again_later(receiver: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[object] = [socket.gaierror(socket.EAI_AGAIN, "later")]
    really = socket.getaddrinfo
    asked = threading.Semaphore(0)

    def slowly(host: str, port: int, **options: int) -> list[object]:
        asked.release()
        if answers:
            raise answers.pop()  # type: ignore[misc]  # it is one
        return list(really(host, port, **options))

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    out = Datagrams("127.0.0.1", port_of(receiver), pace=0, retry=0)
    out.write(b"lost")
    assert asked.acquire(timeout=PATIENCE)
    out.write(b"kept")
    assert receiver.recv(100) == b"kept"
    out.close()
    assert out.take_lost() == Lost(1, "the name leads nowhere: later")


def test_who_writes_does_not_wait_for_a_look_up(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, really = threading.Event(), socket.getaddrinfo

    def slowly(host: str, port: int, **options: int) -> list[object]:
        assert looked_up.wait(PATIENCE)
        return list(really(host, port, **options))

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    out = Datagrams("127.0.0.1", port_of(receiver), pace=0, limit=1000)
    for number in range(200):
        out.write(b"%08d" % number)
    assert out.losing
    lost = out.take_lost()
    assert lost == Lost(200 - 125, "not taken in time")
    looked_up.set()
    assert [receiver.recv(100) for _ in range(125)] == [b"%08d" % number for number in range(125)]
    out.close()


def test_what_fits_into_no_datagram_is_counted() -> None:
    out = Datagrams("127.0.0.1", 9)
    out.write(bytes(LARGEST + 1))
    assert out.take_lost() == Lost(1, f"larger than {LARGEST} octets")
    out.close()


def test_the_largest_leaves(receiver: socket.socket) -> None:
    out = Datagrams("127.0.0.1", port_of(receiver), pace=0)
    out.write(bytes(LARGEST))
    assert len(receiver.recv(65_535)) == LARGEST
    out.close()
