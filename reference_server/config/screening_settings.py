"""The settings of who may not come in: spammers, bare registrations, the blacklist; and of what is answered at once."""

from __future__ import annotations

from reference_server.config import values
from reference_server.config.setting import Setting

SPAM_ACTION = Setting(
    kind=values.SPAM_ACTION,
    meaning="what a spammer's request gets: reject (603 Decline) or discard (nothing)",
    default="reject",
    path="sip/spammers@action",
)
SPAM_TCP_ACTION = Setting(
    kind=values.SPAM_ACTION,
    meaning="the same for what comes over a connection; by default as action",
    path="sip/spammers@tcp-action",
)
SPAM_HEADER = Setting(
    kind=values.HEADER_NAME,
    meaning="header by which spammers are known; of To, From and Contact the user part counts",
    path="sip/spammers/header@name",
)
SPAM_TEXT = Setting(
    kind=values.TEXT,
    meaning="text in that header by which they are known; letter case counts",
    path="sip/spammers/header/*",
)
REJECT_REGISTER_WITH_NO_REALM = Setting(
    kind=values.SWITCH,
    meaning="answer 403 to a REGISTER whose domain is an IPv4 address",
    default="no",
    path="sip/reject-register-with-no-realm",
    option="reject-register-with-no-realm",
    variable="REJECT_REGISTER_WITH_NO_REALM",
)
USER_AGENT_OPTIONS_AUTO_RESPOND = Setting(
    kind=values.TEXT,
    meaning="User-Agent whose OPTIONS get 200 without an application; letter case counts",
    path="sip/user-agent-options-auto-respond",
    option="user-agent-options-auto-respond",
    argument="TEXT",
    variable="USER_AGENT_OPTIONS_AUTO_RESPOND",
)
ALWAYS_SEND_180 = Setting(
    kind=values.FLAG,
    meaning="send 180 to every INVITE as soon as an application is asked",
    option="always-send-180",
)

BLACKLIST_ADDRESS = Setting(
    kind=values.TEXT,
    meaning="Redis server that holds a set of the addresses to ignore; with it or the sentinels on the command line "
    "or in the environment, <blacklist> of the file does not count",
    path="sip/blacklist/redis-address",
    option="blacklist-redis-address",
    argument="HOST",
    variable="BLACKLIST_REDIS_ADDRESS",
)
BLACKLIST_PORT = Setting(
    kind=values.PORT_NOT_ZERO,
    meaning="its port",
    default="6379",
    path="sip/blacklist/redis-port",
    option="blacklist-redis-port",
    argument="N",
    variable="BLACKLIST_REDIS_PORT",
)
BLACKLIST_KEY = Setting(
    kind=values.TEXT,
    meaning="key of the set",
    path="sip/blacklist/redis-key",
    option="blacklist-redis-key",
    argument="KEY",
    variable="BLACKLIST_REDIS_KEY",
)
BLACKLIST_SENTINELS = Setting(
    kind=values.SERVERS,
    meaning="Redis sentinels to ask for the replicas, HOST[:PORT] separated by commas",
    path="sip/blacklist/redis-sentinels",
    option="blacklist-redis-sentinels",
    argument="LIST",
    variable="BLACKLIST_REDIS_SENTINELS",
)
BLACKLIST_MASTER = Setting(
    kind=values.TEXT,
    meaning="name by which the sentinels know the Redis master",
    path="sip/blacklist/redis-master",
    option="blacklist-redis-master",
    argument="NAME",
    variable="BLACKLIST_REDIS_MASTER",
)
BLACKLIST_PASSWORD = Setting(
    kind=values.TEXT,
    meaning="password of the Redis servers",
    path="sip/blacklist/redis-password",
    option="blacklist-redis-password",
    argument="TEXT",
    variable="BLACKLIST_REDIS_PASSWORD",
    secret=True,
)
BLACKLIST_REFRESH = Setting(
    kind=values.SECONDS,
    meaning="seconds after which the set is read again",
    default="3600",
    path="sip/blacklist/refresh-secs",
    option="blacklist-refresh-secs",
    argument="SECONDS",
    variable="BLACKLIST_REFRESH_SECS",
)

SCREENING: tuple[Setting[object], ...] = (
    SPAM_ACTION,
    SPAM_TCP_ACTION,
    SPAM_HEADER,
    SPAM_TEXT,
    REJECT_REGISTER_WITH_NO_REALM,
    USER_AGENT_OPTIONS_AUTO_RESPOND,
    ALWAYS_SEND_180,
    BLACKLIST_ADDRESS,
    BLACKLIST_PORT,
    BLACKLIST_KEY,
    BLACKLIST_SENTINELS,
    BLACKLIST_MASTER,
    BLACKLIST_PASSWORD,
    BLACKLIST_REFRESH,
)

# Tested by tests/config/test_screening_settings.py.
