"""Keys and certificates: what is wrong is named before anything listens; read again, they hold for new sessions."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from reference_server.config.model import TlsConfiguration
from reference_server.tls.certificates import CertificateError, Certificates, covered
from reference_server.tls.session import TlsError, TlsSession
from tests.tls.openssl import Authority, dh_parameters, openssl
from tests.tls.test_session import shake_hands


@pytest.fixture
def good(authority: Authority) -> TlsConfiguration:
    """What nothing is wrong with."""
    certificate, key = authority.signed("good.test")
    return TlsConfiguration(cert_file=str(certificate), key_file=str(key))


def refusal(configuration: TlsConfiguration) -> str:
    with pytest.raises(CertificateError) as raised:
        Certificates(configuration)
    return str(raised.value)


def test_a_certificate_and_a_chain_are_sent_together(authority: Authority, good: TlsConfiguration) -> None:
    certificates = Certificates(structs.replace(good, chain_file=str(authority.root)))
    context = ssl.create_default_context(cafile=str(authority.root))
    client = TlsSession(context, server_side=False, peer_name="good.test")
    shake_hands(client, certificates.accepted())


def test_a_chain_file_may_hold_the_certificate_itself(
    authority: Authority, good: TlsConfiguration, tmp_path: Path
) -> None:
    chain = tmp_path / "fullchain.pem"
    chain.write_text(Path(good.cert_file).read_text() + authority.root.read_text())
    Certificates(TlsConfiguration(chain_file=str(chain), key_file=good.key_file))


@pytest.mark.parametrize("missing", ["key_file", "cert_file"])
def test_something_is_not_given(good: TlsConfiguration, missing: str) -> None:
    expected = "expected <tls> with a key-file and a cert-file or chain-file"
    assert refusal(structs.replace(good, **{missing: ""})) == expected


@pytest.mark.parametrize(
    ("field", "setting"),
    [
        ("key_file", "key-file"),
        ("cert_file", "cert-file"),
        ("chain_file", "chain-file"),
        ("dh_param", "dh-param"),
    ],
)
def test_a_file_that_is_not_there(good: TlsConfiguration, field: str, setting: str) -> None:
    assert (
        refusal(structs.replace(good, **{field: "/none"}))
        == f"tls {setting} /none: No such file or directory"
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("key_file", "tls key-file FILE: expected a private key in PEM form, without a password"),
        ("cert_file", "tls cert-file FILE: expected a certificate in PEM form"),
        ("chain_file", "tls chain-file FILE: expected certificates in PEM form"),
        (
            "dh_param",
            "tls dh-param FILE: expected Diffie-Hellman parameters of 2048 bits or more in PEM form",
        ),
    ],
)
@pytest.mark.parametrize("content", ["", "garbage\n"])
def test_a_file_of_something_else(
    good: TlsConfiguration, tmp_path: Path, field: str, text: str, content: str
) -> None:
    file = tmp_path / "file.pem"
    file.write_text(content)
    assert refusal(structs.replace(good, **{field: str(file)})) == text.replace("FILE", str(file))


def test_a_key_of_another_certificate(authority: Authority, good: TlsConfiguration) -> None:
    _, other = authority.signed("other.test")
    assert refusal(structs.replace(good, key_file=str(other))) == (
        f"tls key-file {other}: expected the key of the certificate in {good.cert_file}, got another"
    )


def test_a_key_with_a_password(good: TlsConfiguration, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    openssl("pkey", "-in", good.key_file, "-aes128", "-passout", "pass:secret", "-out", locked)
    text = f"tls key-file {locked}: expected a private key in PEM form, without a password"
    assert refusal(structs.replace(good, key_file=str(locked))) == text


def test_a_certificate_that_has_expired(authority: Authority) -> None:
    certificate, key = authority.signed("old.test", days=-1)
    assert refusal(TlsConfiguration(cert_file=str(certificate), key_file=str(key))) == (
        f"tls cert-file {certificate}: the TLS handshake failed: certificate has expired"
    )


def test_dh_parameters(good: TlsConfiguration, tmp_path: Path) -> None:
    Certificates(structs.replace(good, dh_param=str(dh_parameters(tmp_path / "dh.pem", 2048))))
    small = dh_parameters(tmp_path / "small.pem", 1024)
    assert refusal(structs.replace(good, dh_param=str(small))) == (
        f"tls dh-param {small}: expected Diffie-Hellman parameters of 2048 bits or more in PEM form, got fewer"
    )


@pytest.mark.parametrize(("lowest", "serves_1_2"), [("1.0", True), ("1.2", True), ("1.3", False)])
def test_the_lowest_version(good: TlsConfiguration, lowest: str, serves_1_2: bool) -> None:
    server = Certificates(structs.replace(good, min_version=lowest)).accepted()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = TlsSession(context, server_side=False)
    if serves_1_2:
        shake_hands(client, server)
        assert server.version == "TLSv1.2"
    else:
        client.begin()
        with pytest.raises(TlsError, match="unsupported protocol"):
            server.receive(client.take_output())


def test_ciphers(good: TlsConfiguration) -> None:
    chosen = structs.replace(good, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    server = Certificates(chosen).accepted()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    client = TlsSession(context, server_side=False)
    client.begin()
    with pytest.raises(TlsError, match="no shared cipher"):
        server.receive(client.take_output())
    assert refusal(structs.replace(good, ciphers="NONE-SUCH")) == (
        "tls-cipherlist: expected ciphers of TLS 1.2 as OpenSSL names them, got 'NONE-SUCH'"
    )


def test_files_read_again_hold_for_new_sessions(authority: Authority, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def put(name: str) -> None:
        for source, target in zip(authority.signed(name), (certificate, key), strict=True):
            target.write_bytes(source.read_bytes())

    def reach(name: str) -> TlsSession:
        context = ssl.create_default_context(cafile=str(authority.root))
        client = TlsSession(context, server_side=False, peer_name=name)
        shake_hands(client, certificates.accepted())
        return client

    put("first.test")
    files = TlsConfiguration(cert_file=str(certificate), key_file=str(key))
    certificates = Certificates(files)
    reach("first.test")
    put("second.test")
    certificates.reload(files)
    reach("second.test")
    certificate.write_text("garbage")
    with pytest.raises(CertificateError, match="expected a certificate in PEM form"):
        certificates.reload(files)
    reach("second.test")


def test_nothing_but_openssl_is_loaded() -> None:
    code = "import sys, reference_server.tls.certificates; print('asyncio' in sys.modules, 'websockets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


@pytest.mark.parametrize("name", ["x" * 70 + ".test", ".test", "a..test", "", None, "_sip.test"])
def test_a_name_that_tls_cannot_carry_is_not_sent(good: TlsConfiguration, name: str | None) -> None:
    certificates = Certificates(good)
    shake_hands(certificates.connected(name), certificates.accepted())


def shown(authority: Authority, certificates: Certificates, name: str) -> str:
    """The name in the certificate that a client gets which asks for ``name``."""
    context = ssl.create_default_context(cafile=str(authority.root))
    context.check_hostname = False
    client = TlsSession(context, server_side=False, peer_name=name or None)
    shake_hands(client, certificates.accepted())
    return client.peer_names[0]


def several(*pairs: tuple[Path, Path]) -> TlsConfiguration:
    """The settings of these certificates and keys."""
    certificates, keys = zip(*pairs, strict=True)
    return TlsConfiguration(cert_file=", ".join(map(str, certificates)), key_file=",".join(map(str, keys)))


def test_of_several_certificates_the_one_with_the_name_is_shown(authority: Authority) -> None:
    names = ("first.test", "sip.several.test", "*.several.test")
    certificates = Certificates(several(*map(authority.signed, names)))
    for asked, got in (
        ("first.test", "first.test"),
        ("SIP.Several.Test", "sip.several.test"),
        ("ws.several.test", "*.several.test"),
        ("a.b.several.test", "first.test"),
        ("several.test", "first.test"),
        ("stranger.test", "first.test"),
        ("", "first.test"),
    ):
        assert shown(authority, certificates, asked) == got, asked


def test_several_certificates_are_read_again_together(authority: Authority) -> None:
    first, second = authority.signed("first.test"), authority.signed("*.second.test")
    certificates = Certificates(several(first, second))
    going_on = certificates.accepted()
    certificates.reload(several(authority.signed("*.first.test"), first))
    assert shown(authority, certificates, "a.second.test") == "*.first.test"
    assert shown(authority, certificates, "first.test") == "first.test"
    context = ssl.create_default_context(cafile=str(authority.root))
    context.check_hostname = False
    shake_hands(TlsSession(context, server_side=False, peer_name="a.second.test"), going_on)
    wrong = structs.replace(several(first, second), key_file=f"{first[1]},{first[1]}")
    with pytest.raises(
        CertificateError, match=rf"tls key-file {first[1]}: expected the key of the certificate"
    ):
        certificates.reload(wrong)
    assert shown(authority, certificates, "a.second.test") == "*.first.test", "nothing has changed"


def test_each_certificate_needs_its_key(authority: Authority) -> None:
    first, second = authority.signed("first.test"), authority.signed("*.second.test")
    configuration = structs.replace(several(first, second), key_file=str(first[1]))
    assert refusal(configuration) == "tls key-file: expected as many keys as certificates, 2, got 1"


@pytest.mark.parametrize(
    ("name", "by", "yes"),
    [
        ("a.test", "a.test", True),
        ("A.test.", "a.TEST", True),
        ("x.a.test", "*.a.test", True),
        ("a.test", "*.a.test", False),
        ("y.x.a.test", "*.a.test", False),
        ("x.a.test", "x*.a.test", False),
    ],
)
def test_which_names_a_certificate_covers(name: str, by: str, yes: bool) -> None:
    assert covered(name, [by]) is yes
