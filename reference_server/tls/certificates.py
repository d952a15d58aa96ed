"""Keys, certificates and what else TLS is configured with, as the contexts that sessions are made of.

There may be several certificates, each with its key. A client that says which name it wants (SNI) gets the first one
that has this name, by itself or by a wildcard, every other client the first of all.

What is wrong with a file is said before anything listens: which file, which setting, what was expected. The files are
read again on demand; sessions that exist go on, new ones have the new certificate, and with wrong files everything
stays as it was.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence

from msgspec import Struct

from reference_server.config.model import TlsConfiguration
from reference_server.tls.session import TlsError, TlsSession


class CertificateError(Exception):
    """Something is wrong with a file or a setting; the text says which, and what was expected."""


class _Pair(Struct, frozen=True):
    """A certificate and its key."""

    certificate: str
    key: str
    setting: str
    """which of the settings names the certificate"""


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
    """The context of the first certificate, which hands over to those of the others."""
    pairs = _pairs(configuration)
    for setting, path in (
        *(("key-file", pair.key) for pair in pairs),
        *((pair.setting, pair.certificate) for pair in pairs),
        ("chain-file", configuration.chain_file),
        ("dh-param", configuration.dh_param),
    ):
        if path:
            _readable(setting, path)
    contexts = [_context(pair, configuration) for pair in pairs]
    names = [_try(context, pair) for context, pair in zip(contexts, pairs, strict=True)]
    first, known = contexts[0], tuple(zip(names, contexts, strict=True))

    def chosen(session: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        session.context = next((one for names, one in known if name and covered(name, names)), first)

    if len(contexts) > 1:
        first.sni_callback = chosen
    return first


def covered(name: str, by: Sequence[str]) -> bool:
    """Whether one of a certificate's names is ``name`` or a wildcard for its first label (:rfc:`6125#section-6.4`)."""
    wanted = name.lower().rstrip(".")
    wildcard = f"*.{wanted.partition('.')[2]}"
    return any(one.lower() in (wanted, wildcard) for one in by)


def _context(pair: _Pair, configuration: TlsConfiguration) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context, configuration)
    try:
        context.load_cert_chain(pair.certificate, pair.key, password=_no_password)
    except (ssl.SSLError, _PasswordNeeded) as error:
        raise CertificateError(_wrong_pair(pair, error)) from None
    if configuration.chain_file:
        try:
            context.load_verify_locations(configuration.chain_file)
        except ssl.SSLError:
            raise CertificateError(
                f"tls chain-file {configuration.chain_file}: expected certificates in PEM form"
            ) from None
    if configuration.dh_param:
        _load_dh_parameters(context, configuration.dh_param)
    if configuration.verify_client:
        context.verify_mode = ssl.CERT_REQUIRED
        if not configuration.chain_file:
            context.load_verify_locations(pair.certificate)
    return context


def _for_connections(configuration: TlsConfiguration) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # as the genuine server, which verifies nobody that it connects to
    context.verify_mode = ssl.CERT_NONE
    _restrict(context, configuration)
    first = _pairs(configuration)[0]
    context.load_cert_chain(first.certificate, first.key)
    return context


def _pairs(configuration: TlsConfiguration) -> list[_Pair]:
    """Each certificate with its key. Raises CertificateError."""
    setting = "cert-file" if configuration.cert_file else "chain-file"
    certificates = _listed(configuration.cert_file) or [configuration.chain_file]
    keys = _listed(configuration.key_file)
    if not keys or not certificates[0]:
        raise CertificateError("expected <tls> with a key-file and a cert-file or chain-file")
    if len(keys) != len(certificates):
        raise CertificateError(
            f"tls key-file: expected as many keys as certificates, {len(certificates)}, got {len(keys)}"
        )
    return [_Pair(*pair, setting) for pair in zip(certificates, keys, strict=True)]


def _listed(paths: str) -> list[str]:
    return [path.strip() for path in paths.split(",") if path.strip()]


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


def _wrong_pair(pair: _Pair, error: Exception) -> str:
    """Which of the two files it is: OpenSSL does not say."""
    reason = str(getattr(error, "reason", ""))
    where = f"tls {pair.setting} {pair.certificate}"
    if reason == "KEY_VALUES_MISMATCH":
        return (
            f"tls key-file {pair.key}: expected the key of the certificate in {pair.certificate}, got another"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(pair.certificate)
    except ssl.SSLError:
        return f"{where}: expected a certificate in PEM form"
    if reason.endswith("TOO_SMALL"):
        return f"{where}: the key of the certificate is too small"
    return f"tls key-file {pair.key}: expected a private key in PEM form, without a password"


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


def _try(context: ssl.SSLContext, pair: _Pair) -> tuple[str, ...]:
    """Shake hands with ourselves, trusting the certificate as it stands: what is left is whether it holds today.

    Returns the names in it.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(pair.certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_cert_chain(pair.certificate, pair.key)
    verify_mode, context.verify_mode = context.verify_mode, ssl.CERT_NONE
    theirs, ours = TlsSession(client, server_side=False), TlsSession(context, server_side=True)
    try:
        theirs.begin()
        for _ in range(4):
            ours.receive(theirs.take_output())
            theirs.receive(ours.take_output())
            if theirs.established:
                break
    except TlsError as error:
        raise CertificateError(f"tls {pair.setting} {pair.certificate}: {error}") from None
    finally:
        context.verify_mode = verify_mode
    return theirs.peer_names
