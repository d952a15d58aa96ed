"""Who may not come in, as the administrator has configured it, and which requests the server answers by itself.

A request of a *spammer* has in a header a text by which such programs are known. It is declined, or discarded in
silence; which, depends on whether it came by UDP or over a connection. A *blacklisted* address is not heard at all.
Both are looked at before a transaction begins, so that who is discarded leaves no trace.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from msgspec import Struct

from reference_server.sip.messages.message import Request, SipMessage
from reference_server.sip.messages.uri import UriError, parse_uri

_IPV4 = re.compile(r"(\d{1,3}\.){3}\d{1,3}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}:", re.IGNORECASE)
"""Of an address, however that is written: spammers are not known for sound headers."""
_ADDRESSES: Final = frozenset({"to", "from", "contact"})
"""Headers of which only the user part is compared: the rest is the server's own, or says nothing."""


class SpamAction(Enum):
    """What becomes of a spammer's request."""

    REJECT = "reject"
    """603 Decline"""
    DISCARD = "discard"
    """nothing, not even a word"""


class SpamRule(Struct, frozen=True):
    """One header, and the texts in it by which spammers are known; letter case counts in these."""

    header: str
    """in lower case"""
    texts: tuple[str, ...]


class Screening(Struct, frozen=True, kw_only=True):
    """All that is configured of it. Without anything everybody may come in."""

    spam: tuple[SpamRule, ...] = ()
    action: SpamAction = SpamAction.REJECT
    """by UDP"""
    action_on_connections: SpamAction = SpamAction.REJECT
    reject_register_without_realm: bool = False
    """403 to a REGISTER whose domain is an IPv4 address"""
    answered_user_agent: str = ""
    """the User-Agent whose OPTIONS get 200 without an application; empty for none"""
    always_ringing: bool = False
    """180 to every INVITE for which there is an application, before it says anything"""

    def sign_of_spam(self, message: SipMessage) -> str:
        """The header value by which a spammer's message is known, or an empty text."""
        for rule in self.spam:
            for value in message.all(rule.header):
                compared = _users_of(value) if rule.header in _ADDRESSES else value
                if any(text in compared for text in rule.texts):
                    return value
        return ""

    def lacks_realm(self, request: Request) -> bool:
        """Whether ``request`` is a REGISTER at a bare address, where such are refused."""
        if not self.reject_register_without_realm or request.method != "REGISTER":
            return False
        try:
            return _IPV4.fullmatch(parse_uri(request.uri).host) is not None
        except UriError:
            return False

    def answers_itself(self, request: Request) -> bool:
        """Whether ``request`` is the OPTIONS of a monitor that only wants to know whether the server is there."""
        asker = self.answered_user_agent
        return bool(asker) and request.method == "OPTIONS" and request.get("user-agent") == asker


def _users_of(value: str) -> str:
    """The user parts of the addresses in ``value``, one a line."""
    users: list[str] = []
    for before in value.split("@")[:-1]:
        begins = 1 + max(before.rfind(delimiter) for delimiter in "<>;")
        scheme = _SCHEME.search(before, begins)
        if scheme is not None:
            users.append(before[scheme.end() :])
    return "\n".join(users)
