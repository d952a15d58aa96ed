"""The settings of how much there may be of everything that strangers, callers and applications can make more of.

What happens above each stands in docs/configuration.md, in the table of limits.
"""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Setting

FAILED_AUTHENTICATIONS = Setting(
    kind=values.COUNT_OR_ZERO,
    meaning="attempts of one address to authenticate that may fail before its further ones wait",
    default="5",
    option="failed-authentications",
    argument="N",
    own=True,
)
WAITING_AUTHENTICATIONS = Setting(
    kind=values.COUNT,
    meaning="attempts of one address that may wait at a time; one more is refused",
    default="16",
    option="waiting-authentications",
    argument="N",
    own=True,
)
UNAUTHENTICATED_CONNECTIONS = Setting(
    kind=values.COUNT,
    meaning="admin connections that may be open without having authenticated; one more, and one makes room",
    default="1000",
    option="unauthenticated-connections",
    argument="N",
    own=True,
)
UNAUTHENTICATED_CONNECTIONS_PER_ADDRESS = Setting(
    kind=values.COUNT_OR_ZERO,
    meaning="the same of one address (of IPv6 one /64); 0: as many as there may be",
    default="0",
    option="unauthenticated-connections-per-address",
    argument="N",
    own=True,
)
UNREAD_LIMIT = Setting(
    kind=values.OCTETS_OF_MANY,
    meaning="bytes that may wait for an application that does not read; more, and it is closed",
    default="67108864",
    option="unread-limit",
    argument="BYTES",
    own=True,
)
ROUTES_PER_APPLICATION = Setting(
    kind=values.COUNT,
    meaning="routes that one application may have; one more is answered NOK",
    default="1000",
    option="routes-per-application",
    argument="N",
    own=True,
)
TAGS_PER_APPLICATION = Setting(
    kind=values.COUNT,
    meaning="tags that one application may have; with more it is refused",
    default="1000",
    option="tags-per-application",
    argument="N",
    own=True,
)
REQUESTS_PER_APPLICATION = Setting(
    kind=values.COUNT,
    meaning="requests that may wait for the answer of one application; more, and others get them, or callers 503",
    default="10000",
    option="requests-per-application",
    argument="N",
    own=True,
)
DIALOGS = Setting(
    kind=values.COUNT,
    meaning="dialogs that may be open; with so many, requests that would begin another get 503",
    default="100000",
    option="dialogs",
    argument="N",
    own=True,
)
KEPT_FOR_PEERS = Setting(
    kind=values.OCTETS_OF_MANY,
    meaning="bytes that are kept for SIP peers: for one half of it, for known ones a quarter beyond it",
    default="134217728",
    option="kept-for-peers",
    argument="BYTES",
    own=True,
)
SIP_CONNECTIONS = Setting(
    kind=values.COUNT,
    meaning="SIP connections that may be open; one more, and one makes room",
    default="10000",
    option="sip-connections",
    argument="N",
    own=True,
)
SIP_CONNECTIONS_PER_ADDRESS = Setting(
    kind=values.COUNT_OR_ZERO,
    meaning="the same with one address (of IPv6 one /64); 0: as many as there may be",
    default="0",
    option="sip-connections-per-address",
    argument="N",
    own=True,
)
HEADER_LIMIT = Setting(
    kind=values.BUFFER,
    meaning="bytes that start line and headers of a SIP message on a connection may have",
    default="65536",
    option="header-limit",
    argument="BYTES",
    own=True,
)
BODY_LIMIT = Setting(
    kind=values.OCTETS_OF_MANY,
    meaning="bytes that its body may have",
    default="1048576",
    option="body-limit",
    argument="BYTES",
    own=True,
)
HANDSHAKE_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="seconds that a handshake of TLS, or of TLS and WebSocket, may take",
    default="10",
    option="handshake-timeout",
    argument="SECONDS",
    own=True,
)
INCOMPLETE_MESSAGE_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="a SIP connection whose message is still incomplete after so many seconds is closed",
    default="60",
    option="incomplete-message-timeout",
    argument="SECONDS",
    own=True,
)
SIP_UNREAD_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="a SIP connection whose peer reads nothing of what waits for it for so many seconds is closed",
    default="60",
    option="sip-unread-timeout",
    argument="SECONDS",
    own=True,
)
SIP_UNREAD_LIMIT = Setting(
    kind=values.OCTETS_OF_MANY,
    meaning="bytes that may wait for one SIP peer; more, and its connection is closed",
    default="8388608",
    option="sip-unread-limit",
    argument="BYTES",
    own=True,
)
LOOKUPS = Setting(
    kind=values.COUNT,
    meaning="names that may be looked up at a time; one more counts as not found",
    default="1000",
    option="lookups",
    argument="N",
    own=True,
)
CALLBACK_QUESTIONS = Setting(
    kind=values.COUNT,
    meaning="questions to callbacks that may be open; with so many, a further request gets 503",
    default="2000",
    option="callback-questions",
    argument="N",
    own=True,
)
CALLBACK_ANSWER_LIMIT = Setting(
    kind=values.OCTETS_OF_MANY,
    meaning="bytes that a callback may answer; more, and the caller hears 500",
    default="1048576",
    option="callback-answer-limit",
    argument="BYTES",
    own=True,
)
OUTBOUND_CONNECTIONS = Setting(
    kind=values.COUNT,
    meaning="connections to applications that the server may have made; more, and idle ones are closed",
    default="5000",
    option="outbound-connections",
    argument="N",
    own=True,
)
OUTBOUND_ATTEMPTS = Setting(
    kind=values.COUNT,
    meaning="connections to applications that may be being made; with so many, a further caller hears 480",
    default="2000",
    option="outbound-attempts",
    argument="N",
    own=True,
)

LIMITS: tuple[Setting[object], ...] = (
    FAILED_AUTHENTICATIONS,
    WAITING_AUTHENTICATIONS,
    UNAUTHENTICATED_CONNECTIONS,
    UNAUTHENTICATED_CONNECTIONS_PER_ADDRESS,
    UNREAD_LIMIT,
    ROUTES_PER_APPLICATION,
    TAGS_PER_APPLICATION,
    REQUESTS_PER_APPLICATION,
    DIALOGS,
    KEPT_FOR_PEERS,
    SIP_CONNECTIONS,
    SIP_CONNECTIONS_PER_ADDRESS,
    HEADER_LIMIT,
    BODY_LIMIT,
    HANDSHAKE_TIMEOUT,
    INCOMPLETE_MESSAGE_TIMEOUT,
    SIP_UNREAD_TIMEOUT,
    SIP_UNREAD_LIMIT,
    LOOKUPS,
    CALLBACK_QUESTIONS,
    CALLBACK_ANSWER_LIMIT,
    OUTBOUND_CONNECTIONS,
    OUTBOUND_ATTEMPTS,
)

# Tested by tests/config/test_limit_settings.py.
