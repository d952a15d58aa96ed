"""The one table of every setting: elements and attributes of the file, options, variables.

It names all that the genuine server knows (release 0.9.9) and the few settings that are this server's own.
Readers of the three sources look names up here, the help text and docs/configuration.md are made from it, and an
unknown name is compared with it to suggest the nearest. A path is written below ``<drachtio>``: ``admin@port`` is
an attribute, ``sip/timers/t1`` an element's text.
"""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.contact import CONTACT, NEXT_HOP
from reference_server.config.fault import FAULT_LIST
from reference_server.config.handler_url import HANDLER_URL as HANDLER_URL_KIND
from reference_server.config.limit_settings import LIMITS
from reference_server.config.not_in_effect import NOT_IN_EFFECT
from reference_server.config.process_settings import PROCESS
from reference_server.config.screening_settings import SCREENING
from reference_server.config.setting import Setting
from reference_server.config.sip_settings import SIP

# Where applications connect.
ADMIN_ADDRESS = Setting(
    kind=values.LITERAL_ADDRESSES,
    meaning="address on which applications are awaited; several are separated by commas",
    default="127.0.0.1",
    path="admin",
    option="address",
    letter="E",
    argument="IP",
    variable="ADMIN_ADDRESS",
)
ADMIN_PORT = Setting(
    kind=values.PORT,
    meaning="TCP port on which applications are awaited; 0 takes a free one, in the file none beside tls-port",
    default="9022",
    path="admin@port",
    option="port",
    letter="p",
    argument="N",
    variable="ADMIN_TCP_PORT",
)
SECRET = Setting(
    kind=values.SECRET,
    meaning="shared secret that an application must present",
    default="admin",
    path="admin@secret",
    option="secret",
    letter="F",
    argument="TEXT",
    variable="SECRET",
    secret=True,
)
TCP_KEEPALIVE = Setting(
    kind=values.KEEPALIVE,
    meaning="seconds between TCP keep-alive probes to applications; 0 sends none",
    default="45",
    path="admin@tcp-keepalive",
    option="tcp-keepalive-interval",
    argument="SECONDS",
    variable="TCP_KEEPALIVE_INTERVAL",
)
HANGUP_ON_APP_LOSS = Setting(
    kind=values.FLAG,
    meaning="send BYE in the calls of an application that disconnects",
    option="hangup-on-app-loss",
    own=True,
)
FRAME_LIMIT = Setting(
    kind=values.OCTETS,
    meaning="largest frame accepted from an application, in bytes",
    default="16777216",
    option="frame-limit",
    argument="BYTES",
    own=True,
)
FRAME_LIMIT_BEFORE_AUTHENTICATION = Setting(
    kind=values.OCTETS,
    meaning="the same before it has authenticated",
    default="4096",
    option="frame-limit-before-authentication",
    argument="BYTES",
    own=True,
)
INCOMPLETE_FRAME_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="a connection whose frame is still incomplete after so many seconds is closed",
    default="60",
    option="incomplete-frame-timeout",
    argument="SECONDS",
    own=True,
)
INCOMPLETE_FRAME_TIMEOUT_BEFORE_AUTHENTICATION = Setting(
    kind=values.SECONDS,
    meaning="the same before it has authenticated",
    default="10",
    option="incomplete-frame-timeout-before-authentication",
    argument="SECONDS",
    own=True,
)

AUTHENTICATION_DELAY = Setting(
    kind=values.SECONDS_OR_ZERO,
    meaning="longest that an attempt to authenticate waits where others from its address have failed; 0: none waits",
    default="8",
    option="authentication-delay",
    argument="SECONDS",
    own=True,
)

UNREAD_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="an application that reads nothing of what waits for it for so many seconds is closed",
    default="60",
    option="unread-timeout",
    argument="SECONDS",
    own=True,
)

