"""What ``--check`` prints: the value of every setting that is given, and where it comes from.

One line for each, ``name: value (place)``, in the order of the table; secrets are ``***``. A setting that nobody gives
has its default, which is shown too, so that what the server would do stands in one place.
"""

from __future__ import annotations

import re

from reference_server.config import table
from reference_server.config.given import Given
from reference_server.config.setting import Effect, Setting
from reference_server.config.shown_by import name_of
from reference_server.config.sources import Sources
from reference_server.config.values import FLAG

_SEVERAL = "sip/contacts/contact", "sip/spammers/header", "request-handlers/request-handler"
"""Elements of which there may be more than one."""
_PASSWORD = re.compile(r"//[^/@\s]*@")
"""Of a URL."""
_OF_THE_CALL = (table.CHECK, table.VERSION, table.HELP)


def effective_text(sources: Sources) -> str:
    """The lines, each with its line end."""
    lines: list[str] = []
    for setting in table.TABLE:
        if setting in _OF_THE_CALL or setting.effect is not Effect.NOW:
            continue
        if setting.path.startswith(_SEVERAL):
            lines += [_line(setting, one.text, one.place) for one in _all(sources, setting)]
        elif (given := sources.given(setting)) is not None:
            lines.append(_line(setting, given.text, given.place))
        elif setting.default:
            lines.append(_line(setting, setting.default, "default"))
    if not _all(sources, table.CONTACT_URI) and sources.given(table.SINGLE_CONTACT) is None:
        lines.append(_line(table.CONTACT_URI, table.CONTACT_URI.default, "default"))
    return "".join(f"{line}\n" for line in lines)


def _all(sources: Sources, setting: Setting[object]) -> list[Given]:
    """Those that count: of contacts those of the command line, if it has any."""
    contacts = setting.path.startswith(_SEVERAL[0])
    on_line = [one for one in sources.line if one.setting is setting]
    if contacts and any(one.setting is table.CONTACT_URI for one in sources.line):
        return on_line
    return [*on_line, *(one for one in sources.document if one.setting is setting)]


def _line(setting: Setting[object], text: str, place: str) -> str:
    if setting.secret:
        value = "***"
    elif setting.kind is FLAG:
        value = "no" if text == "0" else "yes"
    else:
        value = _PASSWORD.sub("//***@", " ".join(text.split())) or "yes"
    return f"{name_of(setting)}: {value} ({place})"


# Tested by tests/config/test_effective.py.
