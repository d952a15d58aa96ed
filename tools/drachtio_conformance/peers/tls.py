"""TLS as the suite speaks it: a certificate of its own, made at run time, and contexts that verify nobody.

The certificate is for 127.0.0.1 and ::1, signed by itself, and goes with the process. The ``openssl`` command makes it:
Python can read certificates only.
"""

from __future__ import annotations

import atexit
import shutil
import ssl
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from msgspec import Struct

_DAYS = "2"
_NAMES = "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost"


class NoCertificate(Exception):
    """None can be made here; the text says why."""


class Certificate(Struct, frozen=True):
    """Paths of a certificate and its key, in PEM form."""

    certificate: Path
    key: Path


def available() -> bool:
    """Whether there is what makes a certificate."""
    return shutil.which("openssl") is not None


@cache
def own_certificate() -> Certificate:
    """The suite's own, made when it is first asked for. Raises :class:`NoCertificate`."""
    if not available():
        raise NoCertificate("TLS needs the command openssl, by which the suite makes its certificate")
    folder = Path(tempfile.mkdtemp(prefix="drachtio-conformance-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    own = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [
        *("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-days", _DAYS, "-subj", "/CN=drachtio-conformance", "-addext", _NAMES),
        *("-keyout", str(own.key), "-out", str(own.certificate)),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoCertificate(f"openssl made no certificate: {done.stderr.strip()}")
    return own


def connecting() -> ssl.SSLContext:
    """For connections to a server: whoever it is, since test servers sign their certificates themselves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def listening() -> ssl.SSLContext:
    """For connections of a server. Raises :class:`NoCertificate`."""
    own = own_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    return context