# TLS, on both doors.
ADMIN_TLS_PORT = Setting(
    kind=values.PORT,
    meaning="TLS port on which applications are awaited",
    default="0",
    path="admin@tls-port",
    option="tls-port",
    argument="N",
    variable="ADMIN_TLS_PORT",
)
TLS_KEY_FILE = Setting(
    kind=values.PATH,
    meaning="private key for TLS; of several certificates each, separated by commas",
    path="sip/tls/key-file",
    option="key-file",
    letter="A",
    argument="FILE",
    variable="TLS_KEY_FILE",
)
TLS_CERT_FILE = Setting(
    kind=values.PATH,
    meaning="certificate for TLS; of several, separated by commas, a client gets that with the name it asks for",
    path="sip/tls/cert-file",
    option="cert-file",
    letter="B",
    argument="FILE",
    variable="TLS_CERT_FILE",
)
TLS_CHAIN_FILE = Setting(
    kind=values.PATH,
    meaning="certificate chain for TLS",
    path="sip/tls/chain-file",
    option="chain-file",
    letter="C",
    argument="FILE",
    variable="TLS_CHAIN_FILE",
)
TLS_DH_PARAM = Setting(
    kind=values.PATH,
    meaning="Diffie-Hellman parameters for TLS",
    path="sip/tls/dh-param",
    option="dh-param",
    letter="G",
    argument="FILE",
    variable="TLS_DH_PARAM_FILE",
)
TLS_MIN_VERSION = Setting(
    kind=values.TLS_VERSION,
    meaning="lowest version of TLS",
    default="1.0",
    path="sip/tls/min-tls-version",
    option="min-tls-version",
    argument="VERSION",
    variable="MIN_TLS_VERSION",
)
TLS_CIPHERS = Setting(
    kind=values.TEXT,
    meaning="cipher list for TLS 1.2",
    option="tls-cipherlist",
    argument="LIST",
    variable="TLS_CIPHER_LIST",
)
TLS_VERIFY_CLIENT = Setting(
    kind=values.FLAG,
    meaning="demand a certificate of SIP clients",
    variable="TLS_VERIFY_CLIENT_CERT",
)

BEST_EFFORT_TLS = Setting(
    kind=values.FLAG,
    meaning="use sip: in a Contact towards a peer on TLS whose own is sip:",
    variable="SUPPORT_BEST_EFFORT_TLS",
)

