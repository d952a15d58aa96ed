"""The parser of docs/protocol.md and docs/deviations.md."""

from __future__ import annotations

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.cases.specification import SpecificationError

GOOD = """# The protocol

### Not a clause

## Ping

### PING-1 · A ping is answered · MUST · server · since 0.2

A ping is answered
with `OK|pong`.

```text
### FRAME-7 · within an example nothing is a heading
8#id1|ping
```

> Genuine server: the
> same ([DEV-1](deviations.md)).

### PING-2 · Seconds · SHOULD NOT · both · since 0.3
<!-- untestable: nobody
can see it -->

Second.

```
x
```
## Next
"""


def test_clauses_have_all_their_parts() -> None:
    clauses = specification.parse_protocol(GOOD, "p.md")
    assert list(clauses) == ["PING-1", "PING-2"]
    first, second = clauses.values()
    assert (first.title, first.number, second.title) == ("A ping is answered", 1, "Seconds")
    assert (first.level, first.party, first.since, first.family) == ("MUST", "server", "0.2", "PING")
    assert first.text == "A ping is answered with `OK|pong`."
    assert first.example.splitlines()[1] == "8#id1|ping"
    assert first.remark == "Genuine server: the same ([DEV-1](deviations.md))."
    assert (first.section, first.source, first.untestable) == ("Ping", "p.md:7", "")
    assert (second.level, second.text) == ("SHOULD NOT", "Second.")
    assert second.untestable == "nobody can see it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("### PING-1 MUST server\nx", "p.md:1: expected '### PING-1 · TITLE · LEVEL · PARTY · since "),
        ("### PING-1 · MUST · server · since 1\nx", "p.md:1: expected '### PING-1 · TITLE · LEVEL"),
        ("### PING-1 ·  · MUST · server · since 1\nx", "p.md:1: expected '### PING-1 · TITLE · LEVEL"),
        (
            f"### PING-1 · {'x' * 61} · MUST · server · since 1\nx",
            "p.md:1: expected a title of at most 60 char",
        ),
        ("### PING-1 · T · SHALL · server · since 1\nx", "p.md:1: expected a level .*, got 'SHALL'"),
        ("### PING-1 · T · MUST · client · since 1\nx", "p.md:1: expected a party .*, got 'client'"),
        ("\n### PING-1 · T · MUST · server · since 1\nx", "p.md:2: PING-1 needs one fenced example, got 0"),
        ("### PING-1 · T · MUST · server · since 1\n```\nx\n```", "p.md:1: PING-1 has no sentence"),
        ("### PING-1 · T · MUST · server · since 1\nx\n```\nx", "p.md:1: the fenced example is not closed"),
        (GOOD + GOOD, "p.md:36: PING-1 is defined twice, first at p.md:7"),
    ],
)
def test_what_is_not_in_the_form_is_an_error_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        specification.parse_protocol(text, "p.md")


def test_deviations() -> None:
    table = "| id | they | we | why | clauses |\n|---|---|---|---|---|\n| DEV-1 | `a\\|b` | y | z | AUTH-1, SIP-2 |"
    row = specification.parse_deviations(table)["DEV-1"]
    assert (row.theirs, row.ours, row.why, row.clauses) == ("`a|b`", "y", "z", ("AUTH-1", "SIP-2"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("| DEV-1 | a | b | AUTH-1 |", "d.md:1: expected a row .* of 5 cells, got 4"),
        ("| DEV-1 | a | b | c | PING-9 |", "d.md:1: DEV-1 names the unknown clause PING-9"),
        ("| DEV-1 | a | b | c | |\n| DEV-1 | a | b | c | |", "d.md:2: DEV-1 is listed twice"),
    ],
)
def test_a_wrong_row_is_an_error_with_its_line(row: str, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        specification.parse_deviations(row, "d.md", {})


def test_the_real_documents_parse() -> None:
    loaded = specification.load()
    assert {"FRAME", "AUTH", "PING", "ROUTE", "SIP", "RSP"} <= set(loaded.families())
    assert loaded.deviations_of("AUTH-6")
    assert loaded.clauses["FRAME-1"].source.startswith("docs/protocol.md:")
