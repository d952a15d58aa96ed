"""TLS without I/O: two ends that are fed by hand."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.config.model import TlsConfiguration
from reference_server.tls.certificates import Certificates
from reference_server.tls.session import TlsError, TlsSession
from tests.tls.openssl import Authority


@pytest.fixture
def ends(authority: Authority) -> tuple[TlsSession, TlsSession]:
    """Client and server."""
    certificate, key = authority.signed("ends.test")
    certificates = Certificates(TlsConfiguration(cert_file=str(certificate), key_file=str(key)))
    return certificates.connected("ends.test"), certificates.accepted()


def shake_hands(client: TlsSession, server: TlsSession, step: int = 1 << 20) -> None:
    """Until both are established; octets go in pieces of ``step``."""
    client.begin()
    for _ in range(4):
        for source, sink in ((client, server), (server, client)):
            octets = source.take_output()
            for at in range(0, len(octets), step):
                assert sink.receive(octets[at : at + step]) == b""
    assert client.established
    assert server.established


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_octets_go_both_ways(ends: tuple[TlsSession, TlsSession], step: int) -> None:
    client, server = ends
    shake_hands(client, server, step)
    assert server.version == "TLSv1.3"
    for source, sink in (ends, ends[::-1]):
        source.send(b"x" * 100_000)
        octets = source.take_output()
        assert b"x" * 16 not in octets
        received = b"".join(sink.receive(octets[at : at + 999]) for at in range(0, len(octets), 999))
        assert received == b"x" * 100_000


def test_what_comes_with_the_end_of_the_handshake_is_read(ends: tuple[TlsSession, TlsSession]) -> None:
    client, server = ends
    client.begin()
    assert server.receive(client.take_output()) == b""
    assert client.receive(server.take_output()) == b""
    assert client.established
    assert not server.established
    client.send(b"GET / HTTP/1.1\r\n")
    assert server.receive(client.take_output()) == b"GET / HTTP/1.1\r\n"


def test_the_end_is_told(ends: tuple[TlsSession, TlsSession]) -> None:
    client, server = ends
    shake_hands(client, server)
    client.send(b"last")
    client.end()
    assert server.receive(client.take_output()) == b"last"
    assert server.ended
    assert not client.ended


@pytest.mark.parametrize("plain", [b"OPTIONS sip:a SIP/2.0\r\n", b"GET / HTTP/1.1\r\n", b"21#id1|ping"])
def test_what_is_no_tls_is_named(ends: tuple[TlsSession, TlsSession], plain: bytes) -> None:
    shown = plain[:16].decode()
    with pytest.raises(TlsError) as raised:
        ends[1].receive(plain)
    assert str(raised.value) == f"expected a TLS handshake, got {shown!a}"


def test_half_a_handshake_that_is_wrong(ends: tuple[TlsSession, TlsSession]) -> None:
    client, server = ends
    client.begin()
    hello = bytearray(client.take_output())
    hello[6:40] = b"\xff" * 34
    with pytest.raises(TlsError, match=r"^the TLS handshake failed: "):
        server.receive(bytes(hello))
    assert server.take_output()[:1] == b"\x15", "an alert"


def test_records_that_were_changed_end_the_session(ends: tuple[TlsSession, TlsSession]) -> None:
    client, server = ends
    shake_hands(client, server)
    client.send(b"money")
    octets = bytearray(client.take_output())
    octets[-1] ^= 1
    with pytest.raises(TlsError, match=r"^TLS failed: .*mac"):
        server.receive(bytes(octets))


def test_a_client_without_a_certificate_where_one_is_demanded(authority: Authority) -> None:
    certificate, key = authority.signed("demanding.test")
    certificates = Certificates(
        TlsConfiguration(
            cert_file=str(certificate), key_file=str(key), chain_file=str(authority.root), verify_client=True
        )
    )
    shake_hands(certificates.connected(None), certificates.accepted())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    nameless, server = TlsSession(context, server_side=False), certificates.accepted()
    nameless.begin()
    server.receive(nameless.take_output())
    nameless.receive(server.take_output())
    with pytest.raises(TlsError, match="peer did not return a certificate"):
        server.receive(nameless.take_output())


@pytest.fixture(scope="module")
def kept(authority: Authority) -> Certificates:
    """Made once for all examples."""
    certificate, key = authority.signed("kept.test")
    return Certificates(TlsConfiguration(cert_file=str(certificate), key_file=str(key)))


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=12), st.binary(max_size=60))
def test_whatever_comes_nothing_is_raised_but_tls_errors(
    kept: Certificates, changes: list[tuple[int, int]], tail: bytes
) -> None:
    client, server = kept.connected(None), kept.accepted()
    client.begin()
    hello = bytearray(client.take_output())
    for at, octet in changes:
        hello[at % len(hello)] = octet
    with suppress(TlsError):
        server.receive(bytes(hello) + tail)
        server.receive(tail)
    server.take_output()