# Where SIP is awaited.
CONTACT_URI = Setting(
    kind=CONTACT,
    meaning="where SIP is awaited, sip:HOST[:PORT][;transport=udp,tcp], sips: for tls and wss; may be repeated; "
    "HOST may be '*'",
    default="sip:127.0.0.1;transport=udp,tcp",
    path="sip/contacts/contact",
    option="contact",
    letter="c",
    argument="URI",
)
SINGLE_CONTACT = Setting(
    kind=CONTACT,
    meaning="the old form of a single contact; <contacts> is ignored beside it",
    path="sip/contact",
)
EXTERNAL_IP = Setting(
    kind=values.IPV4,
    meaning="address that the contact is known by outside a NAT",
    path="sip/contacts/contact@external-ip",
    option="external-ip",
    letter="x",
    argument="IP",
)
LOCAL_NET = Setting(
    kind=values.NETWORK,
    meaning="network that the contact serves; counts when a transport is chosen",
    path="sip/contacts/contact@local-net",
    option="local-net",
    letter="n",
    argument="CIDR",
)
DNS_NAMES = Setting(
    kind=values.DNS_NAMES,
    meaning="names that resolve to the contact, recognised as our own",
    path="sip/contacts/contact@dns-names",
    option="dns-name",
    argument="NAME",
)
OUTBOUND_PROXY = Setting(
    kind=NEXT_HOP,
    meaning="where requests outside dialogs go unless the application says otherwise, sip:HOST[:PORT]",
    path="sip/outbound-proxy",
)
AGGRESSIVE_NAT_DETECTION = Setting(
    kind=values.SWITCH,
    meaning="in a call whose topmost Record-Route says nat=yes, send to the source address, too",
    default="no",
    path="sip/aggressive-nat-detection",
    option="aggressive-nat-detection",
    letter="I",
    variable="AGRESSIVE_NAT_DETECTION",
)
DISABLE_NAT_DETECTION = Setting(
    kind=values.FLAG,
    meaning="send to the Contact of a call even if it came from another address",
    option="disable-nat-detection",
)
NAMESERVER = Setting(
    kind=values.NAMESERVER,
    meaning="DNS server to ask, an address with or without port; by default those of /etc/resolv.conf",
    option="nameserver",
    argument="IP[:PORT]",
    own=True,
)
OPEN_RELAY = Setting(
    kind=values.FLAG,
    meaning="send on every request whose Route names this server, whoever made that Route",
    option="open-relay",
    own=True,
)
RELAY_KEY = Setting(
    kind=values.SECRET,
    meaning="secret by which servers know the Record-Routes of each other; by default each knows its own",
    option="relay-key",
    argument="TEXT",
    variable="RELAY_KEY",
    own=True,
    secret=True,
)
T1 = Setting(
    kind=values.MILLISECONDS,
    meaning="T1 of RFC 3261 §17, in milliseconds",
    default="500",
    path="sip/timers/t1",
)
T2 = Setting(
    kind=values.MILLISECONDS,
    meaning="T2 of RFC 3261 §17, in milliseconds",
    default="4000",
    path="sip/timers/t2",
)
T4 = Setting(
    kind=values.MILLISECONDS,
    meaning="T4 of RFC 3261 §17, in milliseconds",
    default="5000",
    path="sip/timers/t4",
)
T1X64 = Setting(
    kind=values.MILLISECONDS,
    meaning="end of a transaction that nobody answers, in milliseconds",
    default="32000",
    path="sip/timers/t1x64",
)
PRESERVE_HEADER_NAMES = Setting(
    kind=values.NAME_LIST,
    meaning="header names whose letter case is sent as the application wrote it",
    variable="PRESERVE_HEADER_NAMES",
)

# Who is asked about new requests before any application is.
HANDLER_URL = Setting(
    kind=HANDLER_URL_KIND,
    meaning="callback that is asked about new requests, http:// or https://, or the application that gets them, "
    "tcp:// or tls://HOST:PORT",
    path="request-handlers/request-handler",
    option="http-handler",
    letter="a",
    argument="URL",
    variable="HTTP_HANDLER_URI",
    secret=True,
)
HANDLER_HTTP_METHOD = Setting(
    kind=values.HTTP_METHOD,
    meaning="how a callback is asked; POST sends the SIP message",
    default="GET",
    path="request-handlers/request-handler@http-method",
    option="http-method",
    letter="m",
    argument="GET|POST",
)
HANDLER_SIP_METHOD = Setting(
    kind=values.SIP_METHOD,
    meaning="method of the requests that it is asked about; * are those that no other handler has",
    default="*",
    path="request-handlers/request-handler@sip-method",
)
HANDLER_VERIFY_PEER = Setting(
    kind=values.YES_NO_OR_ONE,
    meaning="verify the certificate of an https:// callback, by the certificates that the system trusts",
    default="false",
    path="request-handlers/request-handler@verify-peer",
)

