"""Who asked a caller for credentials: its next request, with them, must go to the same place (PROXY-19)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from reference_server.core.proxy.core import ProxyCore
from reference_server.sip.messages.message import Request, Response, SipMessage
from reference_server.sip.target_set import Target

MEMORY_SECONDS = 2.0
"""How long a challenge is remembered. A caller that first asks a person comes later, and is treated as any."""

_PARAMETER = re.compile(r'\b(realm|nonce)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)


def remember_challenger(proxy: ProxyCore, target: Target, response: Response) -> None:
    """``response``, a 401 or 407, came from ``target``."""
    challengers = proxy.challengers
    for key in _keys(response, "www-authenticate", "proxy-authenticate"):
        challengers[key] = target
        proxy.context.timers.start(MEMORY_SECONDS, partial(_forget, proxy, key, target))


def _forget(proxy: ProxyCore, key: str, target: Target) -> None:
    if proxy.challengers.get(key) is target:
        del proxy.challengers[key]


def challenger_of(proxy: ProxyCore, request: Request) -> Target | None:
    """The target whose challenge the credentials in ``request`` answer, if it was a moment ago."""
    challengers = proxy.challengers
    if not challengers:
        return None
    for key in _keys(request, "authorization", "proxy-authorization"):
        if key in challengers:
            return challengers[key]
    return None


def _keys(message: SipMessage, *names: str) -> Iterator[str]:
    """Realm and nonce of each value of the fields ``names``; without a nonce nobody could tell whose it was."""
    for name in names:
        for value in message.all(name):
            found = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(value)}
            if found.get("nonce"):
                yield f"{found.get('realm', '')}\n{found['nonce']}"
