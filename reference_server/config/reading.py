"""All three sources made into one :class:`Configuration`.

The command line wins over the environment, the environment over the file, the file over the defaults. Two things do
not follow that rule, as in the genuine server: what is only switched on can be switched on by any source and off by
none, and contacts of the command line replace those of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from reference_server.config import limit_settings, table
from reference_server.config.document import Document, read_document
from reference_server.config.environment import read_variables
from reference_server.config.given import Given, Problem, Severity, error, judge, warning
from reference_server.config.model import (
    AdminConfiguration,
    CaptureConfiguration,
    Configuration,
    ContactConfiguration,
    HandlerConfiguration,
    LimitConfiguration,
    LogFileConfiguration,
    LoggingConfiguration,
    MetricsConfiguration,
    ProcessConfiguration,
    RoutingConfiguration,
    SyslogConfiguration,
    TimerConfiguration,
    TlsConfiguration,
    TransportConfiguration,
)
from reference_server.config.options import read_options
from reference_server.config.process_settings import DAEMON, DRAIN, PID_FILE, USER
from reference_server.config.screening import incomplete_screening, screening
from reference_server.config.setting import Setting
from reference_server.config.sip_settings import (
    DEFAULT_REFRESHER,
    LOCAL_DOMAIN,
    MOST_CONSECUTIVE_TIMEOUTS,
    RINGING_TIMEOUT,
    TIMER_C,
    UDP_BUFFER_SIZE,
    UDP_MTU,
)
from reference_server.config.sources import Sources

DEFAULT_FILE = Path("/etc/drachtio.conf.xml")
"""Read if it exists and no other file is named."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading the configuration."""

    configuration: Configuration | None
    """None if there is an error among the problems"""
    problems: tuple[Problem, ...]
    file: Path | None
    """the configuration file, if one was read"""
    loop: str = "auto"
    """``auto``, ``asyncio`` or ``uvloop``"""
    check: bool = False
    strict: bool = False
    """to the check, settings without effect are errors, too"""
    show_version: bool = False
    show_help: bool = False
    sources: Sources = field(default_factory=lambda: Sources([], [], []))
    """where each value comes from"""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that prevent a start; with ``--check`` also warnings, but for settings without effect."""
        return tuple(item for item in self.problems if item.severity is Severity.ERROR or self._counts(item))

    def _counts(self, item: Problem) -> bool:
        return self.check and (self.strict or not item.without_effect)


def read(
    arguments: Sequence[str], environment: Mapping[str, str], default_file: Path = DEFAULT_FILE
) -> Reading:
    """Read the command line (without the program's name), the environment and the file. It never raises."""
    line = read_options(arguments)
    variables = read_variables(environment)
    problems = [
        *line.problems,
        *judge(line.given),
        *variables.problems,
        *judge(variables.given, variable=True),
    ]
    sources = Sources(line.given, variables.given, [])
    file, document = _file(sources, default_file)
    if document is not None:
        sources.document = document.given
        problems += document.problems
        problems += judge(document.given)
        unread = any(problem.severity is Severity.ERROR for problem in document.problems)
        if not unread and not any(sources.texts(table.ADMIN_ADDRESS)):
            text = "expected the address where applications connect as the text of <admin>, got nothing"
            problems.append(error(document.name, text))
    problems += _misplaced(line.given)
    if not any(problem.severity is Severity.ERROR for problem in problems):
        problems += _incomplete(sources)
    problems += _handlers_that_never_count(sources)
    broken = any(problem.severity is Severity.ERROR for problem in problems)
    if not broken:
        problems += incomplete_screening(sources)
    return Reading(
        configuration=None if broken else _configuration(sources),
        problems=tuple(dict.fromkeys(problems)),
        file=None if document is None else file,
        loop="auto" if broken else sources.value(table.LOOP, "auto"),
        check=sources.switched_on(table.CHECK),
        strict=not broken and sources.value(table.CHECK, False),
        show_version=sources.switched_on(table.VERSION),
        show_help=sources.switched_on(table.HELP),
        sources=sources,
    )


def _file(sources: Sources, default_file: Path) -> tuple[Path, Document | None]:
    for text in sources.texts(table.FILE):
        if name := text.strip():
            return Path(name), read_document(Path(name))
    try:
        exists = default_file.exists()
    except OSError:
        exists = True  # reading it will tell what is wrong
    return default_file, read_document(default_file) if exists else None


def _misplaced(line: Iterable[Given]) -> Iterator[Problem]:
    """Options that belong to the contact before them, without one or twice; worded as the genuine server does."""
    seen: set[int] | None = None
    names = {
        id(table.EXTERNAL_IP): "public-ip",
        id(table.LOCAL_NET): "local-net",
        id(table.DNS_NAMES): "dns-name",
    }
    for given in line:
        if given.setting is table.CONTACT_URI:
            seen = set()
        name = names.get(id(given.setting))
        if name is None:
            continue
        if seen is None:
            yield error(given.place, f"'{name}' argument must follow a 'contact'")
        elif id(given.setting) in seen and given.setting is not table.DNS_NAMES:
            yield error(given.place, f"multiple '{name}' arguments provided for a single contact")
        else:
            seen.add(id(given.setting))


def _configuration(sources: Sources) -> Configuration:
    default = Configuration()
    return Configuration(
        admin=_admin(sources, default.admin),
        contacts=_contacts(sources.line) or _contacts_of_file(sources.document) or default.contacts,
        tls=_tls(sources, default.tls),
        routing=_routing(sources, default.routing),
        handlers=_handlers(sources),
        transports=_transports(sources, default.transports),
        screening=screening(sources),
        process=_process(sources, default.process),
        timers=_timers(sources, default.timers),
        limits=_limits(sources, default.limits),
        logging=_logging(sources, default.logging),
        capture=_capture(sources),
        metrics=_metrics(sources),
        cdrs=sources.value(table.CDRS, default.cdrs) or sources.switched_on(table.CDRS_SWITCHED_ON),
        dialect=sources.value(table.EMULATE, default.dialect),
        faults=sources.value(table.FAULT, default.faults),
        lint=sources.value(table.LINT, default.lint),
        strict=sources.value(table.STRICT, default.strict),
        preserve_header_names=sources.value(table.PRESERVE_HEADER_NAMES, default.preserve_header_names),
        trace_file=sources.value(table.TRACE, default.trace_file),
        show_frames=sources.switched_on(table.SHOW_FRAMES),
        hide_credentials=sources.switched_on(table.HIDE_CREDENTIALS),
    )


def _admin(sources: Sources, default: AdminConfiguration) -> AdminConfiguration:
    return AdminConfiguration(
        addresses=sources.value(table.ADMIN_ADDRESS, default.addresses),
        port=_admin_port(sources, default.port),
        tls_port=sources.value(table.ADMIN_TLS_PORT, 0) or None,  # 0 means none, as in the genuine server
        secret=sources.value(table.SECRET, default.secret),
        tcp_keepalive=float(sources.value(table.TCP_KEEPALIVE, int(default.tcp_keepalive))),
        frame_limit=sources.value(table.FRAME_LIMIT, default.frame_limit),
        frame_limit_before_authentication=sources.value(
            table.FRAME_LIMIT_BEFORE_AUTHENTICATION, default.frame_limit_before_authentication
        ),
        incomplete_frame_timeout=sources.value(
            table.INCOMPLETE_FRAME_TIMEOUT, default.incomplete_frame_timeout
        ),
        incomplete_frame_timeout_before_authentication=sources.value(
            table.INCOMPLETE_FRAME_TIMEOUT_BEFORE_AUTHENTICATION,
            default.incomplete_frame_timeout_before_authentication,
        ),
        authentication_delay=sources.value(table.AUTHENTICATION_DELAY, default.authentication_delay),
        unread_timeout=sources.value(table.UNREAD_TIMEOUT, default.unread_timeout),
        hangup_on_application_loss=sources.switched_on(table.HANGUP_ON_APP_LOSS),
    )


def _admin_port(sources: Sources, default: int | None) -> int | None:
    """None where the file says 0 beside a TLS port: by TLS only, as in the genuine server."""
    given = sources.given(table.ADMIN_PORT)
    if given is None:
        return default
    port = table.ADMIN_PORT.kind.parse(given.text)
    by_tls_only = port == 0 and given in sources.document and sources.value(table.ADMIN_TLS_PORT, 0) > 0
    return None if by_tls_only else port


def _tls(sources: Sources, default: TlsConfiguration) -> TlsConfiguration:
    return TlsConfiguration(
        key_file=sources.value(table.TLS_KEY_FILE, default.key_file),
        cert_file=sources.value(table.TLS_CERT_FILE, default.cert_file),
        chain_file=sources.value(table.TLS_CHAIN_FILE, default.chain_file),
        dh_param=sources.value(table.TLS_DH_PARAM, default.dh_param),
        min_version=sources.value(table.TLS_MIN_VERSION, default.min_version),
        ciphers=sources.value(table.TLS_CIPHERS, default.ciphers),
        verify_client=sources.switched_on(table.TLS_VERIFY_CLIENT),
        best_effort=sources.switched_on(table.BEST_EFFORT_TLS),
    )


def _contacts(given: Iterable[Given]) -> tuple[ContactConfiguration, ...]:
    """The contacts of the command line, each with what follows it."""
    contacts: list[ContactConfiguration] = []
    for item in given:
        if item.setting is table.CONTACT_URI:
            contacts.append(table.CONTACT_URI.kind.parse(item.text))
        elif contacts:
            contacts[-1] = _with(contacts[-1], item)
    return tuple(contacts)


def _contacts_of_file(given: Sequence[Given]) -> tuple[ContactConfiguration, ...]:
    """The contacts of the file; attributes come before the text of their element."""
    for item in given:
        if item.setting is table.SINGLE_CONTACT:
            return (table.SINGLE_CONTACT.kind.parse(item.text),)
    contacts: list[ContactConfiguration] = []
    for item in given:
        if item.setting is table.CONTACT_URI:
            contact = table.CONTACT_URI.kind.parse(item.text)
            for attribute in given:
                if attribute.element == item.element:
                    contact = _with(contact, attribute)
            contacts.append(contact)
    return tuple(contacts)


def _with(contact: ContactConfiguration, given: Given) -> ContactConfiguration:
    """The contact with one of its attributes set; names add up."""
    if given.setting is table.EXTERNAL_IP:
        return structs.replace(contact, external_ip=table.EXTERNAL_IP.kind.parse(given.text))
    if given.setting is table.LOCAL_NET:
        return structs.replace(contact, local_net=table.LOCAL_NET.kind.parse(given.text))
    if given.setting is table.DNS_NAMES:
        names = contact.dns_names + table.DNS_NAMES.kind.parse(given.text)
        return structs.replace(contact, dns_names=tuple(dict.fromkeys(names)))
    return contact


def _routing(sources: Sources, default: RoutingConfiguration) -> RoutingConfiguration:
    return RoutingConfiguration(
        outbound_proxy=sources.value(table.OUTBOUND_PROXY, default.outbound_proxy),
        aggressive_nat_detection=sources.value(
            table.AGGRESSIVE_NAT_DETECTION, default.aggressive_nat_detection
        ),
        disable_nat_detection=sources.switched_on(table.DISABLE_NAT_DETECTION),
        nameserver=sources.value(table.NAMESERVER, None),
        local_domain=sources.value(LOCAL_DOMAIN, default.local_domain),
        open_relay=sources.switched_on(table.OPEN_RELAY),
        relay_key=sources.value(table.RELAY_KEY, default.relay_key),
    )


def _handlers(sources: Sources) -> tuple[HandlerConfiguration, ...]:
    """The variable wins over the option, and either over all that the file has, as in the genuine server."""
    for given in sources.variables:
        if given.setting is table.HANDLER_URL:
            return (HandlerConfiguration(url=table.HANDLER_URL.kind.parse(given.text)),)
    for given in reversed(sources.line):
        if given.setting is table.HANDLER_URL:
            method = sources.value(table.HANDLER_HTTP_METHOD, "GET")
            return (HandlerConfiguration(url=table.HANDLER_URL.kind.parse(given.text), http_method=method),)
    handlers: dict[str, HandlerConfiguration] = {}
    for given in sources.document:
        if given.setting is table.HANDLER_URL:
            handler = _handler_of_file(sources.document, given)
            handlers.setdefault(handler.sip_method, handler)
    return tuple(handlers.values())


def _handler_of_file(document: Iterable[Given], url: Given) -> HandlerConfiguration:
    handler = HandlerConfiguration(url=table.HANDLER_URL.kind.parse(url.text))
    for given in document:
        if given.element != url.element:
            continue
        if given.setting is table.HANDLER_SIP_METHOD:
            handler = structs.replace(handler, sip_method=table.HANDLER_SIP_METHOD.kind.parse(given.text))
        elif given.setting is table.HANDLER_HTTP_METHOD:
            handler = structs.replace(handler, http_method=table.HANDLER_HTTP_METHOD.kind.parse(given.text))
        elif given.setting is table.HANDLER_VERIFY_PEER:
            handler = structs.replace(handler, verify_peer=table.HANDLER_VERIFY_PEER.kind.parse(given.text))
    return handler


def _handlers_that_never_count(sources: Sources) -> Iterator[Problem]:
    """Of two handlers for one method the first counts, and none of the file beside one from elsewhere."""
    elsewhere = [one.place for one in (*sources.variables, *sources.line) if one.setting is table.HANDLER_URL]
    methods = {
        one.element: one.text.strip().upper()
        for one in sources.document
        if one.setting is table.HANDLER_SIP_METHOD
    }
    seen: set[str] = set()
    for given in sources.document:
        if given.setting is not table.HANDLER_URL:
            continue
        method = methods.get(given.element, "*")
        if elsewhere:
            yield warning(given.place, f"is ignored, because of {elsewhere[0]}")
        elif method in seen:
            yield warning(given.place, f"is ignored, the first handler for {method} counts")
        seen.add(method)


def _timers(sources: Sources, default: TimerConfiguration) -> TimerConfiguration:
    def seconds(setting: Setting[int], otherwise: float) -> float:
        return sources.value(setting, round(otherwise * 1000)) / 1000

    return TimerConfiguration(
        t1=seconds(table.T1, default.t1),
        t2=seconds(table.T2, default.t2),
        t4=seconds(table.T4, default.t4),
        t1x64=seconds(table.T1X64, default.t1x64),
        ringing=sources.value(RINGING_TIMEOUT, default.ringing),
        timer_c=sources.value(TIMER_C, default.timer_c),
        default_refresher=sources.value(DEFAULT_REFRESHER, default.default_refresher),
    )


def _transports(sources: Sources, default: TransportConfiguration) -> TransportConfiguration:
    return TransportConfiguration(
        udp_mtu=sources.value(UDP_MTU, default.udp_mtu),
        udp_buffer_size=sources.value(UDP_BUFFER_SIZE, default.udp_buffer_size),
        most_consecutive_timeouts=sources.value(MOST_CONSECUTIVE_TIMEOUTS, default.most_consecutive_timeouts),
    )


def _limits(sources: Sources, default: LimitConfiguration) -> LimitConfiguration:
    return LimitConfiguration(
        failed_authentications=sources.value(
            limit_settings.FAILED_AUTHENTICATIONS, default.failed_authentications
        ),
        waiting_authentications=sources.value(
            limit_settings.WAITING_AUTHENTICATIONS, default.waiting_authentications
        ),
        unauthenticated_connections=sources.value(
            limit_settings.UNAUTHENTICATED_CONNECTIONS, default.unauthenticated_connections
        ),
        unauthenticated_connections_per_address=sources.value(
            limit_settings.UNAUTHENTICATED_CONNECTIONS_PER_ADDRESS,
            default.unauthenticated_connections_per_address,
        ),
        unread=sources.value(limit_settings.UNREAD_LIMIT, default.unread),
        routes_per_application=sources.value(
            limit_settings.ROUTES_PER_APPLICATION, default.routes_per_application
        ),
        tags_per_application=sources.value(limit_settings.TAGS_PER_APPLICATION, default.tags_per_application),
        requests_per_application=sources.value(
            limit_settings.REQUESTS_PER_APPLICATION, default.requests_per_application
        ),
        dialogs=sources.value(limit_settings.DIALOGS, default.dialogs),
        kept_for_peers=sources.value(limit_settings.KEPT_FOR_PEERS, default.kept_for_peers),
        sip_connections=sources.value(limit_settings.SIP_CONNECTIONS, default.sip_connections),
        sip_connections_per_address=sources.value(
            limit_settings.SIP_CONNECTIONS_PER_ADDRESS, default.sip_connections_per_address
        ),
        headers=sources.value(limit_settings.HEADER_LIMIT, default.headers),
        body=sources.value(limit_settings.BODY_LIMIT, default.body),
        handshake_timeout=sources.value(limit_settings.HANDSHAKE_TIMEOUT, default.handshake_timeout),
        incomplete_message_timeout=sources.value(
            limit_settings.INCOMPLETE_MESSAGE_TIMEOUT, default.incomplete_message_timeout
        ),
        sip_unread_timeout=sources.value(limit_settings.SIP_UNREAD_TIMEOUT, default.sip_unread_timeout),
        sip_unread=sources.value(limit_settings.SIP_UNREAD_LIMIT, default.sip_unread),
        lookups=sources.value(limit_settings.LOOKUPS, default.lookups),
        callback_questions=sources.value(limit_settings.CALLBACK_QUESTIONS, default.callback_questions),
        callback_answer=sources.value(limit_settings.CALLBACK_ANSWER_LIMIT, default.callback_answer),
        outbound_connections=sources.value(limit_settings.OUTBOUND_CONNECTIONS, default.outbound_connections),
        outbound_attempts=sources.value(limit_settings.OUTBOUND_ATTEMPTS, default.outbound_attempts),
    )


def _process(sources: Sources, default: ProcessConfiguration) -> ProcessConfiguration:
    return ProcessConfiguration(
        daemon=sources.switched_on(DAEMON),
        user=sources.value(USER, default.user),
        pid_file=sources.value(PID_FILE, default.pid_file),
        drain=sources.value(DRAIN, default.drain),
    )


def _logging(sources: Sources, default: LoggingConfiguration) -> LoggingConfiguration:
    no_config = sources.switched_on(table.NO_CONFIG)
    name = sources.value(table.LOG_FILE, "")
    file: LogFileConfiguration | None = None
    if name and not no_config:
        shape = LogFileConfiguration(name=name)
        file = LogFileConfiguration(
            name=name,
            archive=sources.value(table.LOG_ARCHIVE, shape.archive),
            size=sources.value(table.LOG_SIZE, shape.size),
            max_size=sources.value(table.LOG_MAX_SIZE, shape.max_size),
            min_size=sources.value(table.LOG_MIN_SIZE, shape.min_size),
            max_files=sources.value(table.LOG_MAX_FILES, shape.max_files),
            auto_flush=sources.value(table.LOG_AUTO_FLUSH, shape.auto_flush),
        )
    return LoggingConfiguration(
        level=sources.value(table.LOG_LEVEL, default.level),
        stack_level=sources.value(table.STACK_LEVEL, default.stack_level),
        console=no_config or sources.switched_on(table.CONSOLE),
        file=file,
        globally_readable=sources.switched_on(table.GLOBALLY_READABLE_LOGS),
        syslog=None if no_config else _syslog(sources),
        json=sources.value(table.LOG_FORMAT, "text") == "json",
    )


def _syslog(sources: Sources) -> SyslogConfiguration | None:
    address = sources.value(table.SYSLOG_ADDRESS, "")
    if not address:
        return None
    shape = SyslogConfiguration(address=address)
    return SyslogConfiguration(
        address=address,
        port=sources.value(table.SYSLOG_PORT, shape.port),
        facility=sources.value(table.SYSLOG_FACILITY, shape.facility),
    )


def _capture(sources: Sources) -> CaptureConfiguration | None:
    """What the first source that names a server says; port, id and version of the file belong to the file's server."""
    server = sources.given(table.CAPTURE_SERVER)
    if server is None:
        return None
    of_file = server in sources.document
    others = Sources(sources.line, sources.variables, sources.document if of_file else [])
    host, port = table.CAPTURE_SERVER.kind.parse(server.text)
    agent_id = others.value(table.CAPTURE_ID, 0)
    if not agent_id:
        return None  # _incomplete has said so
    shape = CaptureConfiguration(host=host, agent_id=agent_id)
    if port is None:
        of_option = server in sources.line  # whose port is its own, not the variable's
        port = shape.port if of_option else others.value(table.CAPTURE_PORT, shape.port)
    return CaptureConfiguration(
        host=host,
        port=port,
        agent_id=agent_id,
        version=others.value(table.CAPTURE_VERSION, shape.version),
    )


def _metrics(sources: Sources) -> MetricsConfiguration | None:
    door = sources.given(table.METRICS_DOOR)
    shape = MetricsConfiguration(port=0)
    if door is not None:
        host, port = table.METRICS_DOOR.kind.parse(door.text)
        return MetricsConfiguration(host=host or shape.host, port=port)
    if sources.given(table.METRICS_PORT) is None:
        return None
    return MetricsConfiguration(
        host=sources.value(table.METRICS_HOST, shape.host), port=sources.value(table.METRICS_PORT, shape.port)
    )


def _incomplete(sources: Sources) -> Iterator[Problem]:
    """What says where something is to go and lacks what it needs for that. The genuine server does without it, too."""
    server = sources.given(table.CAPTURE_SERVER)
    if server is not None:
        others = Sources(sources.line, sources.variables, sources.document)
        if server not in sources.document:
            others.document = []
        agent_id = others.value(table.CAPTURE_ID, 0)
        if not agent_id and server in sources.document:
            yield warning(
                server.place, "expected an id, found none; no messages are sent to the capture server"
            )
        elif not agent_id:
            yield error(server.place, "expected --homer-id (or its variable) beside it, found none")
        elif others.value(table.CAPTURE_VERSION, 3) == 2 and agent_id > _LARGEST_ID_OF_HEP_2:
            text = (
                f"expected an id of at most {_LARGEST_ID_OF_HEP_2}, as HEP version 2 has it, got {agent_id}"
            )
            yield error(server.place, text)
    syslog = sources.given(table.SYSLOG_PORT) or sources.given(table.SYSLOG_FACILITY)
    if syslog is not None and sources.given(table.SYSLOG_ADDRESS) is None:
        yield warning(
            syslog.place, "expected an <address> beside it, found none; nothing is logged to syslog"
        )
    metrics = sources.given(table.METRICS_HOST)
    if metrics is not None and sources.given(table.METRICS_PORT) is None and _metrics(sources) is None:
        yield warning(metrics.place, "expected a port, found none; there are no figures to scrape")


_LARGEST_ID_OF_HEP_2 = 65_535
