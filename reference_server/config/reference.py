"""What a user reads about the settings: the help text and docs/configuration.md, both made from the table.

``python -m reference_server.config.reference > docs/configuration.md`` writes the latter anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from textwrap import wrap

from reference_server.config.environment import PREFIX
from reference_server.config.setting import Effect, Setting
from reference_server.config.shown_by import SHOWN_BY, name_of
from reference_server.config.table import TABLE

_COLUMN = 34
_WIDTH = 100


def help_text(program: str) -> str:
    """The text of ``--help``: options in effect, then those of the genuine server that have none yet."""
    lines = [f"usage: {program} [OPTION]…", "", "A reference server of the drachtio admin protocol.", ""]
    lines += _options(setting for setting in TABLE if setting.effect is Effect.NOW and not setting.own)
    lines += ["", "only in this server:"]
    lines += _options(setting for setting in TABLE if setting.effect is Effect.NOW and setting.own)
    lines += ["", "accepted with a warning that says what is not done, without effect in this release:"]
    names = ", ".join(f"--{setting.option}" for setting in _without_effect(TABLE) if setting.option)
    lines += wrap(names, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    lines += ["", "Long options may be abbreviated. Every setting, also of the file and the environment,"]
    lines += ["is described in docs/configuration.md."]
    return "\n".join(lines) + "\n"


def _options(settings: Iterable[Setting[object]]) -> list[str]:
    lines: list[str] = []
    for setting in settings:
        if not setting.option:
            continue
        letter = f"-{setting.letter}, " if setting.letter else "    "
        head = f"  {letter}--{setting.option}{_behind(setting)}"
        meaning = setting.meaning
        if setting.argument and setting.default:
            meaning += f" (default {setting.default})"
        text = wrap(meaning, _WIDTH - _COLUMN)
        if len(head) >= _COLUMN:
            lines.append(head)
        else:
            lines.append(f"{head:{_COLUMN}}{text.pop(0)}")
        lines += [" " * _COLUMN + line for line in text]
    return lines


def _behind(setting: Setting[object]) -> str:
    """What stands behind an option."""
    return f"[={setting.word}]" if setting.word else f" {setting.argument}" if setting.argument else ""


def _without_effect(settings: Iterable[Setting[object]]) -> list[Setting[object]]:
    return [setting for setting in settings if setting.effect is not Effect.NOW]


def markdown() -> str:
    """docs/configuration.md."""
    parts = [
        _INTRODUCTION,
        "## Settings in effect\n",
        _table(setting for setting in TABLE if setting.effect is Effect.NOW and not setting.own),
        "## Settings that only this server has\n",
        _table(setting for setting in TABLE if setting.effect is Effect.NOW and setting.own),
        "What happens above each limit, and how it is told: `docs/reliability.md`, Limits.\n",
        "## Settings without effect in this release\n",
        _LATER,
        _table(_without_effect(TABLE)),
        "## What shows the effect\n",
        "The test behind each setting above that has an effect.\n",
        _shown(),
    ]
    return "\n".join(parts)


_INTRODUCTION = f"""# Configuration of the reference server

<!-- Made by `python -m reference_server.config.reference`; a test keeps it current. -->

`drachtio-reference-server` reads what the genuine server reads: the same XML file, options and `{PREFIX}…`
variables. It also runs without any of them: applications are then awaited on 127.0.0.1:9022 with the secret
`admin`, SIP on 127.0.0.1:5060 over UDP and TCP.

- The command line wins over the environment, that over the file, that over the defaults. A switch is on if any
  source switches it on. `--contact` replaces all contacts of the file; `--external-ip`, `--local-net` and
  `--dns-name` belong to the `--contact` before them.
- The file is the one of `--file`, else of `{PREFIX}CONFIG_FILE_PATH`, else `/etc/drachtio.conf.xml` if that exists.
  Its outermost element is `<drachtio>`; below, `admin@port` stands for the attribute `port` of `<admin>`,
  `sip/timers/t1` for the text of `<t1>` in `<timers>` in `<sip>`. White space around a value does not count.
- A wrong value is an error that names its place, and nothing starts (status 2). An unknown name, a repeated element
  and a setting without effect give a warning each. `--check` reads everything, says `configuration ok` or what is
  wrong, and does not start. To it a warning is an error (status 2), but for settings that are known and have no effect
  here: each is named with what it means (`memory is managed by Python`). `--check=strict` makes errors of these, too.
  Before its verdict it prints the value of every setting and where it comes from; secrets are `***`.
- A variable that is empty counts as not set; a switch is written 1 (on) or 0 there.
- Status at the end: 0 stopped by a signal, 2 wrong usage or configuration, 3 could not start.
- SIGHUP reads everything again. What only concerns what begins from now on holds at once, with calls up: secret, log
  levels, timers, screening, outbound proxy, NAT and TLS settings, limits, call records, request handlers. Of what
  else has changed (addresses, ports, log and trace files, dialect, user) the log says that it needs a restart.
- SIGTERM frees the ports of connections at once, answers 503 to what would begin, and lets calls that are up end, for
  `--drain` seconds at most; a second one ends at once. `packaging/` has a systemd unit and a Containerfile.

```xml
<drachtio>
  <admin port="9022" secret="cymru">127.0.0.1</admin>
  <sip>
    <contacts>
      <contact external-ip="203.0.113.7" local-net="10.0.0.0/8">sip:10.1.2.3:5060;transport=udp,tcp</contact>
      <contact>sip:[::1]:5060;transport=udp</contact>
    </contacts>
  </sip>
  <logging>
    <file><name>/var/log/drachtio/drachtio.log</name></file>
    <loglevel>notice</loglevel>
  </logging>
</drachtio>
```
"""

_LATER = """The genuine server has them; here they are read and checked, and each that is given gives one warning that
says what is not done. That stands behind the semicolon.
"""


def _table(settings: Iterable[Setting[object]]) -> str:
    lines = [
        "| file | option | variable | value | default | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for setting in settings:
        option = ""
        if setting.option:
            letters = f"`-{setting.letter}` " if setting.letter else ""
            option = f"{letters}`--{setting.option}{_behind(setting)}`"
        cells = (
            f"`{setting.path}`" if setting.path else "",
            option,
            f"`{PREFIX}{setting.variable}`" if setting.variable else "",
            setting.kind.name,
            f"`{setting.default}`" if setting.default else "",
            _meaning(setting),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _shown() -> str:
    """A row for each name that a setting in effect has, with its test."""
    lines = ["| setting | test |", "|---|---|"]
    for setting in TABLE:
        if setting.effect is Effect.NOW:
            names = [setting.path, f"--{setting.option}" if setting.option else ""]
            names.append(f"{PREFIX}{setting.variable}" if setting.variable else "")
            shown = ", ".join(f"`{name}`" for name in names if name)
            lines.append(f"| {shown} | `{SHOWN_BY.get(name_of(setting), '')}` |")
    return "\n".join(lines) + "\n"


def _meaning(setting: Setting[object]) -> str:
    text = setting.meaning if "`" in setting.meaning else setting.meaning.replace("<", "&lt;")
    return f"{text}; {setting.without}" if setting.without else text


if __name__ == "__main__":
    sys.stdout.write(markdown())

# Tested by tests/config/test_table.py.
