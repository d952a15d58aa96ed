"""Settings of the genuine server that are known and checked, but have no effect in this release.

Each that is given is named in one warning, so that nobody relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reference_server.config import values
from reference_server.config.setting import Effect, Setting

_LATER = Effect.NOT_YET


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
            effect=_LATER,
        )


NOT_IN_EFFECT: tuple[Setting[object], ...] = (
    Setting(
        kind=values.YES_NO,
        meaning="the genuine server ignores it, too",
        default="false",
        path="admin@tls",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="use sip: in a Contact towards a peer on TLS whose own is sip:",
        variable="SUPPORT_BEST_EFFORT_TLS",
        effect=_LATER,
    ),
    Setting(
        kind=values.SWITCH,
        meaning="answer 403 to a REGISTER whose domain is an IPv4 address",
        default="no",
        path="sip/reject-register-with-no-realm",
        option="reject-register-with-no-realm",
        variable="REJECT_REGISTER_WITH_NO_REALM",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="User-Agent whose OPTIONS are answered without an application",
        path="sip/user-agent-options-auto-respond",
        option="user-agent-options-auto-respond",
        argument="TEXT",
        variable="USER_AGENT_OPTIONS_AUTO_RESPOND",
        effect=_LATER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="answer 180 to every INVITE at once",
        option="always-send-180",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="HEP capture server",
        path="sip/capture-server",
        option="homer",
        letter="y",
        argument="HOST[:PORT]",
        variable="HOMER_ADDRESS",
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port of the HEP capture server",
        default="9060",
        path="sip/capture-server@port",
        variable="HOMER_PORT",
        effect=_LATER,
    ),
    Setting(
        kind=values.AGENT_ID,
        meaning="HEP agent id",
        path="sip/capture-server@id",
        option="homer-id",
        letter="z",
        argument="N",
        variable="HOMER_ID",
        effect=_LATER,
    ),
    Setting(
        kind=values.whole_number("1-3", 1, 3),
        meaning="HEP version",
        default="3",
        path="sip/capture-server@hep-version",
        effect=_LATER,
    ),
    *_blacklist(),
    Setting(
        kind=values.TEXT,
        meaning="what happens to spammers (the genuine server always answers 603)",
        default="discard",
        path="sip/spammers@action",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="the same for TCP",
        default="discard",
        path="sip/spammers@tcp-action",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="header in which spammers are recognised: User-Agent, To or From",
        path="sip/spammers/header@name",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="text in that header by which they are recognised",
        path="sip/spammers/header/*",
        effect=_LATER,
    ),
    Setting(
        kind=values.UNSIGNED,
        meaning="the genuine server ignores it, too",
        default="0",
        path="sip/udp-mtu",
        option="mtu",
        letter="D",
        argument="BYTES",
        variable="UDP_MTU",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.URL_OR_TEXT,
        meaning="HTTP request handler that is asked about new requests",
        path="request-handlers/request-handler",
        option="http-handler",
        letter="a",
        argument="URL",
        variable="HTTP_HANDLER_URI",
        effect=_LATER,
    ),
    Setting(
        kind=values.HTTP_METHOD,
        meaning="HTTP method of the handler",
        default="GET",
        path="request-handlers/request-handler@http-method",
        option="http-method",
        letter="m",
        argument="GET|POST",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="SIP method that the handler is asked about",
        default="*",
        path="request-handlers/request-handler@sip-method",
        effect=_LATER,
    ),
    Setting(
        kind=values.YES_NO_OR_ONE,
        meaning="verify the certificate of an HTTPS handler",
        default="false",
        path="request-handlers/request-handler@verify-peer",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="address on which Prometheus may scrape",
        default="0.0.0.0",
        path="monitoring/prometheus",
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port on which Prometheus may scrape",
        path="monitoring/prometheus@port",
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_OR_ADDRESS,
        meaning="where Prometheus may scrape",
        option="prometheus-scrape-port",
        argument="[HOST:]PORT",
        variable="PROMETHEUS_SCRAPE_PORT",
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT, meaning="syslog server to log to", path="logging/syslog/address", effect=_LATER
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port of the syslog server",
        default="514",
        path="logging/syslog/port",
        effect=_LATER,
    ),
    Setting(kind=values.FACILITY, meaning="syslog facility", path="logging/syslog/facility", effect=_LATER),
    Setting(
        kind=values.STACK_LEVEL,
        meaning="the SIP stack of the genuine server logs so much; ours has no log of its own",
        default="1",
        path="logging/sofia-loglevel",
        option="sofia-loglevel",
        argument="0-9",
        variable="SOFIA_LOGLEVEL",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="memory debugging of the genuine server",
        option="memory-debug",
        variable="MEMORY_DEBUG",
        effect=Effect.NEVER,
    ),
    Setting(kind=values.FLAG, meaning="run in the background", option="daemon", effect=_LATER),
    Setting(
        kind=values.TEXT,
        meaning="user to run as in the background",
        option="user",
        letter="u",
        argument="NAME",
        effect=_LATER,
    ),
)
