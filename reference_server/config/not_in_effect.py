"""Settings of the genuine server that are known and checked, but have no effect in this release.

Each that is given is named in one warning that says what is not done (``without``), so that nobody relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reference_server.config import values
from reference_server.config.setting import Effect, Setting

_LATER = Effect.NOT_YET

_NO_SPAM = "spam is not filtered"
_AS_GENUINE = "the genuine server does not heed it either"


def _blacklist() -> Iterator[Setting[object]]:
    """The seven settings of the Redis blacklist, named alike in the three sources."""
    for name, argument, kind, default in (
        ("redis-address", "HOST", values.TEXT, ""),
        ("redis-port", "N", values.PORT_NOT_ZERO, "6379"),
        ("redis-key", "KEY", values.TEXT, ""),
        ("redis-sentinels", "LIST", values.TEXT, ""),
        ("redis-master", "NAME", values.TEXT, ""),
        ("redis-password", "TEXT", values.TEXT, ""),
        ("refresh-secs", "SECONDS", values.UNSIGNED, "3600"),
    ):
        yield Setting(
            kind=kind,
            meaning=f"addresses to ignore, read from Redis: {name}",
            default=default,
            path=f"sip/blacklist/{name}",
            option=f"blacklist-{name}",
            argument=argument,
            variable=f"BLACKLIST_{name.upper().replace('-', '_')}",
            secret=name == "redis-password",
            without="no address is ignored",
            effect=_LATER,
        )


NOT_IN_EFFECT: tuple[Setting[object], ...] = (
    Setting(
        kind=values.YES_NO,
        meaning="of the genuine server, which does not heed it",
        default="false",
        without=_AS_GENUINE,
        path="admin@tls",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.SWITCH,
        meaning="answer 403 to a REGISTER whose domain is an IPv4 address",
        default="no",
        path="sip/reject-register-with-no-realm",
        option="reject-register-with-no-realm",
        variable="REJECT_REGISTER_WITH_NO_REALM",
        without="such a REGISTER goes to applications like any other",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="User-Agent whose OPTIONS are answered without an application",
        path="sip/user-agent-options-auto-respond",
        option="user-agent-options-auto-respond",
        argument="TEXT",
        variable="USER_AGENT_OPTIONS_AUTO_RESPOND",
        without="OPTIONS goes to applications whoever asks",
        effect=_LATER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="answer 180 to every INVITE at once",
        option="always-send-180",
        without="180 is sent only when an application says so",
        effect=_LATER,
    ),
    *_blacklist(),
    Setting(
        kind=values.TEXT,
        meaning="what happens to spammers (the genuine server always answers 603)",
        default="discard",
        path="sip/spammers@action",
        without=_NO_SPAM,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="the same for TCP",
        default="discard",
        path="sip/spammers@tcp-action",
        without=_NO_SPAM,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="header in which spammers are recognised: User-Agent, To or From",
        path="sip/spammers/header@name",
        without=_NO_SPAM,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="text in that header by which they are recognised",
        path="sip/spammers/header/*",
        without=_NO_SPAM,
        effect=_LATER,
    ),
    Setting(
        kind=values.UNSIGNED,
        meaning="of the genuine server, which does not heed it",
        default="0",
        without=_AS_GENUINE,
        path="sip/udp-mtu",
        option="mtu",
        letter="D",
        argument="BYTES",
        variable="UDP_MTU",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.UNSIGNED,
        meaning="buffers of UDP sockets, in bytes (genuine server 0.9.8)",
        default="4194304",
        path="sip/udp-buffer-size",
        without="the system's own sizes stay",
        effect=_LATER,
    ),
    Setting(
        kind=values.REFRESHER,
        meaning="who refreshes when a caller's Session-Expires leaves it open: none, uac or uas (genuine server 0.9.7)",
        default="none",
        path="sip/session-timers@default-refresher",
        without="a Session-Expires without refresher begins no session timer, as with none",
        effect=_LATER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="memory debugging of the genuine server",
        option="memory-debug",
        variable="MEMORY_DEBUG",
        without="memory is managed by Python",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="run in the background",
        option="daemon",
        without="the server stays in the foreground",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="user to run as in the background",
        option="user",
        letter="u",
        argument="NAME",
        without="the server runs as whoever starts it",
        effect=_LATER,
    ),
)

# Tested by tests/config/test_table.py.
