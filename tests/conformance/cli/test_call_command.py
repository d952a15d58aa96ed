"""``call``: our SIP peer against a far end that the test plays, and against the reference server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs

from drachtio_conformance.cli import call_command
from drachtio_conformance.cli.call_command import Call, Outcome
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.telephone.acts import Act, Dtmf, HangUp, Reinvite, ScriptError
from drachtio_conformance.telephone.lines import CallError
from msgtrace import sip
from tests.conformance.conftest import Running


@contextmanager
def far_end(answers: dict[str, list[str]]) -> Iterator[str]:
    """A UDP endpoint that answers each request of a method with the next of its status lines; yields HOST:PORT."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{endpoint.getsockname()[1]}"

        def serve() -> None:
            while True:
                data, source = endpoint.recvfrom(65536)
                if data == b"end":
                    return
                request = sip.parse(data.decode("latin-1"))
                for status in answers.get(request.method, [])[:1]:
                    answers[request.method].pop(0)
                    for line in status.split(","):
                        lines = [
                            f"SIP/2.0 {line}",
                            f"Via: {request.first('Via')}",
                            f"From: {request.first('From')}",
                        ]
                        lines += [f"To: {request.first('To')};tag=far", f"Call-ID: {request.call_id}"]
                        lines += [
                            f"CSeq: {request.first('CSeq')}",
                            f"Contact: <sip:far@{address}>",
                            "Content-Length: 0",
                        ]
                        endpoint.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), source)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address
        finally:
            endpoint.sendto(b"end", endpoint.getsockname())
            thread.join()


def place(address: str, **options: object) -> Outcome:
    """Place a call to ``address``."""
    return asyncio.run(call_command.place(structs.replace(Call(uri=f"sip:bob@{address}"), **options)))


def sent(outcome: Outcome) -> list[str]:
    """Methods of the requests that our peer sent."""
    return [sip.parse(event.data).method for event in outcome.events if event.source == "phone"]


def test_a_call_that_is_answered_is_acknowledged_and_hung_up() -> None:
    with far_end({"INVITE": ["100 Trying,180 Ringing,200 OK"], "BYE": ["200 OK"]}) as address:
        outcome = place(address, script=(HangUp(),))
    assert sent(outcome) == ["INVITE", "ACK", "BYE"]
    assert outcome.exit_code is ExitCode.OK
    assert outcome.sentence == "answered 200 OK; hung up after 0 s: 200 OK"
    assert sip.parse(outcome.events[-2].data).uri == f"sip:far@{address}"


def test_a_reliable_provisional_response_is_acknowledged_and_again_when_it_is_repeated() -> None:
    reliable = "183 Session Progress\r\nRequire: 100rel\r\nRSeq: {}"
    answers = ",".join([reliable.format(7), reliable.format(7), reliable.format(8), "200 OK"])
    with far_end({"INVITE": [answers], "PRACK": ["200 OK"] * 2, "BYE": ["200 OK"]}) as address:
        outcome = place(address, script=(HangUp(),), headers=(("Supported", "100rel"),))
    assert sent(outcome) == ["INVITE", "PRACK", "PRACK", "PRACK", "ACK", "BYE"]
    requests = [sip.parse(event.data) for event in outcome.events if event.source == "phone"]
    pracks = [request for request in requests if request.method == "PRACK"]
    assert [prack.first("RAck") for prack in pracks] == ["7 1 INVITE", "7 1 INVITE", "8 1 INVITE"]
    assert [prack.cseq[0] for prack in pracks] == [2, 2, 3]
    assert outcome.exit_code is ExitCode.OK


def test_a_rejected_call_is_acknowledged() -> None:
    with far_end({"INVITE": ["486 Busy Here"]}) as address:
        outcome = place(address)
    assert sent(outcome) == ["INVITE", "ACK"]
    assert (outcome.exit_code, outcome.sentence) == (ExitCode.FAILURES, "INVITE was answered 486 Busy Here")


def test_a_request_that_is_not_answered_is_repeated() -> None:
    with far_end({"OPTIONS": ["", "200 OK"]}) as address:
        outcome = place(address, method="OPTIONS")
    assert sent(outcome) == ["OPTIONS", "OPTIONS"]
    assert outcome.events[0].data == outcome.events[1].data or outcome.exit_code is ExitCode.OK
    assert outcome.exit_code is ExitCode.OK


def test_nobody_answers() -> None:
    with far_end({}) as address:
        outcome = place(address, patience=0.2)
    assert (outcome.exit_code, outcome.sentence) == (ExitCode.NO_PEER, "INVITE was not answered within 0.2 s")


def test_a_call_that_only_rings_is_cancelled() -> None:
    with far_end({"INVITE": ["180 Ringing"], "CANCEL": ["200 OK"]}) as address:
        outcome = place(address, patience=0.2)
    assert sent(outcome)[:2] == ["INVITE", "CANCEL"]
    assert outcome.exit_code is ExitCode.FAILURES
    assert outcome.sentence.startswith("INVITE had no final response within 0.2 s")


def test_nobody_listens_on_tcp() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = place(f"127.0.0.1:{unused.getsockname()[1]}", transport="tcp")
    assert outcome.exit_code is ExitCode.NO_PEER
    assert outcome.sentence.endswith("Connection refused")


@pytest.mark.parametrize("parameter", ["", ";transport=tcp", ";transport=UDP"])
def test_the_reference_server_without_an_application(running: Running, parameter: str) -> None:
    outcome = place(
        running.sip + parameter, method="MESSAGE", body="hi", headers=(("Content-Type", "text/plain"),)
    )
    assert outcome.sentence == "MESSAGE was answered 503 Service Unavailable"
    assert outcome.events[0].data.endswith("\r\n\r\nhi")


def test_a_closed_udp_port_is_told_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    outcome = asyncio.run(call_command.place(Call(uri=f"sip:bob@127.0.0.1:{port}")))
    assert outcome.exit_code is ExitCode.NO_PEER
    assert outcome.sentence == f"nobody listens at 127.0.0.1:{port} (udp): the port is closed"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("method", ["CANCEL", "ACK", "PRACK"])
def test_a_request_that_makes_no_sense_alone_is_refused(method: str) -> None:
    with pytest.raises(CallError, match=f"{method} is no request of its own: it "):
        asyncio.run(call_command.place(Call(uri="sip:bob@127.0.0.1:5060", method=method)))


def test_a_script_is_about_a_call() -> None:
    with pytest.raises(CallError, match="dtmf is about a call, and OPTIONS makes none"):
        asyncio.run(
            call_command.place(Call(uri="sip:bob@127.0.0.1:5060", method="OPTIONS", script=(Dtmf("1"),)))
        )


@pytest.mark.parametrize("script", [(HangUp(), Reinvite()), (Dtmf("x"),)])
def test_a_script_that_nobody_can_play_is_refused(script: tuple[Act, ...]) -> None:
    with pytest.raises(ScriptError):
        asyncio.run(call_command.place(Call(uri="sip:bob@127.0.0.1:5060", script=script)))
