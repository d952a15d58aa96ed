"""The settings of the process: in the background or not, as whom, and how it ends."""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Setting

DAEMON = Setting(
    kind=values.FLAG,
    meaning="run in the background; the pid goes to standard output once the server is ready",
    option="daemon",
)
USER = Setting(
    kind=values.TEXT,
    meaning="user to become, with its groups, when everything is bound",
    option="user",
    letter="u",
    argument="NAME",
)
PID_FILE = Setting(
    kind=values.PATH,
    meaning="file that holds the pid while the server runs",
    option="pid-file",
    argument="PATH",
    own=True,
)
DRAIN = Setting(
    kind=values.SECONDS_OR_ZERO,
    meaning="seconds that calls get after SIGTERM; nothing new is taken meanwhile, a second SIGTERM ends at once",
    default="5",
    option="drain",
    argument="SECONDS",
    variable="DRAIN",
    own=True,
)

PROCESS: tuple[Setting[object], ...] = (DAEMON, USER, PID_FILE, DRAIN)
