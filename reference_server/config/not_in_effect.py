"""Settings of the genuine server that are known and checked, but have no effect in this release.

Each that is given is named in one warning that says what is not done (``without``), so that nobody relies on it.
"""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Effect, Setting

_LATER = Effect.NOT_YET

_NO_HEP = "no messages are sent to a capture server"
_NO_HANDLER = "the URL is never asked, requests go to connected applications only"
_NO_METRICS = "there are no figures to scrape"
_NO_SYSLOG = "nothing is logged to syslog"
_AS_GENUINE = "the genuine server does not heed it either"


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
        kind=values.TEXT,
        meaning="HEP capture server",
        path="sip/capture-server",
        option="homer",
        letter="y",
        argument="HOST[:PORT]",
        variable="HOMER_ADDRESS",
        without=_NO_HEP,
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port of the HEP capture server",
        default="9060",
        path="sip/capture-server@port",
        variable="HOMER_PORT",
        without=_NO_HEP,
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
        without=_NO_HEP,
        effect=_LATER,
    ),
    Setting(
        kind=values.whole_number("1-3", 1, 3),
        meaning="HEP version",
        default="3",
        path="sip/capture-server@hep-version",
        without=_NO_HEP,
        effect=_LATER,
    ),
    Setting(
        kind=values.URL_OR_TEXT,
        meaning="HTTP request handler that is asked about new requests",
        path="request-handlers/request-handler",
        option="http-handler",
        letter="a",
        argument="URL",
        variable="HTTP_HANDLER_URI",
        without=_NO_HANDLER,
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
        without=_NO_HANDLER,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="SIP method that the handler is asked about",
        default="*",
        path="request-handlers/request-handler@sip-method",
        without=_NO_HANDLER,
        effect=_LATER,
    ),
    Setting(
        kind=values.YES_NO_OR_ONE,
        meaning="verify the certificate of an HTTPS handler",
        default="false",
        path="request-handlers/request-handler@verify-peer",
        without=_NO_HANDLER,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="address on which Prometheus may scrape",
        default="0.0.0.0",
        path="monitoring/prometheus",
        without=_NO_METRICS,
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port on which Prometheus may scrape",
        path="monitoring/prometheus@port",
        without=_NO_METRICS,
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_OR_ADDRESS,
        meaning="where Prometheus may scrape",
        option="prometheus-scrape-port",
        argument="[HOST:]PORT",
        variable="PROMETHEUS_SCRAPE_PORT",
        without=_NO_METRICS,
        effect=_LATER,
    ),
    Setting(
        kind=values.TEXT,
        meaning="syslog server to log to",
        path="logging/syslog/address",
        without=_NO_SYSLOG,
        effect=_LATER,
    ),
    Setting(
        kind=values.PORT_NOT_ZERO,
        meaning="port of the syslog server",
        default="514",
        path="logging/syslog/port",
        without=_NO_SYSLOG,
        effect=_LATER,
    ),
    Setting(
        kind=values.FACILITY,
        meaning="syslog facility",
        path="logging/syslog/facility",
        without=_NO_SYSLOG,
        effect=_LATER,
    ),
    Setting(
        kind=values.STACK_LEVEL,
        meaning="the SIP stack of the genuine server logs so much; ours has no log of its own",
        default="1",
        path="logging/sofia-loglevel",
        option="sofia-loglevel",
        argument="0-9",
        variable="SOFIA_LOGLEVEL",
        without="there is no such stack, and --loglevel rules all that is logged",
        effect=Effect.NEVER,
    ),
    Setting(
        kind=values.FLAG,
        meaning="memory debugging of the genuine server",
        option="memory-debug",
        variable="MEMORY_DEBUG",
        without="memory is managed by Python",
        effect=Effect.NEVER,
    ),
)

# Tested by tests/config/test_table.py.
