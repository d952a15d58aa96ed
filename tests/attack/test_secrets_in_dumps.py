"""What is secret stands in no ``repr``, no traceback with values, no ``--check``, and no error of ours."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from reference_server.config.effective import effective_text
from reference_server.config.model import Configuration, HandlerConfiguration
from reference_server.config.reading import Reading, read
from reference_server.config.table import TABLE
from reference_server.reload import told
from reference_server.settings import core_settings
from reference_server.wire.requests import parse_request
from tests.admin.admin_port import SECRET
from tests.admin.test_session import Wire

HIDDEN = "kolibri"
OPTIONS = {
    "secret": f"{HIDDEN}1",
    "relay-key": f"{HIDDEN}2",
    "http-handler": f"https://u:{HIDDEN}3@h/{HIDDEN}4?token={HIDDEN}5",
    "blacklist-redis-password": f"{HIDDEN}6",
    "blacklist-redis-address": "127.0.0.1",
    "blacklist-redis-key": "k",
}
FILE = f"""<drachtio><admin secret="{HIDDEN}7">127.0.0.1</admin>
<request-handlers><request-handler sip-method="INVITE">http://u:{HIDDEN}8@h/</request-handler></request-handlers>
</drachtio>"""


def readings(folder: Path) -> list[Reading]:
    """Each secret from each source that it may come from."""
    file = folder / "d.xml"
    file.write_text(FILE)
    line = [word for name, text in OPTIONS.items() for word in (f"--{name}", text)]
    variables = {
        f"DRACHTIO_{setting.variable}": OPTIONS[setting.option]
        for setting in TABLE
        if setting.secret and setting.variable
    }
    return [
        read(["--check", *line], {}, folder / "none"),
        read(["--check", *line[-4:]], variables, folder / "none"),
        read(["--check", "-f", str(file)], {}, folder / "none"),
    ]


def test_all_secrets_are_tried() -> None:
    assert {setting.option for setting in TABLE if setting.secret} <= {*OPTIONS}


def test_no_dump_shows_one(tmp_path: Path) -> None:
    for reading in readings(tmp_path):
        configuration = reading.configuration
        assert configuration is not None, reading.problems
        values = repr([configuration.admin.secret, *(one.url for one in configuration.handlers)])
        assert HIDDEN in values, "they are there"
        dumps = {
            "repr": repr(configuration),
            "reading": repr(reading),
            "sources": repr(reading.sources),
            "core": repr(core_settings(configuration)),
            "check": effective_text(reading.sources),
            "problems": "".join(map(str, reading.problems)),
            "reload": "".join(told(Configuration(), configuration)),
        }
        assert [name for name, text in dumps.items() if HIDDEN in text] == []
        assert "***" in dumps["repr"]
        assert "***" in dumps["check"]


def test_what_is_not_secret_is_shown() -> None:
    assert repr(Configuration().routing).startswith("RoutingConfiguration(outbound_proxy='', ")
    assert "relay_key=''" in repr(Configuration().routing)
    assert repr(HandlerConfiguration(url="http://h")) == (
        "HandlerConfiguration(url=***, sip_method='*', http_method='GET', verify_peer=False)"
    )


def test_a_traceback_with_values_shows_none(tmp_path: Path) -> None:
    configuration = readings(tmp_path)[0].configuration
    message = parse_request(f"id|authenticate|{HIDDEN}|tag")

    def fail(configuration: object, message: object) -> None:
        raise RuntimeError

    try:
        fail(configuration, message)
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    inner = shown.partition("in fail\n")[2]
    assert "message = Authenticate(message_id='id', secret=***, tags='tag')" in inner
    assert HIDDEN not in inner


def test_a_mistake_of_ours_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()

    def fail(*_: object) -> None:
        raise ValueError(f"cannot take |{SECRET}|")

    monkeypatch.setattr(wire.context.failed_attempts, "succeeded", fail)
    wire.say(f"a|authenticate|{SECRET}|")
    (details,) = [details for name, details in wire.tap.events if name == "internal-error"]
    assert SECRET not in str(details)
    assert "cannot take |***|" in str(details["error"])
