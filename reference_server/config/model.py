"""The frozen value that configures one server.

Every field's default is what the genuine server does without the setting (the secret's, ``admin``, too), with
one difference so that a server without a file is safe and handy: it listens on loopback only, applications are
awaited on 127.0.0.1 and SIP on ``sip:127.0.0.1;transport=udp,tcp``. Durations are in seconds, sizes in bytes.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct

HIDDEN = "***"


class Secretive(Struct, frozen=True):
    """A part whose secrets are in no ``repr``, so in no traceback with values and no dump."""

    def __repr__(self) -> str:
        """As that of any Struct, but for the secrets that are given."""
        shown = {
            name: HIDDEN if name in _SECRETS and value else repr(value)
            for name in self.__struct_fields__
            for value in (getattr(self, name),)
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in shown.items())})"


_SECRETS = frozenset({"secret", "relay_key", "password", "url"})
"""A URL of a callback may hold a password, or a token in its query."""


class LogLevel(IntEnum):
    """The genuine server's order, in which ``notice`` is the quietest level."""

    NOTICE = 1
    ERROR = 2
    WARNING = 3
    INFO = 4
    DEBUG = 5


class Dialect(StrEnum):
    """Whom to behave as (docs/protocol.md, Versions): ourselves, or a release of the genuine server.

    Of the 0.9 line it is with its defects (docs/emulation.md), of 0.8 the form of the frames only.
    """

    V0_8 = "0.8"
    V0_9_5 = "0.9.5"
    V0_9 = "0.9"
    """0.9.9, the newest of that line"""
    OURS = "reference"

    @property
    def has_defects(self) -> bool:
        """Whether the defects of a genuine server are part of it."""
        return self in (Dialect.V0_9_5, Dialect.V0_9)


class Fault(Struct, frozen=True):
    """One kind of harm that is done on purpose (config/fault.py)."""

    name: str
    value: float = 0.0  # octets, frames, seconds or a probability
    seed: int | None = None  # of ``random``, if it is given


class AdminConfiguration(Secretive, frozen=True, kw_only=True):
    """Where applications connect, and what they must know."""

    addresses: tuple[str, ...] = ("127.0.0.1",)  # literal ones
    port: int | None = 9022  # None: by TLS only; 0: an ephemeral port
    tls_port: int | None = None  # None: no TLS; 0: an ephemeral port
    secret: str = "admin"
    tcp_keepalive: float = 45.0  # 0 switches TCP keep-alive off
    frame_limit: int = 16 * 1024 * 1024
    frame_limit_before_authentication: int = 4 * 1024
    incomplete_frame_timeout: float = 60.0
    incomplete_frame_timeout_before_authentication: float = 10.0
    unread_timeout: float = 60.0
    authentication_delay: float = 8.0
    hangup_on_application_loss: bool = False


class ContactConfiguration(Struct, frozen=True, kw_only=True):
    """One SIP listening address: ``sip:[user@]host[:port];transport=udp,tcp``, parsed."""

    scheme: str = "sip"
    user: str = ""
    host: str = "127.0.0.1"  # a literal address, a name, or ``*`` for all addresses of this machine
    port: int | None = None  # None: the default of the scheme (5060); 0: an ephemeral port
    transports: tuple[str, ...] = ("udp", "tcp")
    external_ip: str = ""
    local_net: str = ""
    dns_names: tuple[str, ...] = ()


class TlsConfiguration(Struct, frozen=True, kw_only=True):
    """Keys and certificates, of SIP over TLS and WSS as of admin connections over TLS; paths are empty if not given."""

    key_file: str = ""
    cert_file: str = ""
    chain_file: str = ""  # further certificates up to the root, also those by which clients are verified
    dh_param: str = ""
    min_version: str = "1.0"
    ciphers: str = ""  # of TLS 1.2, in OpenSSL's form; empty: OpenSSL's own choice
    verify_client: bool = False
    best_effort: bool = False


class TransportConfiguration(Struct, frozen=True, kw_only=True):
    """What travels how."""

    udp_mtu: int = 0  # octets of the largest request that goes by UDP where TCP is possible; 0: no such limit
    udp_buffer_size: int = 4 * 1024 * 1024  # octets, each way
    most_consecutive_timeouts: int = (
        0  # requests without an answer after which a connection is closed; 0: never
    )


class SpamHeader(Struct, frozen=True):
    """A header, in lower case, and the texts by which spammers are known in it."""

    name: str
    texts: tuple[str, ...]


class BlacklistConfiguration(Secretive, frozen=True, kw_only=True):
    """A set in Redis of the addresses that are not heard: at one server, or at the replicas that sentinels name."""

    address: str = ""
    port: int = 6379
    key: str = ""
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    password: str = ""
    refresh: float = 3600.0


class ScreeningConfiguration(Struct, frozen=True, kw_only=True):
    """Who may not come in, and what is answered without an application."""

    spam: tuple[SpamHeader, ...] = ()
    action: str = "reject"  # or discard
    tcp_action: str = "reject"
    reject_register_with_no_realm: bool = False
    answered_user_agent: str = ""
    always_send_180: bool = False
    blacklist: BlacklistConfiguration | None = None


class ProcessConfiguration(Struct, frozen=True, kw_only=True):
    """How the process runs."""

    daemon: bool = False
    user: str = ""  # to become once everything is bound; empty: stay who one is
    pid_file: str = ""
    drain: float = 5.0  # seconds that calls get after SIGTERM


