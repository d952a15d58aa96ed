"""What of the configuration concerns calls, as the core has it."""

from __future__ import annotations

from reference_server.config.model import Configuration, Dialect, ScreeningConfiguration
from reference_server.core.context import Settings
from reference_server.core.defects import NONE, Defects
from reference_server.core.patience import Patience
from reference_server.core.screening import Screening, SpamAction, SpamRule
from reference_server.sip.session_timer import Refresher
from reference_server.sip.transactions.timing import Timing


def core_settings(configuration: Configuration, defects: Defects = NONE) -> Settings:
    """The core's settings; they may change while calls are up (:meth:`Core.apply`)."""
    timers, routing = configuration.timers, configuration.routing
    default = timers.default_refresher
    return Settings(
        timing=Timing(timers.t1, timers.t2, timers.t4, timers.t1x64),
        patience=Patience(ringing=timers.ringing, timer_c=timers.timer_c),
        default_refresher=None if default == "none" else Refresher(default),
        largest_datagram=configuration.transports.udp_mtu,
        hangup_on_application_loss=configuration.admin.hangup_on_application_loss,
        dialect_0_8=configuration.dialect is Dialect.V0_8,
        call_records=configuration.cdrs,
        outbound_proxy=routing.outbound_proxy,
        local_domain=routing.local_domain,
        most_dialogs=configuration.limits.dialogs,
        most_waiting=configuration.limits.requests_per_application,
        open_relay=routing.open_relay,
        relay_key=routing.relay_key,
        aggressive_nat_detection=routing.aggressive_nat_detection,
        disable_nat_detection=routing.disable_nat_detection,
        best_effort_tls=configuration.tls.best_effort,
        preserved_header_names=frozenset(name.lower() for name in configuration.preserve_header_names),
        screening=_screening(configuration.screening),
        defects=defects,
    )


def _screening(configuration: ScreeningConfiguration) -> Screening:
    return Screening(
        spam=tuple(SpamRule(header.name, header.texts) for header in configuration.spam),
        action=SpamAction(configuration.action),
        action_on_connections=SpamAction(configuration.tcp_action),
        reject_register_without_realm=configuration.reject_register_with_no_realm,
        answered_user_agent=configuration.answered_user_agent,
        always_ringing=configuration.always_send_180,
    )


# Tested by tests/test_server.py.
