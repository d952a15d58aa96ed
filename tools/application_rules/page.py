"""The page of the rules, docs/guides/rules.md: ``python -m application_rules.page > docs/guides/rules.md``."""

from __future__ import annotations

import sys

from application_rules.rules import RULES, Weight

_HEAD = """\
# What an application may send

The rules by which applications are judged: in client mode (`drachtio-conformance client`, see
[the conformance app](../conformance-app.md)), by a server that runs (`drachtio-reference-server --lint`; `--strict`
answers `NOK` to what breaks a MUST, and does nothing of it), and in recordings (`drachtio-conformance coverage
TRACE`). They are one list, `tools/application_rules/rules.py`, of which this page is made.

A *violation* breaks a MUST of [the specification](../protocol.md). A *warning* is about a SHOULD, or about what the
genuine server cannot take ([Portable clients](portable-clients.md)). A *hint* is about what works and is probably not
what was meant.

`--lint` writes a line to the log, and an event `lint` to the trace, as it happens:

```text
lint: connection=1, clause=APP-6, rule=verb-in-capitals, weight=violation, what=route|INVITE matches no request, …
```

| clause | rule | weight | what to do |
|---|---|---|---|
"""


def text() -> str:
    """The page."""
    order = (Weight.VIOLATION, Weight.WARNING, Weight.HINT)
    rows = sorted(RULES.values(), key=lambda rule: order.index(rule.weight))
    return _HEAD + "".join(
        f"| {rule.clause} | `{rule.name}` | {rule.weight.value} | {rule.remedy.replace('|', chr(92) + '|')} |\n"
        for rule in rows
    )


if __name__ == "__main__":
    sys.stdout.write(text())