class RoutingConfiguration(Secretive, frozen=True, kw_only=True):
    """Where requests go."""

    outbound_proxy: str = ""  # a SIP URI; empty: requests go to their Request-URI
    local_domain: str = ""  # what applications send to it or below it would come back here
    aggressive_nat_detection: bool = False
    disable_nat_detection: bool = False
    nameserver: tuple[str, int] | None = None  # address and port; None: those of /etc/resolv.conf
    open_relay: bool = False  # --open-relay
    relay_key: str = ""  # --relay-key; empty: one that only this process has


class HandlerConfiguration(Secretive, frozen=True, kw_only=True):
    """Who is asked about new requests, or gets them without being asked."""

    url: (
        str  # http, https: a callback; tcp, tls: where an application listens; may hold a user and a password
    )
    sip_method: str = "*"  # in upper case; * for those that no other handler has
    http_method: str = "GET"  # or POST
    verify_peer: bool = False


class TimerConfiguration(Struct, frozen=True, kw_only=True):
    """The base timers of RFC 3261 §17, and how long calls may take. In seconds."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    t1x64: float = 32.0
    ringing: float = 1800.0  # from one provisional response to an INVITE to the next response
    timer_c: float = 185.0  # the same inside dialogs and in proxied calls
    default_refresher: str = "none"  # of a session timer, where the caller leaves it open: none, uac or uas


class LogFileConfiguration(Struct, frozen=True, kw_only=True):
    """A log file and its rotation; sizes are in units of 1,000,000 bytes, as the genuine server counts."""

    name: str
    archive: str = "archive"
    size: int = 50
    max_size: int = 1000
    min_size: int = 0
    max_files: int = 100
    auto_flush: bool = True


class SyslogConfiguration(Struct, frozen=True, kw_only=True):
    """A syslog server that takes datagrams (RFC 3164)."""

    address: str  # a literal address or a name
    port: int = 514
    facility: int = 16  # local0; local7 is 23


class LoggingConfiguration(Struct, frozen=True, kw_only=True):
    """Where log lines go, and which."""

    level: LogLevel = LogLevel.INFO
    stack_level: int = 1  # 0 to 9: how much the transaction layer says of what it does
    console: bool = False
    file: LogFileConfiguration | None = None
    globally_readable: bool = False
    syslog: SyslogConfiguration | None = None
    json: bool = False  # of console and file; syslog has its own form

    @property
    def on_console(self) -> bool:
        """Whether they go to the console, as they do too when no other destination is configured."""
        return self.console or (self.file is None and self.syslog is None)


class CaptureConfiguration(Struct, frozen=True, kw_only=True):
    """A capture server, which gets a copy of each SIP message by HEP over UDP."""

    host: str  # a literal address or a name
    agent_id: int
    port: int = 9060
    version: int = 3


class MetricsConfiguration(Struct, frozen=True, kw_only=True):
    """Where Prometheus may scrape."""

    port: int  # 0: an ephemeral port
    host: str = "0.0.0.0"


class LimitConfiguration(Struct, frozen=True, kw_only=True):
    """How much there may be of what others can make more of (docs/configuration.md, Limits)."""

    failed_authentications: int = 5
    waiting_authentications: int = 16
    unauthenticated_connections: int = 1000
    unauthenticated_connections_per_address: int = 0
    unread: int = 64 * 1024 * 1024
    routes_per_application: int = 1000
    tags_per_application: int = 1000
    requests_per_application: int = 10_000
    dialogs: int = 100_000
    kept_for_peers: int = 128 * 1024 * 1024
    sip_connections: int = 10_000
    sip_connections_per_address: int = 0
    headers: int = 64 * 1024
    body: int = 1024 * 1024
    handshake_timeout: float = 10.0
    incomplete_message_timeout: float = 60.0
    sip_unread_timeout: float = 60.0
    sip_unread: int = 8 * 1024 * 1024
    lookups: int = 1000
    callback_questions: int = 2000
    callback_answer: int = 1024 * 1024
    outbound_connections: int = 5000
    outbound_attempts: int = 2000


DEFAULT_LIMITS = LimitConfiguration()


class Configuration(Struct, frozen=True, kw_only=True):
    """Everything that the server reads at its start."""

    admin: AdminConfiguration = AdminConfiguration()
    contacts: tuple[ContactConfiguration, ...] = (ContactConfiguration(),)
    tls: TlsConfiguration = TlsConfiguration()
    transports: TransportConfiguration = TransportConfiguration()
    routing: RoutingConfiguration = RoutingConfiguration()
    handlers: tuple[HandlerConfiguration, ...] = ()  # at most one for each method
    screening: ScreeningConfiguration = ScreeningConfiguration()
    timers: TimerConfiguration = TimerConfiguration()
    logging: LoggingConfiguration = LoggingConfiguration()
    capture: CaptureConfiguration | None = None
    metrics: MetricsConfiguration | None = None
    process: ProcessConfiguration = ProcessConfiguration()
    limits: LimitConfiguration = DEFAULT_LIMITS
    cdrs: bool = False
    dialect: Dialect = Dialect.OURS
    faults: tuple[Fault, ...] = ()
    lint: bool = False  # say what applications do wrong
    strict: bool = False  # and refuse it
    preserve_header_names: tuple[str, ...] = ()
    trace_file: str = ""  # --trace FILE.jsonl
    show_frames: bool = False  # --show-frames
    hide_credentials: bool = False  # --hide-credentials