# Logging and other outputs.
CDRS = Setting(
    kind=values.YES_NO,
    meaning="send call detail records to applications",
    default="no",
    path="cdrs",
)
CDRS_SWITCHED_ON = Setting(
    kind=values.FLAG,
    meaning="send call detail records to applications, as `<cdrs>` makes the server do",
    option="cdrs",
    own=True,
)
LOG_LEVEL = Setting(
    kind=values.LOG_LEVEL,
    meaning="quietest first: notice, error, warning, info, debug",
    default="info",
    path="logging/loglevel",
    option="loglevel",
    letter="l",
    argument="LEVEL",
    variable="LOGLEVEL",
)
CONSOLE = Setting(
    kind=values.PRESENCE,
    meaning="log to standard error; also done when no other destination is configured",
    path="logging/console",
    option="stdout",
    variable="CONSOLE_LOGGING",
)
LOG_FILE = Setting(kind=values.PATH, meaning="log file; its directory is created", path="logging/file/name")
LOG_ARCHIVE = Setting(
    kind=values.DIRECTORY, meaning="where full log files go", default="archive", path="logging/file/archive"
)
LOG_SIZE = Setting(
    kind=values.MEGABYTES,
    meaning="a log file is archived before it exceeds so many 1,000,000 bytes, and at midnight",
    default="50",
    path="logging/file/size",
)
LOG_MAX_SIZE = Setting(
    kind=values.MEGABYTES,
    meaning="the archive keeps the newest files up to so many 1,000,000 bytes",
    default="1000",
    path="logging/file/maxSize",
)
LOG_MIN_SIZE = Setting(
    kind=values.MEGABYTES_OR_ZERO,
    meaning="the archive leaves so many 1,000,000 bytes free on its disk",
    default="0",
    path="logging/file/minSize",
)
LOG_MAX_FILES = Setting(
    kind=values.FILES,
    meaning="the archive keeps so many files, the newest",
    default="100",
    path="logging/file/maxFiles",
)
LOG_AUTO_FLUSH = Setting(
    kind=values.BOOLEAN,
    meaning="write each line at once; false collects up to a second",
    default="true",
    path="logging/file/auto-flush",
)
GLOBALLY_READABLE_LOGS = Setting(
    kind=values.FLAG, meaning="log files get mode 0644 instead of 0660", option="globally-readable-logs"
)
FILE = Setting(
    kind=values.PATH,
    meaning="configuration file; without it /etc/drachtio.conf.xml is read if it exists",
    option="file",
    letter="f",
    argument="PATH",
    variable="CONFIG_FILE_PATH",
)
NO_CONFIG = Setting(
    kind=values.FLAG,
    meaning="log to standard error only, whatever the file says of destinations",
    option="noconfig",
)
EMULATE = Setting(
    kind=values.DIALECT,
    meaning="release of the genuine server to behave as, with its defects: 0.9 is 0.9.9 (docs/emulation.md); for tests "
    "only, since its holes are open, too. 0.8 is its form of the frames alone; reference is none",
    default="reference",
    option="emulate",
    argument="RELEASE",
    own=True,
)
FAULT = Setting(
    kind=FAULT_LIST,
    meaning="harm done on purpose to what applications get, for tests of applications: split=1,no-pong … "
    "(docs/guides/faults.md)",
    option="fault",
    argument="LIST",
    own=True,
)
LINT = Setting(
    kind=values.FLAG,
    meaning="say what applications do that is tolerated, or works by luck, with clause and remedy, in log and trace",
    option="lint",
    own=True,
)
STRICT = Setting(
    kind=values.FLAG,
    meaning="the same, and answer NOK to frames that break a MUST",
    option="strict",
    own=True,
)
TRACE = Setting(
    kind=values.PATH,
    meaning="append every frame, SIP message and event to a file (docs/trace.schema.json)",
    option="trace",
    argument="FILE.jsonl",
    own=True,
)
SHOW_FRAMES = Setting(
    kind=values.FLAG,
    meaning="show decoded frames on standard error as they pass",
    option="show-frames",
    own=True,
)
HIDE_CREDENTIALS = Setting(
    kind=values.FLAG,
    meaning="write * for what Authorization and Proxy-Authorization say, in log, trace, shown frames and "
    "what a capture server gets",
    option="hide-credentials",
    own=True,
)
LOG_FORMAT = Setting(
    kind=values.LOG_FORMAT,
    meaning="form of the log on console and in a file: text as the genuine server's, or json, an object a line",
    default="text",
    option="log-format",
    argument="text|json",
    own=True,
)
STACK_LEVEL = Setting(
    kind=values.STACK_LEVEL,
    meaning="how much of what the transaction layer does is logged, at info: from 3 on what goes wrong, from 5 on each "
    "message, from 7 on also repeated ones, at 9 also ends (docs/observability.md)",
    default="1",
    path="logging/sofia-loglevel",
    option="sofia-loglevel",
    argument="0-9",
    variable="SOFIA_LOGLEVEL",
)
SYSLOG_ADDRESS = Setting(
    kind=values.HOST,
    meaning="syslog server to log to, over UDP",
    path="logging/syslog/address",
)
SYSLOG_PORT = Setting(
    kind=values.PORT_NOT_ZERO,
    meaning="port of the syslog server",
    default="514",
    path="logging/syslog/port",
)
SYSLOG_FACILITY = Setting(
    kind=values.FACILITY,
    meaning="syslog facility",
    default="local0",
    path="logging/syslog/facility",
)

