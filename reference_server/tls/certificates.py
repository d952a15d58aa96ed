"""Keys, certificates and what else TLS is configured with, as the contexts that sessions are made of.

What is wrong with a file is said before anything listens: which file, which setting, what was expected. The files are
read again on demand; sessions that exist go on, new ones have the new certificate, and with wrong files everything
stays as it was.
"""

from __future__ import annotations

import os
import ssl

from reference_server.config.model import TlsConfiguration
from reference_server.tls.session import TlsError, TlsSession


class CertificateError(Exception):
    """Something is wrong with a file or a setting; the text says which, and what was expected."""


class Certificates:
    """The contexts of one server: for the end that accepts, for the end that connects."""

    def __init__(self, configuration: TlsConfiguration) -> None:
        """Raises CertificateError."""
        self._accepting = _accepting(configuration)
        self._connecting = _for_connections(configuration)

    def accepted(self) -> TlsSession:
        """The session of a connection that somebody made to us."""
        return TlsSession(self._accepting, server_side=True)

    def connected(self, peer_name: str | None) -> TlsSession:
        """The session of a connection that we make; ``peer_name`` if we know one, and no mere address."""
        try:
            return TlsSession(self._connecting, server_side=False, peer_name=peer_name)
        except ValueError:  # what the DNS knows need not be a name that TLS can carry
            return TlsSession(self._connecting, server_side=False)

    def reload(self, configuration: TlsConfiguration) -> None:
        """Read all files anew, for new sessions. Raises CertificateError, and changes nothing then."""
        accepting = _accepting(configuration)
        self._connecting = _for_connections(configuration)
        self._accepting = accepting


def _accepting(configuration: TlsConfiguration) -> ssl.SSLContext:
    for setting, path in (
        ("key-file", configuration.key_file),
        ("cert-file", configuration.cert_file),
        ("chain-file", configuration.chain_file),
        ("dh-param", configuration.dh_param),
    ):
        if path:
            _readable(setting, path)
    if not configuration.key_file or not (configuration.cert_file or configuration.chain_file):
        raise CertificateError("expected <tls> with a key-file and a cert-file or chain-file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context, configuration)
    certificate, key = _pair(configuration)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, _PasswordNeeded) as error:
        raise CertificateError(_wrong_pair(configuration, error)) from None
    if configuration.chain_file:
        try:
            context.load_verify_locations(configuration.chain_file)
        except ssl.SSLError:
            raise CertificateError(
                f"tls chain-file {configuration.chain_file}: expected certificates in PEM form"
            ) from None
    if configuration.dh_param:
        _load_dh_parameters(context, configuration.dh_param)
    _try(context, certificate, configuration)
    if configuration.verify_client:
        context.verify_mode = ssl.CERT_REQUIRED
        if not configuration.chain_file:
            context.load_verify_locations(certificate)
    return context


def _for_connections(configuration: TlsConfiguration) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # as the genuine server, which verifies nobody that it connects to
    context.verify_mode = ssl.CERT_NONE
    _restrict(context, configuration)
    context.load_cert_chain(*_pair(configuration))
    return context


def _pair(configuration: TlsConfiguration) -> tuple[str, str]:
    return configuration.cert_file or configuration.chain_file, configuration.key_file


class _PasswordNeeded(Exception):
    """For a key; nobody is there to type one."""


def _no_password() -> str:
    raise _PasswordNeeded


def _readable(setting: str, path: str) -> None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except (OSError, ValueError) as reason:
        text = os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else str(reason)
        raise CertificateError(f"tls {setting} {path}: {text}") from None


def _wrong_pair(configuration: TlsConfiguration, error: Exception) -> str:
    """Which of the two files it is: OpenSSL does not say."""
    reason = str(getattr(error, "reason", ""))
    certificate, key = _pair(configuration)
    setting = "cert-file" if configuration.cert_file else "chain-file"
    if reason == "KEY_VALUES_MISMATCH":
        return f"tls key-file {key}: expected the key of the certificate in {certificate}, got another"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return f"tls {setting} {certificate}: expected a certificate in PEM form"
    if reason.endswith("TOO_SMALL"):
        return f"tls {setting} {certificate}: the key of the certificate is too small"
    return f"tls key-file {key}: expected a private key in PEM form, without a password"


def _restrict(context: ssl.SSLContext, configuration: TlsConfiguration) -> None:
    """Versions and ciphers. TLS below 1.2 is spoken by nobody any more: OpenSSL 3 refuses it, whatever is set here."""
    context.minimum_version = (
        ssl.TLSVersion.TLSv1_3 if configuration.min_version == "1.3" else ssl.TLSVersion.TLSv1_2
    )
    if configuration.ciphers:
        try:
            context.set_ciphers(configuration.ciphers)
        except ssl.SSLError:
            raise CertificateError(
                f"tls-cipherlist: expected ciphers of TLS 1.2 as OpenSSL names them, got {configuration.ciphers!r}"
            ) from None


def _load_dh_parameters(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_dh_params(path)
    except ssl.SSLError as error:
        small = "too small" in str(error).lower().replace("_", " ")
        came = ", got fewer" if small else ""
        raise CertificateError(
            f"tls dh-param {path}: expected Diffie-Hellman parameters of 2048 bits or more in PEM form{came}"
        ) from None


def _try(context: ssl.SSLContext, certificate: str, configuration: TlsConfiguration) -> None:
    """Shake hands with ourselves, trusting the certificate as it stands: what is left is whether it holds today."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_cert_chain(certificate, configuration.key_file)
    theirs, ours = TlsSession(client, server_side=False), TlsSession(context, server_side=True)
    setting = "cert-file" if configuration.cert_file else "chain-file"
    try:
        theirs.begin()
        for _ in range(4):
            ours.receive(theirs.take_output())
            theirs.receive(ours.take_output())
            if theirs.established:
                return
    except TlsError as error:
        raise CertificateError(f"tls {setting} {certificate}: {error}") from None
