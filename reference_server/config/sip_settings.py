"""The settings of SIP that are no element of their own: transports, sessions, and how long is waited for answers."""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Setting

UDP_MTU = Setting(
    kind=values.UNSIGNED,
    meaning="a request larger than so many bytes goes by TCP, if somebody takes a connection there; 0: by UDP",
    default="0",
    path="sip/udp-mtu",
    option="mtu",
    letter="D",
    argument="BYTES",
    variable="UDP_MTU",
)
UDP_BUFFER_SIZE = Setting(
    kind=values.BUFFER,
    meaning="send and receive buffers of UDP sockets, in bytes",
    default="4194304",
    path="sip/udp-buffer-size",
)
MOST_CONSECUTIVE_TIMEOUTS = Setting(
    kind=values.TIMEOUTS_IN_A_ROW,
    meaning="a connection over which so many requests in a row get no answer is closed; 0: never for that",
    default="0",
    variable="TPORT_MAX_CONSECUTIVE_TIMEOUTS",
)
LOCAL_DOMAIN = Setting(
    kind=values.DOMAIN,
    meaning="domain of this server: what an application sends there or below would come back, and is refused",
    variable="LOCAL_DOMAIN",
)
DEFAULT_REFRESHER = Setting(
    kind=values.REFRESHER,
    meaning="who refreshes where a caller's Session-Expires leaves it open: none (no session timer), uac or uas",
    default="none",
    path="sip/session-timers@default-refresher",
)
RINGING_TIMEOUT = Setting(
    kind=values.SECONDS,
    meaning="seconds that a call may ring from one provisional response to the next",
    default="1800",
    option="ringing-timeout",
    argument="SECONDS",
    variable="RINGING_TIMEOUT",
    own=True,
)
TIMER_C = Setting(
    kind=values.SECONDS,
    meaning="the same for a proxied INVITE (timer C of RFC 3261 §16.6) and one inside a dialog",
    default="185",
    option="timer-c",
    argument="SECONDS",
    variable="TIMER_C",
    own=True,
)

SIP: tuple[Setting[object], ...] = (
    UDP_MTU,
    UDP_BUFFER_SIZE,
    MOST_CONSECUTIVE_TIMEOUTS,
    LOCAL_DOMAIN,
    DEFAULT_REFRESHER,
    RINGING_TIMEOUT,
    TIMER_C,
)
