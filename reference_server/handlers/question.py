"""What a callback is asked: the query arguments, and the URL that they make (HTTP-2, HTTP-3).

The genuine server appends ``/?`` to the URL that is configured, whatever it ends with; callbacks rely on the path that
this makes, so it stays. Only a URL with a query of its own, which that would break, is continued with ``&``.
"""

from __future__ import annotations

from typing import Final

from reference_server.core.ports import HandlerQuestion
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.uri import Uri, UriError, parse_address, parse_uri

_KEPT: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_ENCODED: Final = {number: f"%{number:02x}" for number in range(256) if chr(number) not in _KEPT}

_SENDS_NOTHING: Final = Uri("", "", "", None, {})


def arguments(question: HandlerQuestion) -> list[tuple[str, str]]:
    """Names and values in their order, none of them encoded; one character is one octet."""
    request, flow = question.request, question.flow
    uri = _uri_of(request)
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    return [
        ("method", request.method),
        ("domain", host),
        ("protocol", flow.transport.token),
        ("source_address", flow.remote_host),
        ("fromUser", _user_in(request.get("from"))),
        ("toUser", _user_in(request.get("to"))),
        ("uriUser", uri.user),
        ("contentType", request.get("content-type").partition(";")[0].strip(" \t")),
        ("uri", request.uri),
        *_uri_parameters(request.uri),
    ]


def url_for(base: str, question: HandlerQuestion) -> str:
    """The URL that is asked; ``base`` is the one that is configured."""
    query = "&".join([f"{encoded(name)}={encoded(value)}" for name, value in arguments(question)])
    return f"{base}&{query}" if "?" in base else f"{base}/?{query}"


def encoded(text: str) -> str:
    """Letters, digits and ``-_.~`` as they are, each other octet as ``%xx`` in lower case."""
    return text.translate(_ENCODED)


def _uri_of(request: Request) -> Uri:
    try:
        return parse_uri(request.uri)
    except UriError:
        return _SENDS_NOTHING


def _user_in(value: str) -> str:
    try:
        return parse_address(value).uri.user
    except UriError:
        return ""


def _uri_parameters(uri: str) -> list[tuple[str, str]]:
    """Each parameter of a Request-URI as it was written; only what has exactly one ``=`` has a value."""
    _, _, rest = uri.partition(":")
    _, at, after = rest.partition("@")
    _, *parameters = (after if at else rest).partition("?")[0].split(";")
    found: list[tuple[str, str]] = []
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        found.append((name, "" if "=" in value else value))
    return found
