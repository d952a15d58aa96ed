"""The table against the list of what the genuine server has, and the document that is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reference_server.config import table
from reference_server.config.reference import help_text, markdown
from reference_server.config.setting import Effect, Setting
from reference_server.config.shown_by import SHOWN_BY, name_of
from reference_server.config.table import BY_LETTER, BY_OPTION, BY_PATH, BY_VARIABLE, TABLE

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "configuration.md"


def named(names: str) -> set[str]:
    return set(names.split())


PATHS = named("""
admin admin@port admin@tls-port admin@secret admin@tls admin@tcp-keepalive sip/contact sip/contacts/contact
sip/contacts/contact@external-ip sip/contacts/contact@local-net sip/contacts/contact@dns-names sip/outbound-proxy
sip/reject-register-with-no-realm sip/capture-server sip/capture-server@port sip/capture-server@id
sip/capture-server@hep-version sip/user-agent-options-auto-respond sip/blacklist/redis-address
sip/blacklist/redis-sentinels sip/blacklist/redis-master sip/blacklist/redis-password sip/blacklist/redis-port
sip/blacklist/redis-key sip/blacklist/refresh-secs sip/aggressive-nat-detection sip/tls/min-tls-version
sip/tls/key-file sip/tls/cert-file sip/tls/chain-file sip/tls/dh-param sip/timers/t1 sip/timers/t2 sip/timers/t4
sip/timers/t1x64 sip/spammers@action sip/spammers@tcp-action sip/spammers/header@name sip/spammers/header/*
sip/udp-mtu request-handlers/request-handler request-handlers/request-handler@sip-method
request-handlers/request-handler@http-method request-handlers/request-handler@verify-peer monitoring/prometheus
monitoring/prometheus@port cdrs logging/sofia-loglevel logging/syslog/address logging/syslog/port
logging/syslog/facility logging/file/name logging/file/archive logging/file/size logging/file/maxSize
logging/file/minSize logging/file/auto-flush logging/file/maxFiles logging/console logging/loglevel
sip/session-timers@default-refresher sip/udp-buffer-size
""")

OPTIONS = named("""
daemon noconfig file user port tls-port contact external-ip local-net dns-name http-handler http-method loglevel
sofia-loglevel stdout homer homer-id mtu dh-param key-file cert-file chain-file address secret
aggressive-nat-detection disable-nat-detection prometheus-scrape-port memory-debug tcp-keepalive-interval
min-tls-version tls-cipherlist blacklist-redis-address blacklist-redis-port blacklist-redis-key
blacklist-redis-sentinels blacklist-redis-master blacklist-redis-password blacklist-refresh-secs always-send-180
user-agent-options-auto-respond globally-readable-logs reject-register-with-no-realm version help
""")

LETTERS = set("fupcxnamlyzDGABCEFIvh")

VARIABLES = named("""
ADMIN_ADDRESS ADMIN_TCP_PORT ADMIN_TLS_PORT AGRESSIVE_NAT_DETECTION MEMORY_DEBUG TLS_CERT_FILE TLS_CHAIN_FILE
TLS_KEY_FILE TLS_DH_PARAM_FILE TLS_VERIFY_CLIENT_CERT TLS_CIPHER_LIST MIN_TLS_VERSION CONFIG_FILE_PATH HOMER_ADDRESS
HOMER_PORT HOMER_ID HTTP_HANDLER_URI LOGLEVEL SOFIA_LOGLEVEL UDP_MTU TCP_KEEPALIVE_INTERVAL SECRET CONSOLE_LOGGING
PROMETHEUS_SCRAPE_PORT BLACKLIST_REDIS_ADDRESS BLACKLIST_REDIS_SENTINELS BLACKLIST_REDIS_MASTER
BLACKLIST_REDIS_PASSWORD BLACKLIST_REDIS_PORT BLACKLIST_REDIS_KEY BLACKLIST_REFRESH_SECS
USER_AGENT_OPTIONS_AUTO_RESPOND REJECT_REGISTER_WITH_NO_REALM PRESERVE_HEADER_NAMES SUPPORT_BEST_EFFORT_TLS
LOCAL_DOMAIN TPORT_MAX_CONSECUTIVE_TIMEOUTS
""")


def test_of_each_setting_without_effect_it_is_said_what_that_means() -> None:
    for setting in TABLE:
        assert bool(setting.without) is (setting.effect is not Effect.NOW), setting


def test_all_that_the_genuine_server_has_is_named_and_nothing_else() -> None:
    assert set(BY_PATH) == PATHS
    assert {name for name, setting in BY_VARIABLE.items() if not setting.own} == VARIABLES
    assert set(BY_LETTER) == LETTERS
    assert {name for name, setting in BY_OPTION.items() if not setting.own} == OPTIONS


def test_no_name_stands_in_two_rows() -> None:
    for names in ("path", "option", "letter", "variable"):
        given = [getattr(setting, names) for setting in TABLE if getattr(setting, names)]
        assert len(given) == len(set(given))


@pytest.mark.parametrize(
    "setting", [setting for setting in TABLE if setting.default], ids=lambda s: s.path or s.option
)
def test_a_default_is_a_right_value(setting: Setting[object]) -> None:
    setting.kind.parse(setting.default)


def test_what_has_an_effect_is_read_somewhere() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "reference_server").rglob("*.py"))
    names = [name for name, value in vars(table).items() if isinstance(value, Setting)]
    assert [name for name in names if f"table.{name}" not in sources] == []


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == markdown(), (
        "run: python -m reference_server.config.reference > docs/configuration.md"
    )


def test_the_help_text_fits_a_terminal_and_names_every_option() -> None:
    text = help_text("drachtio-reference-server")
    assert max(len(line) for line in text.splitlines()) <= 100
    named = set(re.findall(r"--([a-z0-9-]+)", text))
    assert named == set(BY_OPTION)


IN_EFFECT = [setting for setting in TABLE if setting.effect is Effect.NOW]


@pytest.mark.parametrize("setting", IN_EFFECT, ids=name_of)
def test_a_test_shows_the_effect_of_each_setting(setting: Setting[object]) -> None:
    file, _, name = SHOWN_BY[name_of(setting)].partition("::")
    text = (DOCUMENT.parents[1] / file).read_text("utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE), f"no {name} in {file}"


def test_nothing_else_is_said_to_be_shown() -> None:
    assert set(SHOWN_BY) == {name_of(setting) for setting in IN_EFFECT}
