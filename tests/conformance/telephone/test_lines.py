"""Where a URI leads, and peers on all transports that dial and listen."""

from __future__ import annotations

import pytest

from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_transport import Received
from drachtio_conformance.peers.transports import TRANSPORTS
from drachtio_conformance.telephone.lines import (
    CallError,
    Destination,
    destination,
    dialled,
    listening,
    uri_of,
)
from tests.conftest import Run


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("bob", "expected a SIP URI like sip:bob@127.0.0.1:5060, got 'bob'"),
        ("sip:bob@127.0.0.1:70000", "expected a port from 1 to 65535, got 70000"),
        ("sip:bob@127.0.0.1;transport=sctp", "expected a transport of udp, tcp, tls, ws, wss, got 'sctp'"),
        ("sips:bob@127.0.0.1;transport=udp", "sips goes by tls or wss, not by udp: try sip:"),
        ("sip:bob@[::1", "expected a SIP URI"),
    ],
)
def test_a_uri_that_cannot_be_called_is_refused(uri: str, message: str) -> None:
    with pytest.raises(CallError, match=message):
        destination(uri)


def test_destinations() -> None:
    assert destination("sip:bob@127.0.0.1") == Destination("127.0.0.1", 5060, "udp")
    assert destination("sip:[::1]:5070;transport=tcp") == Destination("::1", 5070, "tcp")
    assert destination("sip:b@127.0.0.1;transport=tcp", "udp").transport == "udp"
    assert destination("sips:b@127.0.0.1") == Destination("127.0.0.1", 5061, "tls")
    assert destination("sips:b@127.0.0.1;transport=ws") == Destination("127.0.0.1", 443, "wss")
    assert destination("sip:[::1]:5070").address == "[::1]:5070"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_listens_and_one_dials(run: Run, transport: str) -> None:
    async def story() -> None:
        called = await listening(transport, Recorder(), host="127.0.0.1")
        where = destination(uri_of(called))
        assert where.transport == transport
        caller = await dialled(where, Recorder(), patience=5)
        caller.request("OPTIONS", uri=uri_of(called))
        came = await called.endpoint.incoming.take(5)
        assert isinstance(came, Received)
        called.learn(came)
        called.respond(200)
        back = await caller.endpoint.incoming.take(5)
        assert isinstance(back, Received)
        assert back.raw.startswith("SIP/2.0 200")
        called.endpoint.turn_to(came.reply)
        called.request("OPTIONS", uri="sip:caller@127.0.0.1")
        other = await caller.endpoint.incoming.take(5)
        assert isinstance(other, Received)
        assert other.raw.startswith("OPTIONS sip:caller@")
        for peer in (caller, called):
            peer.close()
            await peer.endpoint.gone(5)

    run(story())


@pytest.mark.parametrize("transport", ["tcp", "ws"])
def test_a_port_has_one_listener(run: Run, transport: str) -> None:
    async def story() -> None:
        first = await listening(transport, Recorder(), host="127.0.0.1")
        port = first.endpoint.port
        with pytest.raises(
            ConnectFailed, match=f"no {transport.upper()} socket on 127.0.0.1:{port}: Address"
        ):
            await listening(transport, Recorder(), host="127.0.0.1", port=port)
        first.close()

    run(story())
