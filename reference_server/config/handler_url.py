"""The URL of a request handler: a callback (``http``, ``https``), or a listening application (``tcp``, ``tls``)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from reference_server.config.values import Kind, WrongValue

EXPECTED = "http://HOST[:PORT][/PATH], https://…, tcp://HOST[:PORT] or tls://HOST[:PORT]"

_NOT_IN_URLS = re.compile(r"[^\x21-\x7e]|[<>\"\\^`{}|]")
_LISTENING = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?(?:;[^/]*)?/?"
)


def parse_handler_url(text: str) -> str:
    """The URL, its scheme in lower case. Raises WrongValue, in which no part of it is shown: it may hold a password."""
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme in ("tcp", "tls"):
        listening = _LISTENING.fullmatch(rest)
        if listening is None or not _reachable(listening["name"] or "", listening["port"]):
            raise WrongValue(
                f"expected a host and a port behind {scheme}://, such as {scheme}://10.1.2.3:4000,"
                " or a name that has SRV records"
            )
    elif scheme in ("http", "https"):
        if _NOT_IN_URLS.search(text) is not None:
            raise WrongValue("expected a URL of printable ASCII characters without blanks")
        if "#" in rest:
            raise WrongValue("expected a URL without a fragment ('#')")
        try:
            parts = urlsplit(text)
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise WrongValue(f"expected a host, perhaps with a port, behind {scheme}://")
    else:
        raise WrongValue(f"expected {EXPECTED}")
    return f"{scheme}://{rest}"


def _reachable(name: str, port: str | None) -> bool:
    """With a port, or a name that is no address."""
    return 0 < int(port) <= 65535 if port else name.strip("0123456789.") != ""


HANDLER_URL: Kind[str] = Kind("URL", EXPECTED, parse_handler_url)