# Who is shown the traffic, and counts it.
CAPTURE_SERVER = Setting(
    kind=values.HOST_AND_PORT,
    meaning="capture server that gets a copy of each SIP message, by HEP over UDP; needs an id. The option replaces "
    "what the file says, with HEP version 3",
    path="sip/capture-server",
    option="homer",
    letter="y",
    argument="HOST[:PORT]",
    variable="HOMER_ADDRESS",
)
CAPTURE_PORT = Setting(
    kind=values.PORT_NOT_ZERO,
    meaning="port of the capture server, where its address names none",
    default="9060",
    path="sip/capture-server@port",
    variable="HOMER_PORT",
)
CAPTURE_ID = Setting(
    kind=values.AGENT_ID,
    meaning="number by which the capture server knows this agent; at most 65535 with HEP version 2, version 1 has none",
    path="sip/capture-server@id",
    option="homer-id",
    letter="z",
    argument="N",
    variable="HOMER_ID",
)
CAPTURE_VERSION = Setting(
    kind=values.HEP_VERSION,
    meaning="HEP version",
    default="3",
    path="sip/capture-server@hep-version",
)
METRICS_HOST = Setting(
    kind=values.HOST,
    meaning="address on which Prometheus may scrape /metrics; needs pip install 'drachtio-conformance[metrics]'",
    default="0.0.0.0",
    path="monitoring/prometheus",
)
METRICS_PORT = Setting(
    kind=values.PORT,
    meaning="port of the same; 0 takes a free one",
    path="monitoring/prometheus@port",
)
METRICS_DOOR = Setting(
    kind=values.PORT_OR_ADDRESS,
    meaning="address (by default 0.0.0.0) and port on which Prometheus may scrape /metrics; replaces the file's",
    option="prometheus-scrape-port",
    argument="[HOST:]PORT",
    variable="PROMETHEUS_SCRAPE_PORT",
)
LOOP = Setting(
    kind=values.LOOP,
    meaning="event loop: auto takes uvloop if it is installed",
    default="auto",
    option="loop",
    argument="NAME",
    own=True,
)
CHECK = Setting(
    kind=values.STRICTNESS,
    meaning="read everything, report, and do not start; a warning is an error, but for a setting that is known and has "
    "no effect here, unless strict",
    option="check",
    word="strict",
    own=True,
)
VERSION = Setting(kind=values.FLAG, meaning="print the version", option="version", letter="v")
HELP = Setting(kind=values.FLAG, meaning="print this text", option="help", letter="h")

_READ_BY_NAME: tuple[Setting[object], ...] = tuple(
    row for row in list(globals().values()) if isinstance(row, Setting)
)
TABLE: tuple[Setting[object], ...] = (*_READ_BY_NAME, *SCREENING, *PROCESS, *SIP, *LIMITS, *NOT_IN_EFFECT)
BY_PATH: dict[str, Setting[object]] = {setting.path: setting for setting in TABLE if setting.path}
BY_OPTION = {setting.option: setting for setting in TABLE if setting.option}
BY_LETTER = {setting.letter: setting for setting in TABLE if setting.letter}
BY_VARIABLE = {setting.variable: setting for setting in TABLE if setting.variable}
