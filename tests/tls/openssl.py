"""Keys and certificates of the tests' own, made by the openssl command."""

from __future__ import annotations

import subprocess
from pathlib import Path


def openssl(*arguments: str | Path, text: str = "") -> None:
    """Run ``openssl``; what it says is shown if it fails."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


_ROOT = """\
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = Tests
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
"""
"""what Python 3.13 wants of a root (``ssl.VERIFY_X509_STRICT``, RFC 5280 §4.2.1)"""


class Authority:
    """A root, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root.pem"
        self._key = folder / "root-key.pem"
        new_key(self._key)
        request = folder / "root.cnf"
        request.write_text(_ROOT)
        openssl(
            "req", "-x509", "-new", "-key", self._key, "-days", "10", "-config", request, "-out", self.root
        )

    def signed(self, name: str, *, days: int = 10) -> tuple[Path, Path]:
        """Certificate and key of a server at 127.0.0.1 called ``name``; with no ``days`` it has expired."""
        key, request, certificate = (
            self.folder / f"{name}-{part}.pem" for part in ("key", "request", "cert")
        )
        new_key(key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        extensions = self.folder / f"{name}.cnf"
        extensions.write_text(
            f"subjectAltName=DNS:{name},IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"
            "authorityKeyIdentifier=keyid\n"
        )
        signing: list[str | Path] = [
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.root,
            "-CAkey",
            self._key,
            "-CAcreateserial",
        ]
        openssl(*signing, "-days", str(days), "-extfile", extensions, "-out", certificate)
        return certificate, key


def new_key(path: Path) -> None:
    """An elliptic one, which takes no time."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def dh_parameters(path: Path, bits: int) -> Path:
    """Of 2048 bits those of RFC 3526's kind, which take no time; smaller ones are made."""
    if bits == 2048:
        openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_2048", "-out", path)
    else:
        openssl("dhparam", "-dsaparam", "-out", path, str(bits))
    return path
